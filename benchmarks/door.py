"""What the door adds to an operation: `python -m benchmarks.door [--calls 1000] [--json]`.

People with sessions read the list of sources through the door (session, limit, validation, connection, scope,
persona, audit entry on disk); in turns with that, the same operation's function runs alone, in an open transaction
on the same engine whose scope is set already. Medians of all calls.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
from functools import partial
from itertools import cycle, islice
from pathlib import Path

from benchmarks import worlds
from workreef_app.commands import importing
from workreef_app.services.door import Door
from workreef_app.services.jobs.kinds import Queue
from workreef_app.services.signals.models import SourceKind
from workreef_app.services.signals.receiving import StartImport
from workreef_app.services.tenancy.platform import Tenant
from workreef_app.services.workers.process import helping

WANTED_MS = 3.0
LINES = 2000
WARM = 20
#: Fewer calls a person than the limit of a minute allows.
CALLS_EACH = 200


def fill(door: Door, tenant: Tenant) -> None:
    """Two departments, each with a source that has been imported into."""
    admin = worlds.admin(tenant)
    with tempfile.TemporaryDirectory() as folder, helping(door, [Queue.BULK]):
        log = Path(folder) / "service.log"
        worlds.write_log(log, LINES)
        for slug in ("claims", "dispatch"):
            door.perform(admin, "departments.create", {"slug": slug, "name": slug.title()})
            command = StartImport(kind=SourceKind.LOG_FILE, file_name=log.name, department=slug)
            importing.import_log(door, admin, [log.read_bytes()], command)


def measure(door: Door, calls: int) -> dict[str, float]:
    """Medians of both, in milliseconds, and their difference."""
    tenant = worlds.tenant(door, "bench")
    fill(door, tenant)
    readers = worlds.people(door, tenant, "change_leader", -(-(calls + WARM) // CALLS_EACH))
    pairs = [
        (
            worlds.seconds(partial(door.perform, reader, "sources.list", {})),
            worlds.bare_seconds(door, reader, "sources.list", {}),
        )
        for reader in islice(cycle(readers), calls + WARM)
    ][WARM:]
    through, bare = (1000 * statistics.median(times) for times in zip(*pairs, strict=True))
    return {
        "calls": calls, "door_ms": round(through, 2), "bare_ms": round(bare, 2),
        "overhead_ms": round(1000 * statistics.median(door - bare for door, bare in pairs), 2),
        "wanted_ms": WANTED_MS,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure what the door adds to an operation.")
    parser.add_argument("--calls", type=int, default=1000)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    with worlds.platform() as door:
        found = measure(door, given.calls)
    if given.json:
        print(json.dumps(found))
        return
    print(
        f"door: sources.list {found['door_ms']} ms, its bare query {found['bare_ms']} ms:"
        f" {found['overhead_ms']} ms more (wanted at most {found['wanted_ms']})"
    )


if __name__ == "__main__":
    main()
