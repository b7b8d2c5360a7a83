"""Bad input, case by case: each has one clear outcome, and no line is lost or counted twice."""

from __future__ import annotations

import codecs
import gzip
import io
import itertools
import json
import time
import tracemalloc
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workreef_app.services.signals.chunks import ChunkStream
from workreef_app.services.signals.foreign import TOLD, Fault, UnreadableFile
from workreef_app.services.signals.miner import MAX_TEMPLATES, MEAN_TOKENS, Miner
from workreef_app.services.signals.reader import MAX_LINE_BYTES, Line, Reason, Skipped, read_lines
from workreef_app.services.signals.tokens import MAX_TOKENS
from workreef_app.services.signals.unpacking import gunzipped

NOW = datetime(2026, 3, 1, tzinfo=UTC)
STAMP = b"2024-05-16 12:00:01 "
AT = datetime(2024, 5, 16, 12, 0, 1, tzinfo=UTC)
UP = STAMP + b"up\n"


def outcomes(data: bytes) -> list[str]:
    """For each line its message, or the reason why it gives none; a fault of the file ends them."""
    found = []
    try:
        for item in read_lines(io.BytesIO(data), zone=UTC, year=None, now=NOW):
            found.append(item.message if isinstance(item, Line) else f"<{item.reason}>")
    except UnreadableFile as error:
        found.append(f"!{error.fault}")
    return found


def times(data: bytes) -> list[datetime | Reason]:
    lines = read_lines(io.BytesIO(data), zone=UTC, year=None, now=NOW)
    return [item.at if isinstance(item, Line) else item.reason for item in lines]


def stamped(fields: dict[str, object]) -> list[datetime | Reason]:
    return times(json.dumps(fields).encode())


# A line without an end


def endless(mebibytes: int) -> Iterator[bytes]:
    yield UP + STAMP
    yield from itertools.repeat(b"x" * 1024 * 1024, mebibytes)
    yield b"\n" + UP


def test_a_line_without_end_takes_little_memory_and_time_and_hides_nothing_behind_it() -> None:
    tracemalloc.start()
    start = time.process_time()
    try:
        found = list(read_lines(ChunkStream(endless(200)), zone=UTC, year=None, now=NOW))
        assert tracemalloc.get_traced_memory()[1] < 4 * 1024 * 1024
    finally:
        tracemalloc.stop()
    assert found == [Line(AT, "up", UP[:-1]), Skipped(Reason.TOO_LONG), Line(AT, "up", UP[:-1])]
    assert time.process_time() - start < 10  # 50 times what it takes


# Encodings


@pytest.mark.parametrize(
    "text", ["2024-05-16 12:00:01 up\n", "\n\n2024-05-16 up\n", "2024-05-16 日本語のログ出力\n", "a\n"]
)
@pytest.mark.parametrize(
    ("encoding", "mark", "fault"),
    [
        ("utf-16-le", b"", Fault.UTF_16_LE),
        ("utf-16-be", b"", Fault.UTF_16_BE),
        ("utf-16-le", codecs.BOM_UTF16_LE, Fault.UTF_16),
        ("utf-16-be", codecs.BOM_UTF16_BE, Fault.UTF_16),
        ("utf-32-le", codecs.BOM_UTF32_LE, Fault.UTF_32),
        ("utf-32-be", codecs.BOM_UTF32_BE, Fault.UTF_32),
    ],
)
def test_wide_text_is_said(text: str, encoding: str, mark: bytes, fault: Fault) -> None:
    *before, last = outcomes(mark + text.encode(encoding))
    assert last == f"!{fault}"
    assert "iconv -f" in TOLD[fault]
    assert {"<empty>", "<undecodable>"}.issuperset(before)


def test_wide_text_within_a_log_is_undecodable() -> None:
    data = UP + "2024-05-16 12:00:01 up\n".encode("utf-16-le") + b"\n" + UP
    assert outcomes(data) == ["up", "<undecodable>", "<undecodable>", "up"]


@pytest.mark.parametrize("mark_at", range(3))
def test_a_mark_before_any_line_is_no_part_of_it(mark_at: int) -> None:
    """Files joined with `cat` have their marks in the middle; the line is the same line as without."""
    lines = [UP, UP, UP]
    lines[mark_at] = codecs.BOM_UTF8 + UP
    found = list(read_lines(io.BytesIO(b"".join(lines)), zone=UTC, year=None, now=NOW))
    assert found == [Line(AT, "up", UP[:-1])] * 3


def test_a_mark_within_a_line_is_text() -> None:
    assert outcomes(STAMP + b"a" + codecs.BOM_UTF8 + b"b") == ["a\ufeffb"]


