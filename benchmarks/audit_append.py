"""How fast entries are chained: `python -m benchmarks.audit_append [--entries 4000] [--json]`.

Sixteen writers, each a connection as the tenant's app role, commit one entry a transaction through `audit_append`
and wait for the disk with a flush that they share, as the units of work of one process do;
in the same run the same writers insert the same rows into a plain table of the same databases. Once with all writers
on one tenant, once spread over eight. Medians of five rounds, in turns.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import threading
import time
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

import psycopg

from benchmarks.verify import contents
from workreef_app import settings
from workreef_app.services.audit.flushing import SharedFlush
from workreef_app.services.process import opened
from workreef_app.services.tenancy import server
from workreef_app.services.tenancy.platform import Platform
from workreef_app.services.tenancy.tenants import create_tenant

WRITERS = 16
ROUNDS = 5
WANTED = {1: 0.3, 8: 0.65}
PLAIN = """
CREATE TABLE plain_entry (
    seq BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, content TEXT NOT NULL, chain_hash BYTEA NOT NULL
)
"""
APPEND = "SELECT audit_append(%(content)s)"
FLUSH = "SELECT pg_logical_emit_message(true, 'workreef', '')"
INSERT = "INSERT INTO plain_entry (content, chain_hash) VALUES (%(content)s, %(hash)s)"

Row = dict[str, str | bytes]


def prepare(platform: Platform, slug: str) -> str:
    """Makes a tenant with a plain table beside its audit log; returns its app role's address."""
    row = create_tenant(platform, slug=slug, name=slug)
    with server.admin(platform.url, row.database) as connection:
        connection.exec_driver_sql(f"SET ROLE {server.owner_role(row.database)}")
        connection.exec_driver_sql(PLAIN)
        connection.exec_driver_sql(f"GRANT INSERT ON plain_entry TO {server.app_role(row.database)}")
    return platform.tenant(slug).url.set(drivername="postgresql").render_as_string(hide_password=False)


def rate(urls: Sequence[str], statement: str, rows: Sequence[Row]) -> float:
    """Entries a second of all writers together, each with its share of the rows, from a common start."""
    barrier = threading.Barrier(WRITERS + 1)
    shared = SharedFlush()

    def write(number: int) -> None:
        with psycopg.connect(urls[number % len(urls)], autocommit=True) as connection:
            connected = time.monotonic()
            barrier.wait()
            for row in rows[number::WRITERS]:
                began = time.monotonic()
                connection.execute(statement, row, prepare=True)
                if statement is APPEND:
                    shared.wait(lambda: connection.execute(FLUSH, prepare=True), connected=connected, began=began)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(WRITERS)]
    for thread in threads:
        thread.start()
    barrier.wait()
    began = time.perf_counter()
    for thread in threads:
        thread.join()
    return len(rows) / (time.perf_counter() - began)


def compare(urls: Sequence[str], rows: Sequence[Row]) -> dict[str, float]:
    """Medians of the two rates and of their ratio."""
    pairs = [(rate(urls, APPEND, rows), rate(urls, INSERT, rows)) for _ in range(ROUNDS)]
    return {
        "tenants": len(urls),
        "appends_per_second": round(statistics.median(append for append, _ in pairs)),
        "inserts_per_second": round(statistics.median(insert for _, insert in pairs)),
        "ratio": round(statistics.median(append / insert for append, insert in pairs), 3),
        "wanted": WANTED[len(urls)],
    }


def measure(entries: int) -> dict[str, object]:
    """Both comparisons, on a Postgres of their own."""
    rows: list[Row] = [{"content": content, "hash": sha256(content.encode()).digest()} for content in contents(entries)]
    with tempfile.TemporaryDirectory() as folder:
        own = settings.load(data_dir=Path(folder), env="development", database_url="", platform_key="local:platform")
        with opened(own) as door:
            urls = [prepare(door.platform, f"bench{number}") for number in range(max(WANTED))]
            found = [compare(urls[:count], rows) for count in WANTED]
    return {"entries": entries, "writers": WRITERS, "runs": found}


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure the speed of appending to the audit log.")
    parser.add_argument("--entries", type=int, default=4000)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    found = measure(given.entries)
    if given.json:
        print(json.dumps(found))
        return
    for run in found["runs"]:  # type: ignore[attr-defined]
        print(
            f"audit append, {WRITERS} writers, {run['tenants']} tenant{'s' if run['tenants'] > 1 else ''}:"
            f" {run['appends_per_second']:,} a second (plain INSERT {run['inserts_per_second']:,};"
            f" ratio {run['ratio']}, wanted {run['wanted']})"
        )


if __name__ == "__main__":
    main()
