"""Sixteen processes append and are killed at random while the log is verified and checkpointed: no false alarm.

    python -m tests.services.audit.soak --seconds 600
"""

from __future__ import annotations

import argparse
import random
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from tests.services.conftest import conninfo
from workreef_app import settings
from workreef_app.services.audit import verify
from workreef_app.services.door import Caller, Door
from workreef_app.services.process import opened
from workreef_app.services.tenancy.platform import Tenant
from workreef_app.services.tenancy.tenants import create_tenant

WRITERS = 16
#: A writer: appends entry after entry, some in transactions of several, some rolled back, until it is killed.
WRITER = """
import random, sys, psycopg
address, seed = sys.argv[1:]
rng = random.Random(seed)
with psycopg.connect(address) as connection:
    while True:
        try:
            with connection.transaction():
                for _ in range(rng.choice([1, 1, 1, 5])):
                    said = '{"actor":"soak","detail":{"n":%d},"event":"data.read"}' % rng.randrange(10**9)
                    connection.execute("SELECT audit_append(%s)", (said,))
                if rng.random() < 0.1:
                    raise ZeroDivisionError
        except ZeroDivisionError:
            pass
"""


@dataclass
class Outcome:
    """What was done, and every verdict that accused a sound log."""

    verifications: int = 0
    checkpoints: int = 0
    killed: int = 0
    entries: int = 0
    false_alarms: list[str] = field(default_factory=list)


def _writer(tenant: Tenant, number: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-I", "-c", WRITER, conninfo(tenant.url), str(number)])


def run(door: Door, tenant: Tenant, seconds: float, folder: Path, seed: int = 1) -> Outcome:
    """Appends, kills, verifies and makes checkpoints for so many seconds; at the end an export is verified whole."""
    rng, outcome, until = random.Random(seed), Outcome(), time.monotonic() + seconds
    caller = Caller(tenant, "soak", cli_user="soak")
    writers = [_writer(tenant, number) for number in range(WRITERS)]
    known = ""
    try:
        while time.monotonic() < until:
            victim = rng.randrange(WRITERS)
            writers[victim].send_signal(signal.SIGKILL)
            writers[victim].wait()
            outcome.killed += 1
            writers[victim] = _writer(tenant, rng.randrange(10**6))
            made = door.perform(caller, "audit.checkpoint", {})
            outcome.checkpoints += 1
            found = door.perform(caller, "audit.verify", {"known": known or made.note})
            known = rng.choice([known, made.note])
            outcome.verifications += 1
            outcome.entries = found.count
            if not found.ok:
                outcome.false_alarms.append(f"{found.verdicts[:3]} of {found.count}")
    finally:
        for writer in writers:
            writer.kill()
            writer.wait()
    result = door.perform(caller, "audit.export", {})
    result.path.replace(folder / "export.zip")
    kept = (verify.parse_note(known),) if known else ()
    report = verify.verify(str(folder / "export.zip"), known=kept, every=True)
    outcome.verifications += 1
    if not report["ok"]:
        outcome.false_alarms.append(f"{report['verdicts'][:3]} of the export")
    return outcome


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=600)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="workreef-audit-soak-") as folder:
        with opened(settings.Settings(data_dir=Path(folder) / "data", env=settings.Environment.DEVELOPMENT)) as door:
            create_tenant(door.platform, slug="soak", name="Soak")
            outcome = run(door, door.platform.tenant("soak"), given.seconds, Path(folder))
    print(f"{outcome.entries:,} entries of {WRITERS} processes, {outcome.killed} killed, {outcome.checkpoints} signed,"
          f" {outcome.verifications} verifications, {len(outcome.false_alarms)} false alarms")  # fmt: skip
    print("\n".join(outcome.false_alarms[:20]))
    raise SystemExit(1 if outcome.false_alarms else 0)


if __name__ == "__main__":
    main()
