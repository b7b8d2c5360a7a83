#!/usr/bin/env python3
"""Verify an exported WorkReef audit log, or the receipt of one entry:

    python verify.py EXPORT [--known CHECKPOINTS] [--key KEY] [--json] [--from N] [--to M]
    python verify.py receipt FILE [--key KEY] [--json]

EXPORT is the zip, a folder it was unpacked into, its audit.jsonl, or - for audit.jsonl on standard input.
One file, standard library only, Python 3.9 or newer, no network, memory that does not grow with the log.
Checked for every entry: the exact form of its line; its number (1, 2, 3 ... without a gap); that its content
is canonical JSON (RFC 8785 with ASCII keys and whole numbers only); and the chain:
    chain_hash(n) = sha256(content(n) as UTF-8 || chain_hash(n-1) as 32 bytes)
    chain_hash(0) = sha256("workreef/audit/v1/" + tenant id)
then the trailer: the tenant, how many entries there are, and the last hash; and every checkpoint, those of the
export and the --known ones that you kept: a signed note (C2SP signed-note, tlog-checkpoint) of how many entries
there were, of the root of their RFC 6962 tree and of the chain's hash. Signatures (Ed25519, RFC 8032) are checked
of the export's last checkpoint and of yours; --all-signatures checks the others too. A --key (a key as
name+id+base64, or a keys.json) that you were given elsewhere is trusted instead of those in the export.
Exit status: 0 everything asked was proven, 1 it was not, 2 wrong usage. A log that goes on after its last
checkpoint is proven by its chain alone from there, and passes only with --allow-unanchored.
"""

from __future__ import annotations

import argparse
import base64
import io
import json
import re
import sys
import time
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256, sha512
from operator import itemgetter
from pathlib import Path
from typing import IO, Any

LINE_LIMIT = 1 << 20  # bytes in a line; the writer stays below it
FINDING_LIMIT = 1000  # where there are more, reading stops
DEPTH_LIMIT = 32  # lists and objects within each other
UNREADABLE = (zipfile.BadZipFile, zlib.error, OSError, EOFError, LookupError, RuntimeError, ValueError)
WHAT_FITS = {
    "edited": "its content or its hash was changed, or it was replaced; or entries before it were taken out and the"
    " rest renumbered, or another log goes on from here",
    "missing": "it is not there",
    "reordered": "it stands after entries that come after it",
    "inserted": "the chain does not go through it; it was put in, or is there twice",
    "head_cut": "the log does not begin with it, as it should",
    "tail_cut": "from it on the log is not there; or the trailer was changed",
    "foreign_origin": "the log does not begin like this tenant's: it may be another's; see also `edited`",
    "malformed": "this line is not an entry",
    "not_canonical": "its content is not canonical JSON",
    "rewritten": "from it on the log is not the one that was signed: an entry was changed, and every later hash made"
    " anew",
    "rolled_back": "it and what follows were there when the given checkpoint was signed: this is an older copy",
    "forked": "up to it there is another log with a valid signature: the given checkpoint's and this one part ways",
    "bad_signature": "the checkpoint of this many entries has no valid signature of a key that is trusted here",
    "unanchored": "from it on there is no checkpoint: it is proven by the chain alone",
}
NEVER_WRITTEN = "events that were never written: no log can prove that there were none"
WITHOUT_KNOWN = """\
without a checkpoint kept elsewhere (--known): that this is not an older copy, or a log cut and signed anew
without a checkpoint kept elsewhere (--known): that everybody was given the same log""".splitlines()
OWN_KEYS = "without a key that you were given elsewhere (--key): whose signatures these are; compare the key's id"

# --- canonical JSON -------------------------------------------------------------------------------------------


def _whole(digits: str) -> int:
    if len(digits) > 17 or abs(int(digits)) > 2**53:
        raise ValueError("a number beyond 2^53")
    return int(digits)


def _refuse(text: str) -> float:
    raise ValueError(f"{text[:20]} is not a whole number")


decode = json.JSONDecoder(parse_int=_whole, parse_float=_refuse, parse_constant=_refuse).decode
encode = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode


def _plain(value: Any, room: int = DEPTH_LIMIT) -> bool:
    if isinstance(value, dict):
        return room > 0 and all(key.isascii() and _plain(item, room - 1) for key, item in value.items())
    return not isinstance(value, list) or (room > 0 and all(_plain(item, room - 1) for item in value))


def canonical_fault(content: str) -> str:
    """What keeps a content from being canonical, or "". (Of a repeated key only one would be written again.)"""
    try:
        value = decode(content)
        if not isinstance(value, dict):
            return "not an object"
        if encode(value) != content:
            return "keys out of order or repeated, or needless spaces or escapes"
        if not _plain(value):
            return "a key that is not ASCII, or nested too deeply"
        learn_shape(content)
        return ""
    except (ValueError, RecursionError) as error:
        return str(error)


# A quicker way for most entries. Cut a text without backslash or control character at its quotes: every second
# piece is a string, the rest is structure. Whether it is canonical depends on the structure and the keys alone: any
# other string may stand for another, and 1 for any number from 1 to 15 digits. So a text of a shape found canonical
# before is canonical too. (Longer numbers are not learnt; a leading zero or a 16th digit would stay beside the 1.)
SHAPES: dict[str, tuple[Callable[[list[str]], Any], set[Any]]] = {}
NUMBER = re.compile("[1-9][0-9]{0,14}")


