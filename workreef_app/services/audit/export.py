"""The audit export: a zip that a customer verifies without WorkReef.

Contract: `audit.jsonl` (a line an entry, then a trailer line), `checkpoints.txt` (signed notes, a blank line
between), `keys.json` (the public keys of checkpoints), `verify.py`, `README.txt`.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import BinaryIO, Final
from uuid import UUID

from workreef_app.services.audit import chain, notes, verify

README: Final = """\
This is an export of a WorkReef audit log.

  audit.jsonl      the log: one entry a line, in the order in which they were written, and a last line (the
                   trailer) with the tenant, the number of entries and the last hash
  checkpoints.txt  signed checkpoints of the log (C2SP signed notes), a blank line between
  keys.json        the public keys of the checkpoints' signatures
  verify.py        the program that checks all of this

To verify it, with Python 3.9 or newer and nothing else, on a machine that you trust:

  python verify.py EXPORT.zip

EXPORT.zip is this file; a folder with its files will do too. Exit status 0 means that everything was proven.
verify.py is short enough to be read before you run it. A copy that you fetched yourself, at another time, is
better evidence than the one that came with the log.

What is proven: each entry's chain_hash is the SHA-256 of its content and of the chain_hash before it, starting
from a value made from the tenant's id; and every checkpoint is a signed root of the tree over the entries that it
covers. If nothing is found, no entry of this file was edited, moved, put in or taken out, none was cut from its
end, and the log was not written anew after a checkpoint was signed, unless by whoever holds the signing key.

What is not proven by this file alone: that it is not an older copy; that everybody was given the same log; whose
the keys in keys.json are. Give the verifier a checkpoint that you kept elsewhere (--known), and a key that you
were given elsewhere (--key). And no log can prove that an event which was never written did not happen.
"""


@dataclass(frozen=True, slots=True)
class ExportSummary:
    """What an export holds: how many entries, and the last hash (the tenant's first hash if there are none)."""

    count: int
    head: bytes


def entry_line(seq: int, content: str, chain_hash: bytes) -> bytes:
    """The line of an entry in `audit.jsonl`, newline included: the one form that the verifier takes."""
    literal = json.dumps(content, ensure_ascii=False)
    return f'{{"seq":{seq},"content":{literal},"chain_hash":"{chain_hash.hex()}"}}\n'.encode()


@dataclass(frozen=True, slots=True)
class Part:
    """What the export of a range tells of the rest: its first entry, the chain's hash before it, and the roots of the
    subtrees before it and after its last entry that make up the tree of its checkpoint."""

    first: int
    previous: bytes
    before: Sequence[bytes]
    after: Sequence[bytes]


def trailer_line(tenant_id: UUID, count: int, head: bytes, part: Part | None = None) -> bytes:
    """The last line of `audit.jsonl`."""
    trailer = verify.Trailer(str(tenant_id), count, head.hex())
    if part is not None:
        trailer.first, trailer.previous = part.first, part.previous.hex()
        trailer.before, trailer.after = [h.hex() for h in part.before], [h.hex() for h in part.after]
    return trailer.line()


def write_export(
    out: BinaryIO, *, tenant_id: UUID, entries: Iterable[tuple[int, str, bytes]], checkpoints: Iterable[str] = (),
    keys: Iterable[verify.Key] = (), part: Part | None = None, readme: str | None = None,
) -> ExportSummary:
    """Write the export of a log, given as (number, content, chain hash), as it comes, to `out`.

    `checkpoints` are signed notes by size. `out` need not be seekable. Memory does not grow with the log. What is
    written is what was given: a fault in the log is for the verifier to find, so a broken log can be exported too.
    """
    count, head = 0, part.previous if part else chain.genesis(tenant_id)
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        with archive.open("audit.jsonl", "w", force_zip64=True) as log:
            for seq, content, chain_hash in entries:
                log.write(entry_line(seq, content, chain_hash))
                count, head = count + 1, chain_hash
            log.write(trailer_line(tenant_id, count, head, part))
        with archive.open("checkpoints.txt", "w", force_zip64=True) as file:
            for number, note in enumerate(checkpoints):
                file.write((f"\n{note}" if number else note).encode())
        archive.writestr("keys.json", notes.keys_json(keys))
        archive.writestr("verify.py", verifier_source())
        archive.writestr("README.txt", README if readme is None else readme)
    return ExportSummary(count, head)


def verifier_source() -> bytes:
    """The verifier that customers run, byte for byte the module that the app runs."""
    return resources.files("workreef_app.services.audit").joinpath("verify.py").read_bytes()
