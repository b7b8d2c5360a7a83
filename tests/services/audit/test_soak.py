"""The short form of the audit soak: while many processes append and die, nothing sound is accused."""

from __future__ import annotations

from pathlib import Path

from tests.services.audit import soak
from workreef_app.services.door import Door
from workreef_app.services.tenancy.platform import Tenant


def test_nothing_sound_is_accused_while_processes_append_and_die(door: Door, tenant: Tenant, tmp_path: Path) -> None:
    outcome = soak.run(door, tenant, 5.0, tmp_path)
    assert outcome.false_alarms == []
    assert outcome.entries > 100, "they did append"
    assert min(outcome.killed, outcome.checkpoints, outcome.verifications) >= 2