def known_shape(pieces: list[str]) -> bool:
    if len(pieces) % 2 == 0:  # a string that does not end
        return False
    structure = '"'.join(pieces[::2])
    shape = SHAPES.get(structure) or SHAPES.get(NUMBER.sub("1", structure))
    return shape is not None and shape[0](pieces) in shape[1]


def learn_shape(canonical: str) -> None:
    pieces = canonical.split('"')
    structure = '"'.join(pieces[::2])
    if "\\" in canonical or re.search("[0-9]{16}", structure) or len(SHAPES) == 1000:
        return
    if keys := [at for at in range(1, len(pieces), 2) if pieces[at + 1].startswith(":")]:
        keys_of, known = SHAPES.setdefault(NUMBER.sub("1", structure), (itemgetter(*keys), set()))
        if len(known) < 100:
            known.add(keys_of(pieces))


# --- signatures: Ed25519, RFC 8032 section 5.1.7, on points in its extended coordinates ---------------------------

P, L = 2**255 - 19, 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
Point = tuple[int, int, int, int]


def _plus(p: Point, q: Point) -> Point:
    a, b = (p[1] - p[0]) * (q[1] - q[0]) % P, (p[1] + p[0]) * (q[1] + q[0]) % P
    c, d = 2 * p[3] * q[3] * D % P, 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def _times(scalar: int, point: Point) -> Point:
    total: Point = (0, 1, 1, 0)
    while scalar:
        if scalar & 1:
            total = _plus(total, point)
        point, scalar = _plus(point, point), scalar >> 1
    return total


def _point(raw: bytes) -> Point:
    """The point that 32 bytes stand for. Raises ValueError for none."""
    y, odd = int.from_bytes(raw, "little") & ((1 << 255) - 1), raw[31] >> 7
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    if y >= P or (x * x - square) % P or (x == 0 and odd):
        raise ValueError("not a point of the curve")
    x = P - x if x & 1 != odd else x
    return x, y, 1, x * y % P


BASE = _point((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))


def ed25519(public: bytes, message: bytes, signature: bytes) -> bool:
    """Whether the signature of the message is that of the public key."""
    try:
        a, r, s = _point(public), _point(signature[:32]), int.from_bytes(signature[32:], "little")
    except (ValueError, IndexError):
        return False
    if len(signature) != 64 or len(public) != 32 or s >= L:
        return False
    k = int.from_bytes(sha512(signature[:32] + public + message).digest(), "little") % L
    left, right = _times(s, BASE), _plus(r, _times(k, a))
    return all((left[i] * right[2] - right[i] * left[2]) % P == 0 for i in (0, 1))


# --- the tree: RFC 6962 section 2.1 -------------------------------------------------------------------------------


def leaf(content: bytes) -> bytes:
    return sha256(b"\0" + content).digest()


def node(left: bytes, right: bytes) -> bytes:
    return sha256(b"\1" + left + right).digest()


def cover(first: int, end: int) -> Iterator[tuple[int, int]]:
    """The perfect subtrees that make up the leaves first to end - 1: each one's first leaf and its size."""
    while first < end:
        size = 1 << (end - first).bit_length() - 1
        size = min(size, first & -first) if first else size
        yield first, size
        first += size


class Tree:
    """The tree over leaves that come one by one, those from the `start`th on (from 0). Keeps only the roots of the
    perfect subtrees that they make up, left to right."""

    def __init__(self, start: int = 0, nodes: Iterable[bytes] = (), size: int | None = None) -> None:
        self.start, self.nodes = start, list(nodes)
        self.size = start if size is None else size

    def add(self, content: bytes) -> None:
        made, at, below = sha256(b"\0" + content).digest(), self.size, 1
        while at & 1 and self.size - below >= self.start:
            made, at, below = sha256(b"\1" + self.nodes.pop() + made).digest(), at >> 1, 2 * below + 1
        self.nodes.append(made)
        self.size += 1

    def completed(self, before: Iterable[bytes]) -> Tree:
        """The tree from the first leaf on, given the roots of the subtrees before the start. Raises ValueError."""
        subtrees = [*cover(0, self.start), *cover(self.start, self.size)]
        nodes = [*before, *self.nodes]
        if len(subtrees) != len(nodes):
            raise ValueError("not as many subtrees as the range needs")
        whole: list[tuple[int, int, bytes]] = []
        for (first, size), made in zip(subtrees, nodes):
            while whole and whole[-1][1] == size and first & size:
                first, _, left = whole.pop()
                made, size = node(left, made), 2 * size
            whole.append((first, size, made))
        return Tree(0, [made for _, _, made in whole], self.size)

    def root(self, size: int | None = None, after: Iterable[bytes] = ()) -> bytes:
        """The root, or that of a larger size, given the subtrees after this one that a consistency proof has.
        Raises ValueError when they are too few or too many."""
        size, given = size or self.size, iter(after)

        def part(first: int, end: int) -> bytes:
            if first >= self.size:
                made = next(given, b"")
                if not made:
                    raise ValueError("the proof is too short")
                return made
            if end <= self.size:
                return known[first, end]
            half = first + (1 << (end - first - 1).bit_length() - 1)
            return node(part(first, half), part(half, end))

        known = {(first, first + each): made for (first, each), made in zip(cover(0, self.size), self.nodes)}
        rest = b""
        for (first, _), made in zip(reversed(list(cover(0, self.size))), reversed(self.nodes)):
            rest = node(made, rest) if rest else made
            known[first, self.size] = rest
        made = part(0, size) if size else sha256().digest()
        if next(given, b""):
            raise ValueError("the proof is too long")
        return made


