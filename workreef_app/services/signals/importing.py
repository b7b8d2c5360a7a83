"""One batch of lines into observations: dedupe, mine, bucket by hour, store. Raw text ends here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

from sqlalchemy import case, delete, func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session
from sqlmodel import col
from uuid_utils.compat import uuid7

from workreef_app.services.signals import state
from workreef_app.services.signals.lines import Seen, count, digest
from workreef_app.services.signals.miner import Template
from workreef_app.services.signals.miner import text as template_text
from workreef_app.services.signals.models import ImportRun, Observation, Signal, Source
from workreef_app.services.signals.reader import Line
from workreef_app.services.vault.columns import index


@dataclass(slots=True)
class Bucket:
    """Like lines of one hour, while they are counted."""

    first_at: datetime
    last_at: datetime
    lines: int = 0
    constant: int = 0
    total: int = 0

    def add(self, at: datetime, constant: int, total: int) -> None:
        self.lines += 1
        self.constant += constant
        self.total += total
        self.first_at = min(self.first_at, at)
        self.last_at = max(self.last_at, at)


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
        "lines": _array(seen.lines for _, seen in known), "run_lines": _array(seen.run_lines for _, seen in known),
    })


def _array(numbers: Iterable[int]) -> str:
    return f"{{{','.join(map(str, numbers))}}}"


def mine(kept: state.MinerState, lines: Iterable[Line]) -> dict[tuple[int, datetime], Bucket]:
    """Buckets by template and hour, under the templates' ids as they are after the batch."""
    buckets: dict[tuple[int, datetime], Bucket] = {}
    for line in lines:
        match = kept.miner.add(line.message)
        at = line.at.astimezone(UTC)
        key = (match.template, at.replace(minute=0, second=0, microsecond=0))
        bucket = buckets.get(key)
        if bucket is None:
            bucket = buckets[key] = Bucket(at, at)
        bucket.add(at, match.constant, match.total)
    return buckets


def survivors(merges: Iterable[tuple[int, int]]) -> dict[int, int]:
    """For every template that went into another, the one that remains in the end."""
    final: dict[int, int] = {}
    for old, new in merges:
        for key, target in final.items():
            if target == old:
                final[key] = new
        final[old] = new
    return final


def follow(buckets: dict[tuple[int, datetime], Bucket], final: dict[int, int]) -> dict[tuple[int, datetime], Bucket]:
    """The same buckets under the surviving templates."""
    joined: dict[tuple[int, datetime], Bucket] = {}
    for (template, hour), bucket in buckets.items():
        key = (final.get(template, template), hour)
        into = joined.get(key)
        if into is None:
            joined[key] = bucket
            continue
        into.lines += bucket.lines
        into.constant += bucket.constant
        into.total += bucket.total
        into.first_at = min(into.first_at, bucket.first_at)
        into.last_at = max(into.last_at, bucket.last_at)
    return joined


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


def store_observations(
    session: Session, source: Source, kept: state.MinerState,
    buckets: dict[tuple[int, datetime], Bucket], summaries: dict[int, str],
) -> None:
    """Adds the buckets to the hours' observations; the summary is the one first written."""
    if not buckets:
        return
    _upsert_observations(session, [
        {
            "id": uuid7(), "source_id": source.id, "signal_id": kept.signals[template],
            "department_id": source.department_id, "hour": hour, "lines": b.lines,
            "constant_tokens": b.constant, "total_tokens": b.total, "first_at": b.first_at,
            "last_at": b.last_at, "summary": summaries[template],
        }
        for (template, hour), b in sorted(buckets.items())
    ])


def _upsert_observations(session: Session, rows: list[dict[str, Any]]) -> None:
    statement = insert(Observation)
    new = statement.excluded
    session.execute(
        statement.on_conflict_do_update(
            index_elements=[col(Observation.signal_id), col(Observation.hour)],
            set_={
                "lines": col(Observation.lines) + new.lines,
                "constant_tokens": col(Observation.constant_tokens) + new.constant_tokens,
                "total_tokens": col(Observation.total_tokens) + new.total_tokens,
                "first_at": func.least(col(Observation.first_at), new.first_at),
                "last_at": func.greatest(col(Observation.last_at), new.last_at),
            },
        ),
        rows,
    )


def merge_signals(session: Session, kept: state.MinerState, final: dict[int, int]) -> None:
    """Moves what was stored under a template that went into another, which takes over its task if it has none."""
    for old, new in final.items():
        source_signal = kept.signals.pop(old, None)
        target = kept.signals.get(new)
        if source_signal is None or target is None:
            continue
        _move_observations(session, source_signal, target)
        old_task = session.scalar(select(col(Signal.task_id)).where(col(Signal.id) == source_signal))
        session.execute(
            update(Signal).where(col(Signal.id) == target)
            .values(task_id=case((col(Signal.task_id).is_(None), old_task), else_=col(Signal.task_id)))
        )
        session.execute(delete(Signal).where(col(Signal.id) == source_signal))


def _move_observations(session: Session, old: UUID, new: UUID) -> None:
    columns = ("id", "source_id", "department_id", "hour", "lines", "constant_tokens", "total_tokens", "first_at",
               "last_at", "summary")
    wanted = select(*(getattr(Observation, name) for name in columns))
    rows = session.execute(wanted.where(col(Observation.signal_id) == old))
    moved = [dict(row._mapping) | {"signal_id": new, "id": uuid7()} for row in rows]
    session.execute(delete(Observation).where(col(Observation.signal_id) == old))
    if moved:
        _upsert_observations(session, moved)


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
    merge_signals(session, kept, final)
    summaries = {template.id: template_text(template) for template in changed.values()}
    joined = follow(buckets, final)
    store_observations(session, source, kept, joined, summaries)
    source.revision += 1
    newest = max((bucket.last_at for bucket in joined.values()), default=None)
    if newest is not None:
        source.as_of = max(newest, source.as_of) if source.as_of else newest
    session.add(source)
    state.put(session, tenant_id, source, kept)
    templates = {template for template, _ in joined} | set(final.values())
    touched = frozenset(kept.signals[template] for template in templates if template in kept.signals)
    return BatchResult(len(fresh), len(lines) - len(fresh), touched)
