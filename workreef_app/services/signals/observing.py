"""Observations of a batch into the database: one statement, whatever their number."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select, text
from sqlalchemy.orm import Session
from sqlmodel import col
from uuid_utils.compat import uuid7

from workreef_app.services.signals.buckets import Bucket
from workreef_app.services.signals.models import Observation, Source
from workreef_app.services.vault.cipher import SUMMARY_SEALED
from workreef_app.services.vault.columns import sealed_value

# A row at a time would be half of an import's time. Sealed summaries, all of one length, go as one string of bytes, and
# the rest as the text of arrays, as in `importing`.
_UPSERT = text(f"""
INSERT INTO observation AS o (id, source_id, signal_id, department_id, hour, lines, constant_tokens, total_tokens,
  first_at, last_at, summary)
SELECT u.id, :source_id, u.signal_id, :department_id, u.hour, u.lines, u.constant_tokens, u.total_tokens, u.first_at,
  u.last_at, substring(CAST(:summaries AS bytea)
    FROM {SUMMARY_SEALED} * CAST(u.n AS int) - {SUMMARY_SEALED - 1} FOR {SUMMARY_SEALED})
FROM unnest(CAST(:id AS uuid[]), CAST(:signal_id AS uuid[]), CAST(:hour AS timestamptz[]), CAST(:lines AS bigint[]),
  CAST(:constant_tokens AS bigint[]), CAST(:total_tokens AS bigint[]), CAST(:first_at AS timestamptz[]),
  CAST(:last_at AS timestamptz[])) WITH ORDINALITY
  AS u(id, signal_id, hour, lines, constant_tokens, total_tokens, first_at, last_at, n)
ON CONFLICT (signal_id, hour) DO UPDATE SET
  lines = o.lines + excluded.lines, constant_tokens = o.constant_tokens + excluded.constant_tokens,
  total_tokens = o.total_tokens + excluded.total_tokens,
  first_at = least(o.first_at, excluded.first_at), last_at = greatest(o.last_at, excluded.last_at)
""")  # nosec B608: the only thing put in is the length of a sealed summary
_ARRAYS = ("id", "signal_id", "hour", "lines", "constant_tokens", "total_tokens", "first_at", "last_at")


def store(
    session: Session, source: Source, signals: Mapping[int, UUID], buckets: Mapping[tuple[int, datetime], Bucket],
    summaries: Mapping[int, str],
) -> None:
    """Adds the buckets to the hours' observations; the summary is the one first written."""
    _upsert(session, source, [
        {
            "id": uuid7(), "signal_id": signals[template], "hour": hour, "lines": bucket.lines,
            "constant_tokens": bucket.constant, "total_tokens": bucket.total, "first_at": bucket.first_at,
            "last_at": bucket.last_at, "summary": summaries[template],
        }
        for (template, hour), bucket in sorted(buckets.items())
    ])


def move(session: Session, source: Source, old: UUID, new: UUID) -> None:
    """Adds what one signal has to another's hours."""
    columns = ("hour", "lines", "constant_tokens", "total_tokens", "first_at", "last_at", "summary")
    wanted = select(*(getattr(Observation, name) for name in columns))
    rows = session.execute(wanted.where(col(Observation.signal_id) == old))
    moved = [dict(row._mapping) | {"signal_id": new, "id": uuid7()} for row in rows]
    session.execute(delete(Observation).where(col(Observation.signal_id) == old))
    _upsert(session, source, moved)


def _upsert(session: Session, source: Source, rows: list[dict[str, Any]]) -> None:
    if not rows:
        return
    summary = Observation.metadata.tables["observation"].c.summary
    session.flush()  # the signals first, of which these are
    session.execute(_UPSERT, {
        "source_id": source.id, "department_id": source.department_id,
        "summaries": b"".join([sealed_value(summary, row["summary"]) for row in rows]),
        **{name: array(row[name] for row in rows) for name in _ARRAYS},
    })


def array(values: Iterable[object]) -> str:
    """The text of an array of numbers, ids or times, none of which needs more than quotes."""
    return "{" + ",".join([f'"{value}"' for value in values]) + "}"
