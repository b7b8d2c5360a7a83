"""Counting each line once, as a plain function of what was known and what comes."""

from __future__ import annotations

import random
from collections import Counter
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from workreef_app.services.signals.lines import DIGEST_BYTES, Seen, count, digest

LINES = st.lists(st.sampled_from([b"a", b"b", b"c", b"d", b"e"]), max_size=30)
Known = dict[bytes, Seen]


def imported(known: Known, lines: list[bytes], run: int, size: int = 7) -> tuple[Known, Counter[bytes]]:
    """What is known after a whole file, in batches, and the lines that it added."""
    known, added = dict(known), Counter[bytes]()
    for first in range(0, len(lines), size):
        after, new = count(lines[first : first + size], known, UUID(int=run))
        known.update(after)
        added.update(new)
    return known, +added


@given(LINES)
def test_equal_lines_within_a_file_all_count(lines: list[bytes]) -> None:
    known, added = imported({}, lines, 1)
    assert added == Counter(lines)
    assert {line: seen.lines for line, seen in known.items()} == Counter(lines)


@given(LINES, st.integers(1, 9), st.integers(1, 9))
def test_a_file_imported_again_adds_nothing(lines: list[bytes], one: int, two: int) -> None:
    known, _ = imported({}, lines, 1, one)
    again, added = imported(known, lines, 2, two)
    assert added == Counter()
    assert {line: seen.lines for line, seen in again.items()} == Counter(lines)


@given(LINES, LINES)
def test_a_grown_file_adds_the_rest(lines: list[bytes], more: list[bytes]) -> None:
    known, _ = imported({}, lines, 1)
    assert imported(known, lines + more, 2)[1] == Counter(more)


@given(LINES, LINES)
def test_a_file_adds_what_it_has_more_of(lines: list[bytes], other: list[bytes]) -> None:
    known, _ = imported({}, lines, 1)
    after, added = imported(known, other, 2)
    assert added == Counter(other) - Counter(lines)
    assert {line: seen.lines for line, seen in after.items()} == Counter(lines) | Counter(other)


@given(LINES, LINES, st.integers(1, 9), st.integers(1, 9), st.randoms(use_true_random=False))
def test_neither_batches_nor_their_order_matter(
    lines: list[bytes], other: list[bytes], one: int, two: int, chance: random.Random
) -> None:
    known, _ = imported({}, lines, 1)
    mixed = list(other)
    chance.shuffle(mixed)
    assert imported(known, other, 2, one)[1] == imported(known, mixed, 2, two)[1]


@given(st.lists(LINES, max_size=5))
def test_no_number_of_imports_counts_more_than_the_fullest_file(files: list[list[bytes]]) -> None:
    known: Known = {}
    total = Counter[bytes]()
    for run, lines in enumerate(files):
        known, added = imported(known, lines, run)
        total += added
    fullest = Counter[bytes]()
    for lines in files:
        fullest |= Counter(lines)
    assert total == fullest


@given(LINES)
def test_every_line_of_a_batch_has_an_answer(lines: list[bytes]) -> None:
    after, added = count(lines, {}, UUID(int=1))
    assert set(after) == set(added) == set(lines)
    assert all(times >= 0 for times in added.values())


@given(st.binary(max_size=40), st.binary(max_size=40))
def test_a_digest_is_keyed_and_of_fixed_length(one: bytes, two: bytes) -> None:
    assert len(digest(one, b"k" * 32)) == DIGEST_BYTES == 16
    assert (digest(one, b"k" * 32) == digest(two, b"k" * 32)) == (one == two)
    assert digest(one, b"k" * 32) != digest(one, b"K" * 32)
