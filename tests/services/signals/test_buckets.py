"""Buckets of like lines: plain functions on plain values."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from workreef_app.services.door import Door
from workreef_app.services.signals import buckets, state
from workreef_app.services.signals.buckets import Bucket
from workreef_app.services.signals.miner import Miner
from workreef_app.services.signals.reader import Line
from workreef_app.services.tenancy.platform import Tenant
from workreef_app.services.vault.columns import using


def test_survivors_follow_to_the_end() -> None:
    assert buckets.survivors([(3, 2), (2, 1), (5, 1)]) == {3: 1, 2: 1, 5: 1}
    assert buckets.survivors([]) == {}


def test_the_pure_part_needs_no_database(door: Door, standing: list[Tenant]) -> None:
    kept = state.MinerState(0, Miner(), {})
    at = datetime(2026, 10, 1, 5, 59, tzinfo=UTC)
    with using(door.platform.keyring.cipher(standing[0].key)):
        found = buckets.mine(kept, [Line(at, f"disk {n} full", b"") for n in range(3)])
    ((key, bucket),) = found.items()
    assert key == (0, datetime(2026, 10, 1, 5, tzinfo=UTC))
    assert (bucket.lines, bucket.constant, bucket.total) == (3, 6, 9)


def test_buckets_of_joined_templates_are_added_up() -> None:
    hour = datetime(2026, 10, 1, 5, tzinfo=UTC)
    early, late = hour + timedelta(minutes=1), hour + timedelta(minutes=2)
    joined = buckets.follow({(1, hour): Bucket(late, late, 2, 4, 6), (2, hour): Bucket(early, early, 1, 2, 3)}, {2: 1})
    assert joined == {(1, hour): Bucket(early, late, 3, 6, 9)}
