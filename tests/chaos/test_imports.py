"""An import that cannot be hurt, in short: the full form is `make soak`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.chaos.faults import SHORT, Case, played
from tests.chaos.harness import World
from tests.chaos.imports import log_of

LINES = 25_000


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    """One world for all cases: each has a source of its own."""
    with World() as world:
        yield world


@pytest.mark.parametrize("case", SHORT, ids=lambda case: case.name)
def test_each_line_is_counted_once(world: World, case: Case) -> None:
    assert played(world, replace(case, lines=LINES), seed=1).seconds > 0


def test_the_file_has_all_that_is_told_apart() -> None:
    log = log_of("any", 5_000)
    assert log.content.count(b"\n") == log.lines == log.dated + sum(log.skipped.values())
    assert set(log.skipped) == {"continuation", "empty"}
    assert 0 < log.different < log.dated
