"""The audit export: a zip that a customer verifies without WorkReef.

Contract: `audit.jsonl` (a line an entry, then a trailer line), `checkpoints.txt` (signed notes; empty while
there are none), `keys.json` (the public keys of checkpoints), `verify.py`, `README.txt`.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import resources
from typing import BinaryIO, Final
from uuid import UUID

from workreef_app.services.audit import chain

README: Final = """\
This is an export of a WorkReef audit log.

  audit.jsonl      the log: one entry a line, in the order in which they were written, and a last line (the
                   trailer) with the tenant, the number of entries and the last hash
  checkpoints.txt  signed checkpoints of the log; empty if none were made
  keys.json        the public keys of the checkpoints' signatures
  verify.py        the program that checks all of this

To verify it, with Python 3.9 or newer and nothing else, on a machine that you trust:

  python verify.py EXPORT.zip

EXPORT.zip is this file; a folder with its files will do too. Exit status 0 means that everything was proven.
verify.py is short enough to be read before you run it. A copy that you fetched yourself, at another time, is
better evidence than the one that came with the log.

What is proven: each entry's chain_hash is the SHA-256 of its content and of the chain_hash before it, starting
from a value made from the tenant's id. If nothing is found, no entry of this file was edited, moved, put in or
taken out without making every later hash anew, and the log is this tenant's, from its first entry to the
trailer.

What is not proven by the chain alone: that nobody wrote the whole log anew, with all its hashes; that no entries
were cut from its end before this export was made; that everybody was given the same log. Only a checkpoint, or
an older export, kept where the log's keeper cannot change it can show these. And no log can prove that an
event which was never written did not happen.
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


def trailer_line(tenant_id: UUID, count: int, head: bytes) -> bytes:
    """The last line of `audit.jsonl`."""
    return f'{{"trailer":{{"tenant":"{tenant_id}","count":{count},"head":"{head.hex()}"}}}}\n'.encode()


def write_export(
    out: BinaryIO, *, tenant_id: UUID, entries: Iterable[tuple[int, str, bytes]], readme: str | None = None
) -> ExportSummary:
    """Write the export of a log, given as (number, content, chain hash), as it comes, to `out`.

    `out` need not be seekable. Memory does not grow with the log. What is written is what was given: a fault
    in the log is for the verifier to find, so a broken log can be exported too.
    """
    count, head = 0, chain.genesis(tenant_id)
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        with archive.open("audit.jsonl", "w", force_zip64=True) as log:
            for seq, content, chain_hash in entries:
                log.write(entry_line(seq, content, chain_hash))
                count, head = count + 1, chain_hash
            log.write(trailer_line(tenant_id, count, head))
        archive.writestr("checkpoints.txt", "")
        archive.writestr("keys.json", "[]\n")
        archive.writestr("verify.py", verifier_source())
        archive.writestr("README.txt", README if readme is None else readme)
    return ExportSummary(count, head)


def verifier_source() -> bytes:
    """The verifier that customers run, byte for byte the module that the app runs."""
    return resources.files("workreef_app.services.audit").joinpath("verify.py").read_bytes()