def inclusion_root(index: int, size: int, content: bytes, proof: Sequence[bytes]) -> bytes:
    """The root that a proof gives for the leaf at `index` (from 0), RFC 9162 section 2.1.3.2. Raises ValueError."""
    if not 0 <= index < size:
        raise ValueError("no such leaf in the tree")
    at, last, made = index, size - 1, leaf(content)
    for each in proof:
        if last == 0:
            raise ValueError("the proof is too long")
        if at & 1 or at == last:
            made = node(each, made)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            made = node(made, each)
        at, last = at >> 1, last >> 1
    if last:
        raise ValueError("the proof is too short")
    return made


# --- checkpoints: C2SP signed-note and tlog-checkpoint --------------------------------------------------------------

NOTE_LIMIT = 16 << 10  # bytes


@dataclass(frozen=True)
class Key:
    """A public key that signs checkpoints; `id` are the 4 bytes by which a signature names it."""

    name: str
    public: bytes

    @property
    def id(self) -> bytes:
        return sha256(self.name.encode() + b"\n\x01" + self.public).digest()[:4]


@dataclass
class Note:
    """A checkpoint: after `size` entries the tree had this root, and the chain this hash."""

    text: bytes  # what is signed
    origin: str
    size: int
    root: bytes
    chain: bytes
    signatures: list[tuple[str, bytes]]  # the key's name; its id and the signature

    def signer(self, keys: Iterable[Key]) -> Key | None:
        """The key of those given that signed it. Signatures of other keys neither help nor harm."""
        for key in keys:
            for name, signature in self.signatures:
                if name == key.name and signature[:4] == key.id and ed25519(key.public, self.text, signature[4:]):
                    return key
        return None


def unpack(packed: str) -> bytes:
    """The bytes of a base64 text, of which there is one form only. Raises ValueError."""
    plain = base64.b64decode(packed, validate=True)
    if base64.b64encode(plain).decode() != packed:
        raise ValueError("not the form of base64")
    return plain


def parse_note(raw: str) -> Note:
    """The checkpoint in a signed note. Raises ValueError for what is none."""
    text, gap, below = raw.rstrip("\n").partition("\n\n")
    lines = text.split("\n")
    if not gap or len(lines) < 4 or any(ord(sign) < 32 for line in raw.split("\n") for sign in line):
        raise ValueError("not a signed checkpoint")
    if not re.fullmatch("0|[1-9][0-9]{0,15}", lines[1]) or not re.fullmatch("chain [0-9a-f]{64}", lines[3]):
        raise ValueError("no size, or no line with the chain's hash")
    signatures = []
    for line in below.split("\n"):
        dash, name, packed = (*line.split(" "), "", "")[:3]
        signature = unpack(packed)
        if dash != "\u2014" or not name or len(signature) < 5 or line.count(" ") != 2:
            raise ValueError("not a line with a signature")
        signatures.append((name, signature))
    root = unpack(lines[2])
    if len(root) != 32:
        raise ValueError("its root is not 32 bytes")
    return Note((text + "\n").encode(), lines[0], int(lines[1]), root, bytes.fromhex(lines[3][6:]), signatures)


def read_notes(file: IO[bytes]) -> Iterator[Note]:
    """The checkpoints in a file, one after the other, a blank line between. Raises ValueError, with the line."""
    held, blank, begun = "", 0, 1
    for number, raw in enumerate(iter(partial(file.readline, NOTE_LIMIT), b""), 1):
        line = raw.decode()
        if line == "\n" and held:
            blank += 1
        if line == "\n" and blank == 2:
            yield _note(held, begun)
            held, blank, begun = "", 0, number + 1
        else:
            held += line
        if len(held) > NOTE_LIMIT:
            raise ValueError(f"line {begun}: too long for a checkpoint")
    if held:
        yield _note(held, begun)


def _note(raw: str, line: int) -> Note:
    try:
        return parse_note(raw)
    except ValueError as error:
        raise ValueError(f"line {line}: {error}") from None


def parse_keys(raw: str) -> list[Key]:
    """The keys in a keys.json, or the one in a verifier key `name+id+base64`. Raises ValueError."""
    if not raw.lstrip().startswith("["):
        name, number, packed = raw.strip().split("+", 2)
        if unpack(packed)[:1] != b"\1":
            raise ValueError("not an Ed25519 key")
        told = [(name, number, unpack(packed)[1:])]
    else:
        try:
            told = [(each["name"], each["id"], unpack(each["public"]))
                    for each in json.loads(raw) if each["algorithm"] == "ed25519"]  # fmt: skip
        except (KeyError, TypeError):
            raise ValueError("not the form of keys.json") from None
    keys = [Key(name, public) for name, _, public in told]
    if any(len(key.public) != 32 or key.id.hex() != number for key, (_, number, _) in zip(keys, told)):
        raise ValueError("a key whose id does not fit")
    return keys


