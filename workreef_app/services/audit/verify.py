#!/usr/bin/env python3
"""Verify an exported WorkReef audit log:  python verify.py EXPORT [--json] [--from N] [--to M]

EXPORT is the zip, a folder it was unpacked into, its audit.jsonl, or - for audit.jsonl on standard input.
One file, standard library only, Python 3.9 or newer, no network, memory that does not grow with the log.
Checked for every entry: the exact form of its line; its number (1, 2, 3 ... without a gap); that its content
is canonical JSON (RFC 8785 with ASCII keys and whole numbers only); and the chain:
    chain_hash(n) = sha256(content(n) as UTF-8 || chain_hash(n-1) as 32 bytes)
    chain_hash(0) = sha256("workreef/audit/v1/" + tenant id)
and at the end the trailer: the tenant, how many entries there are, and the last hash.
Exit status: 0 everything asked was proven, 1 it was not, 2 wrong usage.
"""

from __future__ import annotations

import argparse
import io
import json
import re
import sys
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
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
}
NOT_PROVEN = """\
without a checkpoint kept elsewhere: that the whole log was not rewritten with every hash made again
without a checkpoint kept elsewhere: that no entries were cut from its end before the export
without a checkpoint kept elsewhere: that everybody was given the same log
events that were never written: no log can prove that there were none""".splitlines()

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


# --- lines and the chain --------------------------------------------------------------------------------------

QUOTES_AND_CONTROLS = b'"' + bytes(range(32))
TRAILER = re.compile(r'\{"trailer":\{"tenant":"([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})",'
                     r'"count":(0|[1-9][0-9]{0,15}),"head":"([0-9a-f]{64})"\}\}\n')  # fmt: skip


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

    def __init__(self, origin: bytes | None = None) -> None:
        self.findings: list[Finding] = []
        self.lines = self.entries = 0  # lines read, and entries among them
        self.trailer: tuple[str, int, str] | None = None  # tenant, count, head
        self.last = origin  # the hash recorded for the last entry; None: not known, as the genesis at first
        self.derived = origin  # the hash that its content and the one before give it
        self.before: bytes | None = None  # the hash recorded for the entry before the last
        self.doubt: Finding | None = None  # about the last entry, until the next one decides
        self.next = 1  # the number that the next entry has by its place in the chain
        self.also = 1  # the number after the one last read: another if entries were renumbered
        self.gaps: list[tuple[int, int]] = []  # numbers, first to last, of entries that are not there
        self.lost = 0  # lines since the last entry that could not be read
        self.first: tuple[bytes, bytes] | None = None  # entry 1, if the genesis was not known when it came
        self.broken: list[Finding] = []  # `edited`, where the chain does not hold

    def add(self, kind: str, seq: int, detail: str = "") -> Finding:
        found = Finding(kind, seq, detail and f"({detail[:200]})")
        if len(self.findings) < FINDING_LIMIT:
            self.findings.append(found)
        return found

    def line(self, raw: bytes) -> None:
        """Take the next line of audit.jsonl, its newline included."""
        self.lines += 1
        try:
            if self.trailer:
                raise ValueError("it comes after the trailer")
            if trailer := raw.startswith(b'{"trailer"') and TRAILER.fullmatch(raw.decode()):
                self.trailer = trailer[1], int(trailer[2]), trailer[3]
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
            self.first = (data, own) if last is None and seq == 1 else self.first
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

    def finish(self, tenant: str = "", count: int = -1, head: str = "") -> None:
        """Compare with the trailer. A count below 0: there is none. No head: the end was not asked for."""
        total, origin = self.next - 1 + self.lost, genesis(tenant)
        for first, last in self.gaps:
            self.add("head_cut" if first == 1 else "missing", first, f"and all up to {last}")
        if self.first and count >= 0 and link(self.first[0], origin) != self.first[1]:
            self.broken.insert(0, self.add("edited", 1))
        breaks = sorted(found.seq for found in self.broken)
        if 1 in breaks:
            self.add("foreign_origin", 1)
        ends = head in [made.hex() for made in (self.last or origin, self.derived) if made]
        said = f"the trailer counts {count}"
        if count < 0:
            self.add("tail_cut", total + 1, "there is no trailer")
        elif count > total and ends and breaks:
            kind = "head_cut" if breaks[0] == 1 else "missing"
            self.add(kind, breaks[0], f"if the rest was renumbered; {said}")
        elif count > total:
            self.add("tail_cut", total + 1, said)
        elif count < total:
            self.add("inserted", count + 1, f"{said}; or the trailer was changed")
        elif head and not ends and not self.lost:
            self.add("edited", total, "or an earlier one with all later hashes, or the trailer's hash")
        self.findings.sort(key=lambda found: found.seq)


# --- reading and telling --------------------------------------------------------------------------------------


