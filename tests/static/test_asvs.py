"""The page of security requirements is current, and every test that it names exists."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts import asvs
from scripts.asvs import ROOT, Requirement, document, read

CHAPTERS = read()
EVERY = [requirement for _, requirements in CHAPTERS.values() for requirement in requirements]


def test_every_chapter_is_there_and_no_requirement_twice() -> None:
    assert list(CHAPTERS) == [f"V{number}" for number in range(1, 18)]
    assert len(EVERY) == 253, "what version 5.0.0 asks up to level 2"
    assert len({r.id for r in EVERY}) == len(EVERY)
    for chapter, (_, requirements) in CHAPTERS.items():
        assert all(f"V{r.id}".startswith(f"{chapter}.") for r in requirements)


@pytest.mark.parametrize("requirement", [r for r in EVERY if r.tests or r.see], ids=lambda r: r.id)
def test_what_it_names_exists(requirement: Requirement) -> None:
    for test in requirement.tests:
        path, _, name = test.partition("::")
        assert name in asvs.tests_of(ROOT / "tests" / path), test
    for path in requirement.see:
        assert (ROOT / path).is_file(), path


def test_what_is_missing_says_in_whose_part_it_comes_or_what_it_is() -> None:
    assert all(len(r.missing.split()) > 1 for r in EVERY if r.missing)
    assert {r.state for r in EVERY} == set(asvs.STATES)


def test_the_page_is_current() -> None:
    assert asvs.DOCUMENT.read_text() == document(CHAPTERS), "run: make docs"


@pytest.mark.parametrize("line", [
    '"1.1.1" = { level = 3, asks = "a", tests = ["b"] }',
    '"1.1.1" = { level = 1, asks = "", tests = ["b"] }',
    '"1.1.1" = { level = 1, asks = "a" }',
    '"1.1.1" = { level = 1, asks = "a", tests = ["b"], not_for_us = "c" }',
    '"1.1.1" = { level = 1, asks = "a", tests = ["b"], test = "c" }',
])
def test_a_line_that_is_not_whole_is_refused(line: str, tmp_path: Path) -> None:
    source = tmp_path / "asvs.toml"
    source.write_text(f'[V1]\ntitle = "One"\n{line}\n')
    with pytest.raises(ValueError, match=r"1\.1\.1"):
        read(source)