class Anchors:
    """Compares a log, entry by entry, with its own checkpoints in their order and with those given."""

    def __init__(self, own: Iterator[Note] | None = None, given: Iterable[Note] = (), keys: Iterable[Key] = (),
                 every: bool = False) -> None:  # fmt: skip
        self.own, self.given, self.keys = own or iter(()), sorted(given, key=lambda note: note.size), list(keys)
        self.every = every  # whether every signature of the log's own is checked, not the last one's alone
        self.tree: Tree | None = Tree()  # None: an entry could not be read, so no root can be made
        self.compared = self.good = self.anchored = 0  # how many notes; the size of the last that fits; and is signed
        self.fitting: list[Note] = []  # whose signatures count: of those given, and the last of the log's own
        self.apart: list[Note] = []  # of those given, the ones that do not fit
        self.bad: Note | None = None  # the first of the log's own that does not fit
        self.last: Note | None = None  # the last of its own that does
        self.next: Note | None = None
        self.fault = ""
        self._advance()

    def _advance(self) -> None:
        before = self.next.size if self.next else 0
        try:
            self.next = next(self.own, None)
            if self.next and self.next.size <= before:
                raise ValueError("not in the order of their sizes")
        except ValueError as error:
            self.next, self.own, self.fault = None, iter(()), f"checkpoints.txt, {error}"
        self.due = {note.size for note in (*self.given, self.next) if note}

    def take(self, seq: int, content: bytes, own: bytes) -> None:
        """The next entry, with its recorded hash."""
        if self.tree is None:
            return
        if self.tree.size == 0 and seq > 1:
            self.tree = Tree(seq - 1)
        self.tree.add(content)
        if self.tree.size in self.due and not self.tree.start:
            self._meet(self.tree.size, self.tree.root(), own)

    def _meet(self, size: int, root: bytes, chain: bytes) -> None:
        for note in self.given:
            if note.size == size:
                (self.fitting if (note.root, note.chain) == (root, chain) else self.apart).append(note)
        if self.next and self.next.size == size:
            self._own(self.next, (self.next.root, self.next.chain) == (root, chain))
            self._advance()

    def _own(self, note: Note, fits: bool) -> None:
        self.compared += 1
        if not fits:
            self.bad = self.bad or note
        elif self.bad is None:
            self.good, self.last = note.size, note
            if self.every and not note.signer(self.keys):
                self.fitting.append(note)

    def finish(self, check: Check, said: Trailer) -> None:
        """Adds to the check what the checkpoints tell. Their roots tell nothing where the chain is broken already."""
        sound, tree = not check.findings, self.tree
        if sound and tree and said.previous and self.next:
            self._range(tree, said)
        if self.fault:
            check.add("malformed", 0, self.fault)
        own = self.last or self.bad or self.next
        foreign = [note for note in (*self.given, own) if note and note.origin != f"workreef/{said.tenant}"]
        unsigned = [note for note in (*self.given, *self.fitting, self.last) if note and not note.signer(self.keys)]
        for note in foreign:
            check.add("foreign_origin", note.size, f"a checkpoint of {note.origin[:80]}")
        for size in sorted({note.size for note in unsigned if note not in foreign}):
            check.add("bad_signature", size)
        if not sound or foreign or tree is None:
            return
        proven = [note.size for note in (*self.fitting, self.last) if note and note not in unsigned]
        self.anchored = min(max(proven, default=0), tree.size)
        if self.next and self.next.size > tree.size:
            check.add("tail_cut", tree.size + 1, f"since checkpoint {self.next.size:,}, which covers more")
        elif self.bad:
            check.add("rewritten", self.good + 1, f"since checkpoint {self.good:,}; {self.bad.size:,} does not fit")
        else:
            self._given(check, tree, said, [note for note in self.given if note not in unsigned])

    def _given(self, check: Check, tree: Tree, said: Trailer, signed: list[Note]) -> None:
        for note in signed:
            if note in self.apart and self.anchored:
                check.add("forked", note.size)
            elif note in self.apart:
                check.add("rewritten", 1, f"the given checkpoint {note.size:,} does not fit")
            elif note not in self.fitting and said.previous:
                check.add("unanchored", note.size, "the given checkpoint is not the one that this range leads to")
            elif note not in self.fitting:
                check.add("rolled_back", tree.size + 1, f"the given checkpoint covers {note.size:,}")

    def _range(self, tree: Tree, said: Trailer) -> None:
        """Compares an export of a range with its one checkpoint, by the proof in the trailer."""
        note = self.next
        if note is None or (note.size > tree.size and not said.after):
            return  # it does not say that it ends before its checkpoint, and does
        self.next = None
        try:
            before, after = ([bytes.fromhex(each) for each in side] for side in (said.before, said.after))
            fits = tree.completed(before).root(note.size, after) == note.root
        except ValueError as error:
            fits, self.fault = False, f"the trailer's proof: {error}"
        self._own(note, fits and (note.size > tree.size or note.chain.hex() == said.head))
        for given in self.given:
            if given.size == note.size:
                (self.fitting if (given.root, given.chain) == (note.root, note.chain) else self.apart).append(given)


