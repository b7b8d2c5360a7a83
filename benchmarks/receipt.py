"""How fast a receipt is made from a long log: `python -m benchmarks.receipt [--entries 1000000] [--json]`.

The log is written in bulk, by the server's owner, with its chain. Then a checkpoint over all of it is made, which
builds the whole tree once; another after a hundred entries more; and receipts of entries drawn at random.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.verify import contents
from workreef_app import settings
from workreef_app.services.audit import chain
from workreef_app.services.door import Caller, Door
from workreef_app.services.process import opened
from workreef_app.services.tenancy import server
from workreef_app.services.tenancy.platform import Platform, Tenant
from workreef_app.services.tenancy.tenants import create_tenant

RECEIPTS = 200
#: Contents are made so many at a time, and repeated: only their hashes must differ, and they do.
DIFFERENT = 20_000


def fill(platform: Platform, tenant: Tenant, entries: int) -> None:
    """Puts entries into a tenant's log in bulk, after those that it has."""
    said = list(contents(DIFFERENT))
    with server.admin(platform.url, str(tenant.url.database)) as connection:
        seq, last = connection.exec_driver_sql("SELECT seq, chain_hash FROM audit_head").one()

        def rows() -> Iterator[tuple[int, str, bytes]]:
            nonlocal last
            for number in range(seq + 1, seq + entries + 1):
                content = said[number % DIFFERENT]
                last = chain.link(content, bytes(last))
                yield number, content, last

        driver = connection.connection.driver_connection
        assert driver is not None
        with driver.cursor() as cursor, cursor.copy("COPY audit_entry (seq, content, chain_hash) FROM STDIN") as copy:
            for row in rows():
                copy.write_row(row)
        connection.exec_driver_sql("UPDATE audit_head SET seq = %s, chain_hash = %s", (seq + entries, bytes(last)))
        connection.exec_driver_sql("ANALYZE audit_entry")


def seconds(door: Door, caller: Caller, name: str, payload: dict[str, int]) -> float:
    """The time that one operation takes, the door and all."""
    began = time.perf_counter()
    door.perform(caller, name, payload)
    return time.perf_counter() - began


def measure(door: Door, entries: int) -> dict[str, float]:
    """Milliseconds for a receipt, seconds for checkpoints, on a log of so many entries."""
    create_tenant(door.platform, slug="long", name="Long")
    tenant = door.platform.tenant("long")
    caller, rng = Caller(tenant, "bench", cli_user="bench"), random.Random(1)
    fill(door.platform, tenant, entries)
    first = seconds(door, caller, "audit.checkpoint", {})
    fill(door.platform, tenant, 100)
    second = seconds(door, caller, "audit.checkpoint", {})
    times = sorted(seconds(door, caller, "audit.receipt", {"seq": rng.randint(1, entries)}) for _ in range(RECEIPTS))
    return {
        "entries": entries, "first_checkpoint_seconds": round(first, 2), "checkpoint_ms": round(1000 * second, 1),
        "receipt_ms": round(1000 * statistics.median(times), 1),
        "receipt_p95_ms": round(1000 * times[int(0.95 * RECEIPTS)], 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure how fast receipts are made.")
    parser.add_argument("--entries", type=int, default=1_000_000)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="workreef-bench-") as folder:
        own = settings.Settings(data_dir=Path(folder) / "data", env=settings.Environment.DEVELOPMENT)
        with opened(own) as door:
            found = measure(door, given.entries)
    if given.json:
        print(json.dumps(found))
    else:
        print(
            f"receipts: {found['receipt_ms']} ms, p95 {found['receipt_p95_ms']} ms at {given.entries:,} entries; "
            f"the first checkpoint {found['first_checkpoint_seconds']} s, another {found['checkpoint_ms']} ms"
        )


if __name__ == "__main__":
    main()
