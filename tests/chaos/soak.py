"""The full chaos suite: `make soak`, or `python -m tests.chaos.soak [--rounds N] [--seed N]`.

Plays every case, then random faults over an import of a million lines, and prints fault × outcome. Ends by itself;
status 1 when anything did not hold.
"""

from __future__ import annotations

import argparse
import sys
import time
import traceback

from tests.chaos.harness import Fault, Row, World, table
from tests.chaos.imports import DEPARTMENT, ENDED, FULL, Case, account, log_of, played, read, send, taken_up
from workreef_app.services.signals.models import RunStatus

RANDOM = (Fault.KILL_WORKER, Fault.TERM_WORKER, Fault.PAUSE_WORKER, Fault.KILL_POSTGRES, Fault.KILL_BACKEND,
          Fault.KILL_POSTGRES_ALL)


def harassed(world: World, seed: int, lines: int) -> Row:
    """An import with random faults at random moments until it has ended."""
    begun, name = time.monotonic(), f"random faults, seed {seed}"
    content = log_of(name, lines)
    import_id = send(world, name, content)
    strikes = world.harass(
        seed, RANDOM, lambda: read(world, import_id).status in ENDED, gap=(5.0, 60.0), patience=1800.0
    )
    outcome = account(world, import_id, lines)
    if read(world, import_id).status is not RunStatus.FINISHED:
        outcome += "; " + taken_up(world, import_id, Case(name, lambda *_: None, lines=lines), content)
    world.settled()
    return Row(f"{name}: {len(strikes)} of them", outcome, time.monotonic() - begun)


def main() -> int:
    parser = argparse.ArgumentParser(description="The full chaos suite.")
    parser.add_argument("--rounds", type=int, default=2, help="Imports under random faults.")
    parser.add_argument("--lines", type=int, default=1_000_000, help="Lines of each of those.")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    rows: list[Row] = []
    broken = 0
    with World() as world:
        world.door.perform(world.admin, "departments.create", {"slug": DEPARTMENT, "name": "Claims"})
        plays = [(case.name, lambda case=case: played(world, case)) for case in FULL]
        plays += [
            (f"seed {seed}", lambda seed=seed: harassed(world, seed, given.lines))
            for seed in range(given.seed, given.seed + given.rounds)
        ]
        for name, play in plays:
            try:
                rows.append(play())
            except AssertionError:
                broken += 1
                rows.append(Row(name, "DID NOT HOLD", 0.0))
                traceback.print_exc()
                world.mend()
            print(table(rows[-1:]).splitlines()[-1], flush=True)
    print(f"\n{table(rows)}\n{broken} of {len(rows)} did not hold.")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