# --- lines and the chain --------------------------------------------------------------------------------------

QUOTES_AND_CONTROLS = b'"' + bytes(range(32))
TENANT = re.compile("[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass
class Trailer:
    """The last line. An export of a range tells where it begins, the hash before it, and its place in the tree: the
    roots of the perfect subtrees before it, and those after it that complete the tree of its checkpoint."""

    tenant: str
    count: int
    head: str
    first: int = 1
    previous: str = ""
    before: list[str] = field(default_factory=list)
    after: list[str] = field(default_factory=list)

    def line(self) -> bytes:
        """The one form in which it is written."""
        said: dict[str, Any] = {"tenant": self.tenant, "count": self.count, "head": self.head}
        if self.previous:  # a range
            said.update(first=self.first, previous=self.previous, proof={"before": self.before, "after": self.after})
        return json.dumps({"trailer": said}, separators=(",", ":")).encode() + b"\n"


def parse_trailer(raw: bytes) -> Trailer:
    said = decode(raw.decode())["trailer"]
    try:
        proof = said.pop("proof", {})
        trailer = Trailer(**said, **proof)
        hashes = [bytes.fromhex(each) for each in [trailer.head, *trailer.before, *trailer.after]]
        sound = TENANT.fullmatch(trailer.tenant) and trailer.count >= 0 and {len(each) for each in hashes} == {32}
        sound = sound and len(bytes.fromhex(trailer.previous)) == (32 if "previous" in said else 0)
    except (TypeError, AttributeError):
        sound = False
    if not sound or trailer.line() != raw:
        raise ValueError("not the form of a trailer")
    return trailer


def parse_entry(raw: bytes) -> tuple[int, bytes, bytes, str]:
    """The number, content and recorded hash in a line, and what keeps the content from being canonical.

    Raises ValueError unless the line has exactly the form {"seq":1,"content":"...","chain_hash":"hex"}\n.
    """
    text = raw.decode()
    start, _, body = text[:-83].partition(',"content":"')
    pieces = body.split('\\"')
    content = '"'.join(pieces)
    data = content.encode()
    if "\\" in content or len(data) - len(data.translate(None, QUOTES_AND_CONTROLS)) != len(pieces) - 1:
        content, pieces = decode(f'"{body}"'), []  # other escapes than \": the thorough way
        data = content.encode()
        if encode(content) != f'"{body}"':
            raise ValueError("needless escapes")
    seq, own = int(start[7:19]), bytes.fromhex(text[-67:-3])
    exact = f'{{"seq":{seq},"content":"{body}","chain_hash":"{own.hex()}"}}\n'
    if text != exact or seq < 1 or len(raw) >= LINE_LIMIT:
        raise ValueError("not the form of an entry, or too long")
    return seq, data, own, "" if known_shape(pieces) else canonical_fault(content)


def genesis(tenant: str) -> bytes:
    """The hash before the first entry; the tenant's id as lower-case hyphenated text."""
    return sha256(b"workreef/audit/v1/" + tenant.encode()).digest()


def link(content: bytes, previous: bytes) -> bytes:
    return sha256(content + previous).digest()


@dataclass(eq=False)
class Finding:
    kind: str
    seq: int  # the entry; for `malformed` the line
    detail: str = ""


class Check:
    """Takes a log in its order and finds, for each break, the explanation that fits what comes after it."""

    def __init__(self, origin: bytes | None = None, anchors: Anchors | None = None) -> None:
        self.findings: list[Finding] = []
        self.anchors = anchors or Anchors()
        self.lines = self.entries = 0  # lines read, and entries among them
        self.trailer: Trailer | None = None
        self.last = origin  # the hash recorded for the last entry; None: not known, as the genesis at first
        self.derived = origin  # the hash that its content and the one before give it
        self.before: bytes | None = None  # the hash recorded for the entry before the last
        self.doubt: Finding | None = None  # about the last entry, until the next one decides
        self.next = 1  # the number that the next entry has by its place in the chain
        self.also = 1  # the number after the one last read: another if entries were renumbered
        self.gaps: list[tuple[int, int]] = []  # numbers, first to last, of entries that are not there
        self.lost = 0  # lines since the last entry that could not be read
        self.first: tuple[int, bytes, bytes] | None = None  # if what comes before it was not known when it came
        self.broken: list[Finding] = []  # `edited`, where the chain does not hold

    def add(self, kind: str, seq: int, detail: str = "") -> Finding:
        found = Finding(kind, seq, detail and f"({detail[:200]})")
        if len(self.findings) < FINDING_LIMIT:
            self.findings.append(found)
        return found

    def why(self) -> list[str]:
        """What each finding means."""
        return [f"{WHAT_FITS[found.kind]} {found.detail}".strip() for found in self.findings]

    def line(self, raw: bytes) -> None:
        """Take the next line of audit.jsonl, its newline included."""
        self.lines += 1
        try:
            if self.trailer:
                raise ValueError("it comes after the trailer")
            if raw.startswith(b'{"trailer"'):
                self.trailer = parse_trailer(raw)
            else:
                self.entry(*parse_entry(raw))
        except (ValueError, RecursionError) as error:
            self.lost += 1
            marks = {b"\xef\xbb\xbf": "byte-order mark; ", b"PK\3": "a zip, which cannot come by a pipe; "}
            mark = marks.get(raw[:3], "") + "CRLF; " * raw.endswith(b"\r\n")
            self.add("malformed", self.lines, f"{mark}{error}")

    def entry(self, seq: int, data: bytes, own: bytes, fault: str) -> None:
        """Take the next entry, whatever it is: its number, content, recorded hash, and `canonical_fault`."""
        self.entries += 1
        self.anchors.take(seq, data, own)
        if fault:
            self.add("not_canonical", seq, fault)
        if self.last and seq == self.next and sha256(data + self.last).digest() == own:
            self.also = seq + 1
            return self._take(seq, own, own, self.last)

        def continues(previous: bytes | None) -> bool:
            return previous is not None and sha256(data + previous).digest() == own

        last, place, found = self.last, self.next, self.doubt
        if continues(last):
            if seq != place and seq != self.also:
                self.add("edited", place, f"only its number, which reads {seq}")
            self._take(place, own, own, last)
        elif found and continues(self.derived):
            found.detail = "(only its recorded hash: the next entry follows from what its content gives)"
            self.broken.remove(found)
            self._take(place, own, own, self.derived)
        elif continues(self.before):
            if found:
                self.broken.remove(found)
                found.kind = "inserted"
            else:
                self.add("inserted", self.also - 1)
            self._take(place - 1, own, own, self.before)
        elif seq < place:
            self._late(seq)
            seq = self.also - 1
        elif seq > place or last is None:
            if seq - place > self.lost:  # else it is the lost lines that are not there
                self.gaps.append((place, seq - 1))
            self.first = (seq, data, own) if self.entries == 1 else self.first
            self._take(seq, own, None, None)
        else:
            self._take(seq, own, link(data, last), last)
            self.doubt = self.add("edited", seq)
            self.broken.append(self.doubt)
        self.also = seq + 1

    def _take(self, place: int, own: bytes, derived: bytes | None, before: bytes | None) -> None:
        self.last, self.derived, self.before = own, derived, before
        self.next, self.doubt, self.lost = place + 1, None, 0

    def _late(self, seq: int) -> None:
        """An entry with a number that was passed: it fills a gap, or is one too many."""
        for first, last in self.gaps:
            if first <= seq <= last:
                self.gaps.remove((first, last))
                self.gaps += [gap for gap in ((first, seq - 1), (seq + 1, last)) if gap[0] <= gap[1]]
                self.add("reordered", seq)
                return
        self.add("inserted", seq, "its number was there already")

    def finish(self, said: Trailer | None, whole: bool = True) -> None:
        """Compare with the trailer, if there is one, and with the checkpoints. `whole`: the end was asked for too."""
        tenant, begin = (said.tenant, said.first) if said else ("", 1)
        origin = bytes.fromhex(said.previous) if said and said.first > 1 else genesis(tenant)
        total = self.next - 1 + self.lost
        if self.first and self.first[0] == begin > 1:
            self.gaps.remove((1, begin - 1))  # a range, as its trailer says
        for first, last in self.gaps:
            self.add("head_cut" if first == 1 else "missing", first, f"and all up to {last}")
        if said and self.first and self.first[0] == begin and link(self.first[1], origin) != self.first[2]:
            self.broken.insert(0, self.add("edited", begin))
        breaks = sorted(found.seq for found in self.broken)
        if 1 in breaks:
            self.add("foreign_origin", 1)
        ends = said is not None and said.head in [made.hex() for made in (self.last or origin, self.derived) if made]
        if said is None:
            self.add("tail_cut", total + 1, "there is no trailer")
        elif (count := said.first - 1 + said.count) > total and whole and ends and breaks:
            kind = "head_cut" if breaks[0] == 1 else "missing"
            self.add(kind, breaks[0], f"if the rest was renumbered; the trailer counts {said.count}")
        elif count > total:
            self.add("tail_cut", total + 1, f"the trailer counts {said.count}")
        elif count < total:
            self.add("inserted", count + 1, f"the trailer counts {said.count}; or the trailer was changed")
        elif whole and not ends and not self.lost:
            self.add("edited", total, "or an earlier one with all later hashes, or the trailer's hash")
        if said is not None:
            self.anchors.finish(self, said)
        self.findings.sort(key=lambda found: found.seq)


# --- reading and telling --------------------------------------------------------------------------------------


@contextmanager
def opened(name: str, member: str = "audit.jsonl") -> Iterator[IO[bytes]]:
    """The bytes of a file of the export, unpacked as they are read; none where only the log itself was given."""
    path = Path(name) / member if Path(name).is_dir() else Path(name)
    if name == "-" or (path == Path(name) and member != "audit.jsonl" and path.open("rb").read(2) != b"PK"):
        yield sys.stdin.buffer if member == "audit.jsonl" else io.BytesIO()
        return
    with io.BufferedReader(io.FileIO(path), LINE_LIMIT) as file:
        if path != Path(name) or file.peek(2)[:2] != b"PK":
            yield file
            return
        with zipfile.ZipFile(file) as archive:
            found = [each.compress_type for each in archive.infolist() if each.filename == member]
            if found not in ([zipfile.ZIP_STORED], [zipfile.ZIP_DEFLATED]):
                raise ValueError(f"the zip does not hold exactly one {member}, stored or deflated")
            with archive.open(member) as packed:
                yield io.BufferedReader(packed, LINE_LIMIT)  # type: ignore[type-var]


@dataclass(frozen=True)
class Asked:
    """What is to be verified, and against what."""

    name: str
    first: int = 1
    last: int = sys.maxsize
    known: tuple[Note, ...] = ()
    keys: tuple[Key, ...] = ()  # trusted instead of those in the export
    allow_unanchored: bool = False
    every: bool = False
    show: bool = False


def read_log(asked: Asked, origin: bytes | None) -> Check:
    """Check the lines of the range, and the trailer; of the others only that they are what the checkpoints say."""
    check = Check(origin)
    try:
        with opened(asked.name, "keys.json") as file:
            held = file.read(NOTE_LIMIT).decode()
            keys = list(asked.keys) or (parse_keys(held) if held else [])
        with opened(asked.name, "checkpoints.txt") as notes, opened(asked.name) as log:
            check = Check(origin, Anchors(read_notes(notes), asked.known, keys, asked.every))
            _read_lines(check, log, asked)
    except UNREADABLE as error:
        check.add("malformed", check.lines + 1, f"cannot be read: {error}")
    check.finish(check.trailer, check.trailer is None or asked.last >= check.trailer.first - 1 + check.trailer.count)
    wanted = asked.first if asked.last == sys.maxsize and asked.first > 1 else asked.last
    if check.next <= wanted < sys.maxsize:
        check.add("missing", check.next, "the log ends before the range that was asked for")
    wanted = min(asked.last, check.next - 1)
    if not check.findings and check.anchors.anchored < wanted and not asked.allow_unanchored:
        check.add("unanchored", check.anchors.anchored + 1)
    return check


def _read_lines(check: Check, log: IO[bytes], asked: Asked) -> None:
    began, skipped = time.monotonic(), 0
    for number, raw in enumerate(iter(partial(log.readline, LINE_LIMIT), b""), 1):
        if number == 1 and asked.first > 1 and raw.startswith(b'{"seq":'):
            skipped = int(raw[7:19].partition(b",")[0]) - 1  # an export of a range begins later
        place = skipped + number
        if asked.first <= place <= asked.last or raw.startswith(b'{"trailer"') or len(raw) == LINE_LIMIT:
            check.line(raw)
        else:
            _pass_by(check, raw, place)
        if len(raw) == LINE_LIMIT or len(check.findings) == FINDING_LIMIT:
            break
        if asked.show and number % 20_000 == 0:
            told = f"\r{number:,} entries, {number / (time.monotonic() - began):,.0f} a second "
            print(told, end="", file=sys.stderr, flush=True)
    if asked.show:
        print(file=sys.stderr)


def _pass_by(check: Check, raw: bytes, place: int) -> None:
    """Take a line outside of the range that was asked for."""
    check.lines, check.entries = check.lines + 1, check.entries + 1
    check.next = check.also = place + 1
    try:
        seq, data, check.last, _ = parse_entry(raw)
        check.anchors.take(seq, data, check.last)
    except (ValueError, RecursionError):
        check.anchors.tree = check.last = None


def report(check: Check, asked: Asked) -> dict[str, Any]:
    """The verdicts of a finished check, as printed with --json."""
    verdicts = [{"kind": found.kind, "seq": found.seq} for found in check.findings]
    head, anchors = check.trailer.head if check.trailer else "", check.anchors
    whole = (asked.first, asked.last) == (1, sys.maxsize)
    not_proven = [] if whole else [f"entries outside of {asked.first} to {asked.last}"]
    if anchors.anchored < check.next - 1:
        not_proven.append(f"without a later checkpoint: that nothing from {anchors.anchored + 1} on was rewritten")
    not_proven += ([] if asked.known else WITHOUT_KNOWN) + ([] if asked.keys else [OWN_KEYS]) + [NEVER_WRITTEN]
    return {
        "ok": not verdicts,
        "count": check.entries,
        "head": check.last.hex() if check.last else head,
        "anchored": anchors.anchored,
        "verdicts": verdicts or [{"kind": "intact", "seq": check.entries}],
        "not_proven": not_proven,
        "tenant": check.trailer.tenant if check.trailer else None,
        "checkpoints": anchors.compared,
        "keys": [f"{key.name}+{key.id.hex()}" for key in anchors.keys],
        "why": check.why(),
    }


def verify(name: str, **asked: Any) -> dict[str, Any]:
    """The report on an export; `asked` as in Asked. Raises nothing, whatever the file holds."""
    wanted = Asked(name, **asked)
    check = read_log(wanted, None)
    again = name != "-" and (Path(name).is_file() or Path(name).is_dir())
    if again and check.trailer and check.findings and check.trailer.first == 1:
        # The tenant stands at the end. Now that it is known, a second reading explains the beginning better.
        check = read_log(wanted, genesis(check.trailer.tenant))
    return report(check, wanted)


def verify_receipt(raw: str, keys: Sequence[Key] = ()) -> dict[str, Any]:
    """The report on a receipt: one entry, and the proof that a signed checkpoint covers it. Raises nothing."""
    said: dict[str, Any] = {"ok": False, "seq": 0, "checkpoint": 0, "tenant": "", "verdicts": [], "why": []}

    def refused(kind: str, why: str) -> dict[str, Any]:
        return {**said, "verdicts": [{"kind": kind, "seq": said["seq"]}], "why": [why]}

    try:
        told = json.loads(raw)
        said.update(seq=told["seq"], tenant=told["tenant"], content=told["content"])
        note, proof = parse_note(told["checkpoint"]), [bytes.fromhex(each) for each in told["proof"]]
        trusted = list(keys) or parse_keys(json.dumps(told["keys"]))
        said["checkpoint"] = note.size
        if canonical_fault(told["content"]):
            return refused("not_canonical", WHAT_FITS["not_canonical"])
        root = inclusion_root(told["seq"] - 1, note.size, told["content"].encode(), proof)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        return refused("malformed", f"this is not a receipt ({type(error).__name__}: {str(error)[:200]})")
    if note.origin != f"workreef/{told['tenant']}":
        return refused("foreign_origin", f"the checkpoint is one of {note.origin[:80]}")
    if root != note.root:
        return refused("edited", "the entry or its proof was changed: the checkpoint does not cover this content here")
    if (signer := note.signer(trusted)) is None:
        return refused("bad_signature", WHAT_FITS["bad_signature"])
    return {**said, "ok": True, "verdicts": [{"kind": "intact", "seq": told["seq"]}],
            "keys": [f"{signer.name}+{signer.id.hex()}"], "not_proven": [] if keys else [OWN_KEYS]}  # fmt: skip


WORDS = {"head_cut": "head cut", "tail_cut": "tail cut", "rolled_back": "rolled back", "foreign_origin":
         "foreign origin", "bad_signature": "bad signature", "not_canonical": "not canonical"}  # fmt: skip


def as_text(report: dict[str, Any]) -> str:
    lines = []
    if "count" in report:
        lines.append(f"{report['count']:,} entries, tenant {report['tenant']}, last hash {report['head']}")
        lines.append(f"proven to checkpoint {report['anchored']:,}, of {report['checkpoints']:,} compared")
    else:
        lines.append(f"entry {report['seq']}, tenant {report['tenant']}: {report.get('content', '')}")
        lines.append(f"checkpoint {report['checkpoint']}")
    if report["ok"]:
        lines.append("INTACT: nothing was edited, moved, put in or taken out after it was hashed")
    for verdict, why in zip(report["verdicts"], report["why"]):
        lines.append(f"{WORDS.get(verdict['kind'], verdict['kind'])} {verdict['seq']:,}: {why}")
    for key in report.get("keys", []):
        lines.append(f"signed by {key}")
    unproven = report.get("not_proven", [])
    return "\n".join([*lines, *(["Not proven:"] if unproven else []), *(f"- {what}" for what in unproven)])


def _texts(parser: argparse.ArgumentParser, names: Iterable[str]) -> Iterator[str]:
    for name in names:
        try:
            yield name if "+" in name and not Path(name).exists() else Path(name).read_text("utf-8")
        except (OSError, ValueError) as error:
            parser.error(f"{name} cannot be read: {error}")


def main(arguments: list[str] | None = None) -> int:
    arguments = sys.argv[1:] if arguments is None else arguments
    parser = argparse.ArgumentParser(description="Verify an exported WorkReef audit log.")
    parser.add_argument("export", help="the zip, its folder, audit.jsonl, - for audit.jsonl from a pipe; or a receipt")
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    parser.add_argument("--key", action="append", default=[], help="a key that you trust: name+id+base64, or keys.json")
    receipt = arguments[:1] == ["receipt"]
    if not receipt:
        parser.add_argument("--known", action="append", default=[], help="a file with checkpoints that you kept")
        parser.add_argument("--from", dest="first", metavar="N", type=int, default=1, help="first entry to check")
        parser.add_argument("--to", dest="last", metavar="M", type=int, default=sys.maxsize, help="and the last")
        parser.add_argument("--allow-unanchored", action="store_true", help="pass what the chain alone proves, too")
        parser.add_argument("--all-signatures", action="store_true", help="check the signature of every checkpoint")
    given = parser.parse_args(arguments[receipt:])
    if given.export != "-" and not Path(given.export).exists():
        parser.error(f"there is no {given.export}")
    try:
        keys = tuple(key for text in _texts(parser, given.key) for key in parse_keys(text))
        notes = "" if receipt else "\n".join(_texts(parser, given.known))
        known = tuple(read_notes(io.BytesIO(notes.encode())))
    except ValueError as error:
        parser.error(f"a key or checkpoint that you gave is none: {error}")
    if receipt:
        text = sys.stdin.read() if given.export == "-" else next(_texts(parser, [given.export]))
        found = verify_receipt(text, keys)
    else:
        if not 1 <= given.first <= given.last:
            parser.error("a range goes from 1 or more up to the same or more")
        found = verify(given.export, first=given.first, last=given.last, known=known, keys=keys,
                       every=given.all_signatures, allow_unanchored=given.allow_unanchored,
                       show=sys.stderr.isatty())  # fmt: skip
    print(json.dumps(found) if given.json else as_text(found))
    return 0 if found["ok"] else 1


if __name__ == "__main__":
    sys.exit(main())
