"""The full chaos suite: `make soak`, or `python -m tests.chaos.soak [--rounds N] [--seed N] [--only WORDS]`.

Plays every case once, then random faults over imports, and prints fault × outcome. Every moment and every victim is
drawn by `--seed`. Ends by itself; status 1 when anything did not hold.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from functools import partial

from tests.chaos import uploads
from tests.chaos.faults import FULL, FULL_DISK, department_of, played, staffed, twice_at_once
from tests.chaos.harness import Fault, Row, World, can_mount, table
from tests.chaos.imports import Sent, concluded, log_of

RANDOM = (Fault.KILL_WORKER, Fault.TERM_WORKER, Fault.PAUSE_WORKER, Fault.KILL_POSTGRES, Fault.KILL_BACKEND,
          Fault.KILL_POSTGRES_ALL)
DISK_MIB = 400
Play = Callable[[World, int], Row]


def harassed(world: World, seed: int, lines: int) -> Row:
    """An import by two workers with random faults at random moments until it has ended."""
    begun, name = time.monotonic(), f"random faults {seed}"
    staffed(world, 2)
    department, log = department_of(world, name), log_of(name, lines)
    sent = Sent(world, name, department, log.pieces())
    strikes = world.harass(seed, RANDOM, sent.over, gap=(1.0, 15.0), patience=900.0)
    world.wait(world.answers)  # the last strike may have come as the import ended
    outcome = concluded(world, sent.ended().id, name, department, log)
    kinds = len({strike.fault for strike in strikes})
    return Row(f"random, seed {seed}: {len(strikes)} faults of {kinds} kinds", outcome, time.monotonic() - begun)


def plays(rounds: int, seed: int, lines: int) -> dict[str, Play]:
    """What is played in one world, by its name."""
    found: dict[str, Play] = {case.name: lambda world, seed, case=case: played(world, case, seed) for case in FULL}
    found["the same file twice at once"] = twice_at_once
    found["kill -9 the web process, uploading"] = uploads.KILLED
    found["SIGTERM to the web process, uploading"] = uploads.STOPPED
    for number in range(seed, seed + rounds):
        found[f"random, seed {number}"] = lambda world, _, number=number: harassed(world, number, lines)
    return found


def attempt(world: World, name: str, play: Play, seed: int) -> tuple[Row, bool]:
    """Plays one; what came of it, and whether everything held."""
    begun = time.monotonic()
    try:
        return play(world, seed), True
    except Exception as error:
        traceback.print_exc()
        world.mend()
        return Row(name, f"DID NOT HOLD: {type(error).__name__}", time.monotonic() - begun), False


def results(given: argparse.Namespace) -> Iterator[tuple[Row, bool]]:
    chosen = {
        name: play for name, play in plays(given.rounds, given.seed, given.lines).items() if given.only in name
    }
    if chosen:
        with World() as world:
            for name, play in chosen.items():
                yield attempt(world, name, play, given.seed)
    if given.only in FULL_DISK.name:
        if can_mount():
            with World(disk_mib=DISK_MIB) as world:
                yield attempt(world, FULL_DISK.name, partial(_full, seed=given.seed), given.seed)
        else:
            print("the disk is full: not played, since this account may not mount a disk", flush=True)


def _full(world: World, *_: int, seed: int) -> Row:
    return played(world, FULL_DISK, seed)


def main() -> int:
    parser = argparse.ArgumentParser(description="The full chaos suite.")
    parser.add_argument("--rounds", type=int, default=2, help="Imports under random faults.")
    parser.add_argument("--lines", type=int, default=200_000, help="Lines of each of those.")
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000), help="Draws moments and victims.")
    parser.add_argument("--only", default="", help="Only what has these words in its name.")
    given = parser.parse_args()
    print(f"seed {given.seed}", flush=True)
    rows: list[Row] = []
    broken = 0
    for row, held in results(given):
        rows.append(row)
        broken += not held
        print(f"{row.fault}: {row.outcome} ({row.seconds:.0f} s)", flush=True)
    print(f"\n{table(rows)}\n{broken} of {len(rows)} did not hold.")
    return 1 if broken or not rows else 0


if __name__ == "__main__":
    sys.exit(main())