def test_a_mark_alone_is_an_empty_line() -> None:
    assert outcomes(codecs.BOM_UTF8 + b"\n" + UP) == ["<empty>", "up"]


@pytest.mark.parametrize(
    ("mark", "extra", "expected"), [(b"", 0, "x"), (codecs.BOM_UTF8, 0, "x"), (codecs.BOM_UTF8, 1, "<")]
)
@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_the_longest_line_is_as_long_with_a_mark(mark: bytes, extra: int, expected: str, end: bytes) -> None:
    line = STAMP + b"x" * (MAX_LINE_BYTES - len(STAMP) + extra)
    first, second = outcomes(mark + line + end + UP)
    assert first.startswith(expected)
    assert second == "up"


# NUL bytes


def test_a_hole_at_the_start_costs_its_line_alone() -> None:
    """As `copytruncate` leaves it under a program that writes on at its old place."""
    assert outcomes(bytes(500) + UP + UP) == ["<undecodable>", "up"]
    assert outcomes(bytes(500_000) + UP + UP) == ["<too_long>", "up"]


def test_nul_bytes_in_the_middle_cost_their_line_alone() -> None:
    assert outcomes(UP + STAMP + bytes(9) + b"x\n" + bytes(9) + b"\n" + UP) == [
        "up",
        "<undecodable>",
        "<undecodable>",
        "up",
    ]


@pytest.mark.parametrize(
    "data",
    [
        b"\x7fELF\x02\x01\x01\x00\x00\x00\x03\x00\x3e\x00",
        b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x02X\x00\x00\x01",
        b"a\x00\x00b\n",
        b"\n\n\x01\x00\x02\x00\x00",
    ],
)
def test_binary_data_is_said(data: bytes) -> None:
    *before, last = outcomes(data)
    assert last == "!binary"
    assert {"<empty>", "<undecodable>", "<undated>"}.issuperset(before)


# gzip


def test_gzip_given_as_text_is_said_with_the_option() -> None:
    assert outcomes(gzip.compress(UP)) == ["!gzip"]
    assert "--gzip" in TOLD[Fault.GZIP]


def test_every_fault_is_told_in_one_sentence_or_two() -> None:
    assert set(TOLD) == set(Fault)
    assert all(told.endswith(".") and len(told) <= 120 for told in TOLD.values())


def test_a_damaged_gzip_log_gives_its_lines_up_to_the_damage() -> None:
    lines = [STAMP + b"job %d of %d done\n" % (number, number * 7919 % 10_007) for number in range(20_000)]
    packed = gzip.compress(b"".join(lines))
    reader = read_lines(gunzipped(io.BytesIO(packed[: len(packed) // 2])), zone=UTC, year=None, now=NOW)
    raws: list[bytes] = []

    def read_all() -> None:
        for item in reader:
            assert isinstance(item, Line)
            raws.append(item.raw + b"\n")

    with pytest.raises(UnreadableFile, match="ends early"):
        read_all()
    assert len(raws) > 5_000
    assert raws == lines[: len(raws)]
    assert reader.bytes_read == reader.state.bytes_read == sum(map(len, raws))


# Times


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b"1970-01-01T00:00:00Z x", datetime(1970, 1, 1, tzinfo=UTC)),
        (b"1970-01-01 00:00:05 x", datetime(1970, 1, 1, 0, 0, 5, tzinfo=UTC)),
        (b"1969-12-31T23:59:59Z x", Reason.UNDATED),
        (b"0000-00-00 00:00:00 x", Reason.UNDATED),
        (b"2099-12-31T23:59:59Z x", Reason.FUTURE),
        (b"9999-12-31T23:59:59Z x", Reason.UNDATED),
        (b"2016-12-31T23:59:60Z x", datetime(2016, 12, 31, 23, 59, 59, tzinfo=UTC)),
        (b"2016-12-31 23:59:60.5 x", datetime(2016, 12, 31, 23, 59, 59, 500_000, tzinfo=UTC)),
        (b"2017-01-01T08:59:60+09:00 x", datetime(2016, 12, 31, 23, 59, 59, tzinfo=UTC)),
        (b"Dec 31 23:59:60 host p: x", datetime(2025, 12, 31, 23, 59, 59, tzinfo=UTC)),
        (b"2016-12-31T23:59:61Z x", Reason.UNDATED),
        (b"1483228800 x", datetime(2017, 1, 1, tzinfo=UTC)),
        (b"-1483228800 x", Reason.UNDATED),
        (b"9999999999 x", Reason.UNDATED),
        (b"99999999999999999999999999 x", Reason.UNDATED),
    ],
)
def test_times_at_the_edge(line: bytes, expected: datetime | Reason) -> None:
    assert times(line) == [expected]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0, datetime(1970, 1, 1, tzinfo=UTC)),
        (0.5, datetime(1970, 1, 1, 0, 0, 0, 500_000, tzinfo=UTC)),
        (-1, Reason.UNDATED),
        (-1715860801000, Reason.UNDATED),
        (1483228799, datetime(2016, 12, 31, 23, 59, 59, tzinfo=UTC)),
        (1483228800, datetime(2017, 1, 1, tzinfo=UTC)),
        ("2016-12-31T23:59:60Z", datetime(2016, 12, 31, 23, 59, 59, tzinfo=UTC)),
        (1715860801000, AT),
        (1715860801000000, AT),
        (1715860801000000000, AT),
        ("1715860801000000", AT),
        ("1715860801000000000", AT),
        (4_070_908_800, Reason.FUTURE),
        (10**30, Reason.UNDATED),
        (10**400, Reason.UNDATED),
        (1e308, Reason.UNDATED),
        ("9" * 19, Reason.UNDATED),
        ("9" * 400, Reason.UNDATED),
        ("١٧١٥٨٦٠٨٠١٠٠٠٠٠٠", Reason.UNDATED),
        (float("nan"), Reason.UNDATED),
        (float("inf"), Reason.UNDATED),
        (float("-inf"), Reason.UNDATED),
        (None, Reason.UNDATED),
    ],
)
def test_times_at_the_edge_in_json(value: object, expected: datetime | Reason) -> None:
    assert stamped({"time": value, "msg": "x"}) == [expected]


