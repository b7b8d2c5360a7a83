"""The harness does what it says: each fault is real, is told, and the product comes back from it by itself."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from tests.chaos.harness import Fault, Row, World, can_mount, table

DISK_MIB = 320 if can_mount() else None
FAULTS = [
    Fault.KILL_BACKEND, Fault.KILL_POSTGRES, Fault.KILL_POSTGRES_ALL, Fault.KILL_WORKER, Fault.TERM_WORKER,
    *([Fault.FILL_DISK] if DISK_MIB else []),
]


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with World(disk_mib=DISK_MIB) as world:
        world.writer()
        world.wait(world.written)
        yield world


def goes_on(world: World) -> float:
    """Seconds until something more was written."""
    before = len(world.written())
    return world.wait(lambda: len(world.written()) > before)


def everything_said_is_there(world: World) -> None:
    """What a writer was told is done is there with its entry, and the chain holds."""
    said = world.written()
    assert world.settled()["count"] >= len(said)
    assert world.lost() == set()


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_real_and_survived(world: World, fault: Fault, capsys: pytest.CaptureFixture[str]) -> None:
    chance = random.Random(7)
    server, writer = world.postgres(), world.running[0].process.pid
    struck = world.strike(fault, chance)
    assert struck is not None
    assert (struck.fault, world.strikes[-1]) == (fault, struck)
    if fault is Fault.FILL_DISK:
        world.wait(lambda: "full " in world.running[0].log.read_text() or "away " in world.running[0].log.read_text())
        world.relieve()
    elif fault in {Fault.KILL_WORKER, Fault.TERM_WORKER}:
        assert not world.running[0].alive
        world.mend()
        assert world.running[0].process.pid != writer
    else:
        assert struck.pid in server
    seconds = goes_on(world)
    everything_said_is_there(world)
    if fault is Fault.KILL_POSTGRES_ALL:
        assert not set(server) & set(world.postgres())
    with capsys.disabled():
        print("\n" + table([Row(fault, f"all kept, {len(world.written())} changes", seconds)]))


def test_a_pause_ends_by_itself(world: World) -> None:
    one = world.running[0]
    world.pause(one, 0.5)
    assert one.paused
    world.wait(lambda: not one.paused)
    goes_on(world)


def test_the_same_seed_strikes_the_same(world: World) -> None:
    def strikes() -> list[Fault]:
        count = len(world.strikes) + 3
        return [s.fault for s in world.harass(3, FAULTS[:3], lambda: len(world.strikes) >= count, gap=(0.0, 0.3))]

    first = strikes()
    assert first[:3] == strikes()[:3]
    goes_on(world)
    everything_said_is_there(world)


def test_nothing_is_struck_where_nothing_lives(world: World) -> None:
    assert world.strike(Fault.KILL_WEB, random.Random(1)) is None


def test_a_world_without_a_disk_of_its_own_fills_none() -> None:
    with pytest.raises(ValueError, match="no disk of its own"):
        World().fill_disk()


def test_the_table_lines_up() -> None:
    lines = table([Row("a", "kept", 1.25), Row("a longer one", "lost", 12.0)]).splitlines()
    assert len({line.index(word) for line, word in zip(lines, ("outcome", "kept", "lost"), strict=True)}) == 1
