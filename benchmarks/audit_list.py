"""How fast the lists of a long audit log are: `python -m benchmarks.audit_list [--entries 10000000] [--json]`.

One tenant with a log made in bulk, of a few departments, people and events as the product writes them. Each list is
read by its own queries, without the door, for a reviewer who sees the whole and for an operator of one department.
Printed are the median and the 95th percentile in milliseconds of each, and of one entry read by its number.
"""

from __future__ import annotations

import argparse
import json
import statistics
from typing import Any

from benchmarks import worlds
from workreef_app.services.door import Caller, Door
from workreef_app.services.tenancy import server
from workreef_app.services.tenancy.platform import Tenant

WANTED_P95 = 50.0
#: Entries that one statement makes.
STEP = 500_000
#: Entries as they are: hashes of nothing, since no list checks them. One in a thousand is of a rare event.
FILL = """
INSERT INTO audit_entry (seq, content, chain_hash)
SELECT n, json_build_object(
  'actor', 'person:' || md5((n %% 997)::text)::uuid,
  'at', to_char(timestamp '2026-01-01' + n * interval '3 seconds', 'YYYY-MM-DD"T"HH24:MI:SS".000000Z"'),
  'department', CASE WHEN n %% 5 = 0 THEN %(department)s WHEN n %% 5 < 3 THEN md5((n %% 5)::text)::uuid::text END,
  'detail', json_build_object('operation', 'tasks.list', 'rows', n %% 50),
  'event', CASE WHEN n %% 1000 = 7 THEN 'setting.changed' WHEN n %% 3 = 0 THEN 'import.advanced' ELSE 'data.read' END,
  'persona', 'operator', 'request', md5(n::text)::uuid,
  'target', CASE WHEN n %% 2 = 0 THEN 'tasks' ELSE 'task:' || md5((n / 40)::text)::uuid END
)::text, sha256('') FROM generate_series(%(first)s::bigint, %(last)s::bigint) AS n
"""


def fill(door: Door, tenant: Tenant, entries: int, department: str) -> None:
    """Puts entries behind those that there are, as the owner of the log."""
    database = str(tenant.url.database)
    with server.admin(door.platform.url, database) as connection:
        connection.exec_driver_sql(f"SET ROLE {server.owner_role(database)}")
        begin = connection.exec_driver_sql("SELECT seq FROM audit_head").scalar_one()
        for first in range(begin + 1, entries + 1, STEP):
            last = min(first + STEP - 1, entries)
            connection.exec_driver_sql(FILL, {"first": first, "last": last, "department": department})
        connection.exec_driver_sql("UPDATE audit_head SET seq = %(seq)s", {"seq": entries})
        connection.exec_driver_sql("SELECT audit_index(%(seq)s)", {"seq": entries})
        connection.exec_driver_sql("VACUUM ANALYZE audit_entry, audit_lookup")


def lists(door: Door, tenant: Tenant, entries: int) -> dict[str, dict[str, Any]]:
    """What is asked for, by its name."""
    middle = door.perform(worlds.admin(tenant), "audit.list", {"before": entries // 2, "limit": 1}).rows[0]
    one = door.perform(worlds.admin(tenant), "audit.list", {"before": entries // 2, "limit": 10}).rows
    target = next(row.target for row in one if ":" in row.target)
    return {
        "newest": {}, "in the middle": {"before": entries // 2}, "a rare event": {"event": "setting.changed"},
        "a common event": {"event": "data.read"}, "a person": {"actor": middle.actor},
        "a target": {"target": target}, "an id": {"id": target.partition(":")[2]},
        "an id that is nowhere": {"id": "nowhere"},
        "a day": {"since": middle.at[:10], "until": middle.at[:10]}, "until a day": {"until": middle.at[:10]},
        "a person's event until a day": {
            "actor": middle.actor, "event": "data.read", "until": middle.at[:10],
        },
    }


def timed(door: Door, caller: Caller, name: str, asked: dict[str, Any], rounds: int) -> dict[str, float]:
    """Median and 95th percentile of an operation's own queries, in milliseconds."""
    taken = [1000 * worlds.bare_seconds(door, caller, name, asked) for _ in range(rounds + 1)][1:]
    return {"p50": statistics.median(taken), "p95": statistics.quantiles(taken, n=20)[-1]}


def measure(door: Door, entries: int, rounds: int) -> dict[str, dict[str, float]]:
    """Every list, read by whoever sees the whole log and by an operator of a fifth of it."""
    tenant = worlds.tenant(door, "long")
    department = door.perform(worlds.admin(tenant), "departments.create", {"slug": "ops", "name": "Operations"})
    operator = worlds.people(door, tenant, "operator", 1, "ops")[0]
    fill(door, tenant, entries, str(department.id))
    measured: dict[str, dict[str, float]] = {}
    for who, caller in (("", worlds.admin(tenant)), (", by an operator", operator)):
        for name, asked in lists(door, tenant, entries).items():
            measured[name + who] = timed(door, caller, "audit.list", asked, rounds)
    measured["one entry"] = timed(door, worlds.admin(tenant), "audit.read", {"seq": entries // 3}, rounds)
    return measured


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--entries", type=int, default=10_000_000)
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    with worlds.platform() as door:
        measured = measure(door, arguments.entries, arguments.rounds)
    worst = max(each["p95"] for each in measured.values())
    if arguments.json:
        print(json.dumps({"entries": arguments.entries, "lists": measured, "worst_p95_ms": worst}))
    else:
        for name, each in measured.items():
            print(f"{name:45} p50 {each['p50']:7.1f} ms   p95 {each['p95']:7.1f} ms")
        print(f"{arguments.entries:,} entries: worst p95 {worst:.1f} ms, wanted at most {WANTED_P95:.0f}")
    raise SystemExit(worst > WANTED_P95)


if __name__ == "__main__":
    main()
