"""Lines into buckets of a template and an hour, as plain functions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from workreef_app.services.signals import state
from workreef_app.services.signals.reader import Line


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
