"""The hash chain: chain_hash(n) = sha256(content(n) ‖ chain_hash(n - 1)).

The check itself is `verify.py`, the very file that customers run; here is what the app needs around it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from workreef_app.services.audit import verify

#: How many entries are checked between two reports of progress.
STEP = 2000


def genesis(tenant_id: UUID) -> bytes:
    """The hash before a tenant's first entry: sha256("workreef/audit/v1/" ‖ id, lower-case and hyphenated)."""
    return verify.genesis(str(tenant_id))


def link(content: str, previous: bytes) -> bytes:
    """The hash of an entry: sha256 over its content as UTF-8 and the 32 bytes of the hash before it."""
    return verify.link(content.encode(), previous)


@dataclass(frozen=True, slots=True)
class Step:
    """How far a walk has come. `report` is that of `verify.verify`, on the last step only."""

    checked: int
    findings: int
    report: dict[str, Any] | None = None


def walk(
    entries: Iterable[tuple[int, str, bytes]], tenant_id: UUID, *, count: int, head: bytes,
    anchors: verify.Anchors | None = None,
) -> Iterator[Step]:
    """Check a tenant's entries (number, content, chain hash) in their order, telling the progress.

    `count` and `head` are what the log's own head says, read before the entries. Stop iterating to cancel.
    `anchors` are the checkpoints that it is compared with; what lies after the last of them is no finding.
    """
    check = verify.Check(genesis(tenant_id), anchors)
    check.trailer = verify.Trailer(str(tenant_id), count, head.hex())
    for number, (seq, content, chain_hash) in enumerate(entries, 1):
        check.entry(seq, content.encode(), chain_hash, verify.canonical_fault(content))
        if number % STEP == 0:
            yield Step(number, len(check.findings))
        if len(check.findings) == verify.FINDING_LIMIT:
            break
    check.finish(check.trailer)
    yield Step(check.entries, len(check.findings), verify.report(check, verify.Asked("")))