@contextmanager
def open_log(name: str) -> Iterator[IO[bytes]]:
    """The bytes of audit.jsonl, unpacked as they are read."""
    if name == "-":
        yield sys.stdin.buffer
        return
    path = Path(name) / "audit.jsonl" if Path(name).is_dir() else Path(name)
    with io.BufferedReader(io.FileIO(path), LINE_LIMIT) as file:
        if file.peek(2)[:2] != b"PK":
            yield file
            return
        with zipfile.ZipFile(file) as archive:
            logs = [each.compress_type for each in archive.infolist() if each.filename == "audit.jsonl"]
            if logs not in ([zipfile.ZIP_STORED], [zipfile.ZIP_DEFLATED]):
                raise ValueError("the zip does not hold exactly one audit.jsonl, stored or deflated")
            with archive.open("audit.jsonl") as member:
                yield io.BufferedReader(member, LINE_LIMIT)  # type: ignore[type-var]


def read_log(name: str, origin: bytes | None, first: int, last: int, show: bool) -> Check:
    """Check the lines first to last, and the trailer; of the others only the hash that the first one follows."""
    check, began = Check(origin), time.monotonic()
    try:
        with open_log(name) as file:
            for number, raw in enumerate(iter(partial(file.readline, LINE_LIMIT), b""), 1):
                if first <= number <= last or raw.startswith(b'{"trailer"') or len(raw) == LINE_LIMIT:
                    check.line(raw)
                else:
                    check.lines = check.entries = number
                    check.next = check.also = number + 1
                    check.last = parse_entry(raw)[2] if number == first - 1 else check.last
                if len(raw) == LINE_LIMIT or len(check.findings) == FINDING_LIMIT:
                    break
                if show and number % 20_000 == 0:
                    told = f"\r{number:,} entries, {number / (time.monotonic() - began):,.0f} a second "
                    print(told, end="", file=sys.stderr, flush=True)
        if show:
            print(file=sys.stderr)
    except UNREADABLE as error:
        check.add("malformed", check.lines + 1, f"cannot be read: {error}")
    tenant, count, head = check.trailer or ("", -1, "")
    check.finish(tenant, count, head if last >= count else "")
    wanted = first if last == sys.maxsize and first > 1 else last
    if check.next <= wanted < sys.maxsize:
        check.add("missing", check.next, "the log ends before the range that was asked for")
    return check


def report(check: Check, not_proven: list[str]) -> dict[str, Any]:
    """The verdicts of a finished check, as printed with --json."""
    verdicts = [{"kind": found.kind, "seq": found.seq} for found in check.findings]
    tenant, _, head = check.trailer or (None, 0, "")
    return {
        "ok": not verdicts,
        "count": check.entries,
        "head": check.last.hex() if check.last else head,
        "anchored": 0,
        "verdicts": verdicts or [{"kind": "intact", "seq": check.entries}],
        "not_proven": [*not_proven, *NOT_PROVEN],
        "tenant": tenant,
        "why": [f"{WHAT_FITS[found.kind]} {found.detail}".strip() for found in check.findings],
    }


def verify(name: str, first: int = 1, last: int = sys.maxsize, show: bool = False) -> dict[str, Any]:
    """The report on an export. Raises nothing, whatever the file holds; shows progress on stderr if asked."""
    check = read_log(name, None, first, last, show)
    again = name != "-" and (Path(name).is_file() or Path(name).is_dir())
    if again and check.trailer and check.findings:
        # The tenant stands at the end. Now that it is known, a second reading explains the beginning better.
        check = read_log(name, genesis(check.trailer[0]), first, last, show)
    whole = (first, last) == (1, sys.maxsize)
    return report(check, [] if whole else [f"entries outside of {first} to {last}"])


def as_text(report: dict[str, Any]) -> str:
    lines = [f"{report['count']:,} entries, tenant {report['tenant']}, last hash {report['head']}"]
    if report["ok"]:
        lines.append("INTACT: in this log nothing was edited, moved, put in or taken out after it was hashed")
    lines += [f"{v['kind']} {v['seq']:,}: {why}" for v, why in zip(report["verdicts"], report["why"])]
    return "\n".join([*lines, "Not proven:", *(f"- {what}" for what in report["not_proven"])])


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Verify an exported WorkReef audit log.")
    parser.add_argument("export", help="the zip, its folder, audit.jsonl, or - for audit.jsonl from a pipe")
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    parser.add_argument("--from", dest="first", metavar="N", type=int, default=1, help="first entry to check")
    parser.add_argument("--to", dest="last", metavar="M", type=int, default=sys.maxsize, help="and the last")
    given = parser.parse_args(arguments)
    if not 1 <= given.first <= given.last:
        parser.error("a range goes from 1 or more up to the same or more")
    if given.export != "-" and not Path(given.export).exists():
        parser.error(f"there is no {given.export}")
    found = verify(given.export, given.first, given.last, show=sys.stderr.isatty())
    print(json.dumps(found) if given.json else as_text(found))
    return 0 if found["ok"] else 1


if __name__ == "__main__":
    sys.exit(main())
