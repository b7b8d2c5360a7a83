"""One batch of lines into observations: dedupe, mine, bucket by hour, store. Raw text ends here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from uuid import UUID

from sqlalchemy import case, delete, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session
from sqlmodel import col
from uuid_utils.compat import uuid7

from workreef_app.services.signals import observing, state
from workreef_app.services.signals.buckets import follow, mine, survivors
from workreef_app.services.signals.lines import Seen, count, digest
from workreef_app.services.signals.miner import Template
from workreef_app.services.signals.miner import text as template_text
from workreef_app.services.signals.models import ImportRun, Signal, Source
from workreef_app.services.signals.reader import Line
from workreef_app.services.vault.columns import index


@dataclass(frozen=True, slots=True)
class BatchResult:
    """How many lines of a batch were new, how many were known, and the signals whose observations it changed."""

    added: int
    repeated: int
    touched: frozenset[UUID]


def new_lines(session: Session, run: ImportRun, lines: Sequence[Line]) -> list[Line]:
    """The lines of the batch that no earlier import of the source counted; remembers all of them."""
    key = index("seen_line", "digest", str(run.source_id))
    digests = [digest(sha256(line.raw).digest(), key) for line in lines]
    different = set(digests)
    rows = session.execute(
        _KNOWN, {"source_id": run.source_id, "digests": b"".join(different), "last": len(different) - 1}
    )
    known = {bytes(row.digest): Seen(row.lines, row.run_id, row.run_lines) for row in rows}
    after, room = count(digests, known, run.id)
    _remember(session, run, after)
    fresh: list[Line] = []
    for line, line_digest in zip(lines, digests, strict=True):
        if room[line_digest] > 0:
            room[line_digest] -= 1
            fresh.append(line)
    return fresh


# One statement for a batch: a row at a time would be most of an import's time. Digests go as one string of bytes, and
# numbers as the text of an array: writing out arrays of either took longer than the statement itself.
_KNOWN = text("""
SELECT s.digest, s.lines, s.run_id, s.run_lines
FROM (SELECT substring(CAST(:digests AS bytea) FROM 16 * n + 1 FOR 16) AS digest
      FROM generate_series(0, CAST(:last AS int)) AS n) AS u
JOIN seen_line s ON s.source_id = :source_id AND s.digest = u.digest
""")
_REMEMBER = text("""
INSERT INTO seen_line (source_id, digest, lines, run_id, run_lines)
SELECT :source_id, substring(CAST(:digests AS bytea) FROM 16 * CAST(u.n AS int) - 15 FOR 16), u.lines, :run_id,
  u.run_lines
FROM unnest(CAST(:lines AS int[]), CAST(:run_lines AS int[])) WITH ORDINALITY AS u(lines, run_lines, n)
ON CONFLICT (source_id, digest)
DO UPDATE SET lines = excluded.lines, run_id = excluded.run_id, run_lines = excluded.run_lines
""")


def _remember(session: Session, run: ImportRun, after: dict[bytes, Seen]) -> None:
    if not after:
        return
    known = sorted(after.items())
    session.execute(_REMEMBER, {
        "source_id": run.source_id, "run_id": run.id, "digests": b"".join([line for line, _ in known]),
        "lines": observing.array(seen.lines for _, seen in known),
        "run_lines": observing.array(seen.run_lines for _, seen in known),
    })


def store_signals(session: Session, source: Source, kept: state.MinerState, templates: Iterable[Template]) -> None:
    """Writes new and changed templates as signals."""
    rows = []
    for template in templates:
        signal_id = kept.signals.setdefault(template.id, uuid7())
        rows.append({
            "id": signal_id, "source_id": source.id, "department_id": source.department_id,
            "template_id": template.id, "template": state.encode(template),
            "times": 0, "days": 0, "hours": 0, "constant_tokens": 0, "total_tokens": 0,
        })
    if rows:
        statement = insert(Signal)
        session.execute(
            statement.on_conflict_do_update(
                index_elements=[col(Signal.source_id), col(Signal.template_id)],
                set_={"template": statement.excluded.template}
            ),
            rows,
        )


def merge_signals(session: Session, source: Source, kept: state.MinerState, final: dict[int, int]) -> None:
    """Moves what was stored under a template that went into another, which takes over its task if it has none."""
    for old, new in final.items():
        source_signal = kept.signals.pop(old, None)
        target = kept.signals.get(new)
        if source_signal is None or target is None:
            continue
        observing.move(session, source, source_signal, target)
        old_task = session.scalar(select(col(Signal.task_id)).where(col(Signal.id) == source_signal))
        session.execute(
            update(Signal).where(col(Signal.id) == target)
            .values(task_id=case((col(Signal.task_id).is_(None), old_task), else_=col(Signal.task_id)))
        )
        session.execute(delete(Signal).where(col(Signal.id) == source_signal))


def add_batch(
    session: Session, tenant_id: UUID, source: Source, run: ImportRun, lines: Sequence[Line]
) -> BatchResult:
    """Counts a batch of lines. The source row must be locked by the caller."""
    fresh = new_lines(session, run, lines)
    kept = state.take(session, tenant_id, source)
    buckets = mine(kept, fresh)
    final = survivors(kept.miner.merges)
    kept.miner.merges.clear()
    changed = {template.id: template for template in kept.miner.changed()}
    store_signals(session, source, kept, changed.values())
    merge_signals(session, source, kept, final)
    summaries = {template.id: template_text(template) for template in changed.values()}
    joined = follow(buckets, final)
    observing.store(session, source, kept.signals, joined, summaries)
    source.revision += 1
    newest = max((bucket.last_at for bucket in joined.values()), default=None)
    if newest is not None:
        source.as_of = max(newest, source.as_of) if source.as_of else newest
    session.add(source)
    state.put(session, tenant_id, source, kept)
    templates = {template for template, _ in joined} | set(final.values())
    touched = frozenset(kept.signals[template] for template in templates if template in kept.signals)
    return BatchResult(len(fresh), len(lines) - len(fresh), touched)