def test_a_number_that_python_refuses_is_no_json() -> None:
    assert outcomes(b'{"time": ' + b"1" * 5000 + b', "msg": "x"}') == ["<undated>"]


@given(st.permutations(range(6)))
def test_a_log_that_jumps_back_in_time_is_read_as_it_stands(order: list[int]) -> None:
    expected = [AT + timedelta(days=100 * step) for step in order]
    data = b"".join(b"%s x\n" % at.isoformat().encode() for at in expected)
    assert times(data) == expected


# Line ends and blanks


@pytest.mark.parametrize("mark", ["\r", "\u2028", "\u2029", "\x0b", "\x0c", "\x1c", "\x85"])
def test_only_a_line_feed_ends_a_line(mark: str) -> None:
    """Else the same file would have other lines when another program reads it."""
    assert outcomes(STAMP + f"a{mark}b".encode() + b"\n" + UP) == [f"a{mark}b", "up"]
    miner = Miner()
    assert miner.add(f"a{mark}b") == miner.add("a b")


def test_mixed_line_ends() -> None:
    assert outcomes(STAMP + b"a\r\n" + STAMP + b"b\n" + STAMP + b"c\r\r\n" + STAMP + b"d") == ["a", "b", "c", "d"]


def test_lines_that_end_in_a_carriage_return_alone_are_said() -> None:
    assert outcomes((STAMP + b"up\r") * 5) == ["!bare_cr"]
    assert outcomes((STAMP + b"up\r") * 5000) == ["!bare_cr"]
    assert "tr" in TOLD[Fault.BARE_CR]


def test_a_progress_bar_is_one_line() -> None:
    assert outcomes(STAMP + b"fetch 1%\rfetch 2%\rfetch 3%") == ["fetch 1%\rfetch 2%\rfetch 3%"]


def test_very_many_empty_lines() -> None:
    found = Counter(outcomes(b"\n" * 200_000 + UP + b"\r\n" * 50_000 + b" \t\n"))
    assert found == {"<empty>": 250_001, "up": 1}


@pytest.mark.parametrize(
    "line",
    [
        b"\x1b[32m2024-05-16 12:00:01\x1b[0m up",
        b"\x1b[1;38;5;196m2024-05-16 12:00:01 \x1b[Kup\x1b[m",
        b"2024-05-16 12:00:01 \x1b]8;;https://a.example\x1b\\up\x1b]8;;\x07",
        b"\x1b]0;title\x072024-05-16 12:00:01 up",
        b"2024-05-16 12:00:01 \x1b(Bup\x1b7",
        b'{"time": 1715860801, "msg": "\\u001b[31mup\\u001b[0m"}',
        b'\x1b[2m{"time": 1715860801, "msg": "up"}\x1b[0m',
    ],
)
def test_colours_are_no_part_of_a_line(line: bytes) -> None:
    assert list(read_lines(io.BytesIO(line), zone=UTC, year=None, now=NOW)) == [Line(AT, "up", line)]


def test_colours_alone_are_no_message() -> None:
    assert outcomes(STAMP + b"\x1b[0m\n" + b'{"time": 1715860801, "msg": "\\u001b[0m"}') == [
        "<no_message>",
        "<no_message>",
    ]


@pytest.mark.parametrize("unit", [b"\x1b", b"\x1b[", b"\x1b]", b"\x1b[1;", b"\x1b]x", b"\x1b[ ", b"\x1b(", b"[1;"])
def test_unfinished_escapes_take_linear_time(unit: bytes) -> None:
    start = time.process_time()
    assert len(outcomes(STAMP + b"\x1b]" + unit * (65_000 // len(unit)))) == 1
    assert time.process_time() - start < 1


# JSON


@pytest.mark.parametrize("nesting", ['{"a":', "[", '[{"a":'])
def test_deep_nesting_is_no_json(nesting: str) -> None:
    deep = nesting * (60_000 // len(nesting))
    assert outcomes(f'{{"time": 1715860801, "msg": "x", "a": {deep}'.encode() + b"\n" + UP) == ["<undated>", "up"]


def test_a_value_that_is_nested_within_reason_is_passed_over() -> None:
    deep = "[" * 200 + "]" * 200
    assert outcomes(f'{{"time": 1715860801, "a": {deep}, "msg": "x"}}'.encode()) == ["x"]


def test_of_a_key_told_twice_the_last_counts() -> None:
    assert stamped({"msg": "x"}) == [Reason.UNDATED]
    assert times(b'{"time": 5, "time": 1715860801, "msg": "a", "msg": "b"}') == [AT]
    assert outcomes(b'{"time": 5, "time": 1715860801, "msg": "a", "msg": "b"}') == ["b"]


@pytest.mark.parametrize("escape", ["\\u0000", "\\ud800", "\\udfff", "\\ude00\\ud83d"])
def test_what_no_column_holds_is_undecodable(escape: str) -> None:
    assert outcomes(f'{{"time": 1715860801, "msg": "a{escape}b"}}'.encode()) == ["<undecodable>"]


def test_a_surrogate_pair_is_a_character() -> None:
    assert outcomes(b'{"time": 1715860801, "msg": "a\\ud83d\\ude00"}') == ["a\U0001f600"]


KEYS = st.sampled_from(["time", "msg", "a"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner),
)


@given(VALUES)
def test_any_json_has_one_outcome(value: object) -> None:
    assert len(outcomes(json.dumps(value).encode())) == 1


# Templates without number


def letters(number: int) -> str:
    """Words of letters alone: nothing in their form says that they vary."""
    text = ""
    while number or not text:
        number, digit = divmod(number, 26)
        text = chr(97 + digit) + text
    return text


def distinct(number: int) -> str:
    """A message that no wildcard joins with another: each names an event of its own."""
    return f"{letters(number * 7)} unit {letters(number * 3)} went to STATE_{letters(number).upper()} at once"


def test_a_hundred_thousand_templates_are_all_counted() -> None:
    miner = Miner()
    for number in range(100_000):
        miner.add(distinct(number))
    templates = miner.templates()
    assert sum(template.size for template in templates) == 100_000
    assert MAX_TEMPLATES <= len(templates) <= MAX_TEMPLATES + MAX_TOKENS
    assert Miner(templates).add(distinct(10**6)) == miner.add(distinct(10**6))


def test_a_full_miner_grows_no_more() -> None:
    miner = Miner(limit=500)
    tracemalloc.start()
    try:
        for number in range(2_000):
            miner.add(distinct(number))
        full = tracemalloc.get_traced_memory()[0]
        for number in range(2_000, 12_000):
            miner.add(distinct(number))
        # What still grows are the memories of tokens and of shapes, each with a bound of its own.
        assert tracemalloc.get_traced_memory()[0] < full + 12 * 1024 * 1024
    finally:
        tracemalloc.stop()
    assert sum(template.size for template in miner.templates()) == 12_000
    assert len(miner.templates()) == 501


def test_long_templates_fill_a_miner_sooner_and_are_all_counted() -> None:
    miner = Miner(limit=20)
    words = itertools.count()
    for _ in range(100):
        miner.add(" ".join(letters(next(words)) for _ in range(100)))
    templates = miner.templates()
    assert sum(template.size for template in templates) == 100
    assert len(templates) == 20 * MEAN_TOKENS // 100 + 1
    assert templates[-1].tokens == ("<*>",) * 100
    other = " ".join(letters(next(words)) for _ in range(90))
    assert Miner(templates, limit=20).add(other) == miner.add(other)
