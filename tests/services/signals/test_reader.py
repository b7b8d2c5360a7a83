"""Streams of lines: everything accounted for, nothing held."""

from __future__ import annotations

import io
import json
import tracemalloc
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from typing import BinaryIO, cast
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workreef_app.services.signals import reader as reader_module
from workreef_app.services.signals.chunks import ChunkStream
from workreef_app.services.signals.reader import (
    MAX_LINE_BYTES,
    Line,
    LineReader,
    ReaderState,
    Reason,
    Skipped,
    UnreadableFile,
    read_lines,
)

NOW = datetime(2026, 3, 1, tzinfo=UTC)
STAMP = b"2024-05-16 12:00:01 "
AT = datetime(2024, 5, 16, 12, 0, 1, tzinfo=UTC)


def reader(data: bytes) -> LineReader:
    return read_lines(io.BytesIO(data), zone=UTC, year=None, now=NOW)


def reasons(data: bytes) -> list[Reason | None]:
    return [record.reason if isinstance(record, Skipped) else None for record in reader(data)]


def test_plain_lines() -> None:
    records = reader(STAMP + b"up\r\n" + STAMP + b"down")
    assert list(records) == [Line(AT, "up", STAMP + b"up"), Line(AT, "down", STAMP + b"down")]
    assert records.bytes_read == 2 * len(STAMP) + 8


@pytest.mark.parametrize("key", ["timestamp", "@timestamp", "time", "ts"])
@pytest.mark.parametrize("text", ["message", "msg", "log"])
@pytest.mark.parametrize("value", ["2024-05-16T12:00:01Z", 1715860801, 1715860801000, "1715860801"])
def test_json_lines(key: str, text: str, value: str | int) -> None:
    raw = json.dumps({key: value, text: "up\n", "level": "info"}).encode()
    assert list(reader(raw + b"\n")) == [Line(AT, "up", raw)]


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"time": 1715860801}, Reason.NO_MESSAGE),
        ({"time": 1715860801, "msg": 7}, Reason.NO_MESSAGE),
        ({"time": 1715860801, "msg": " "}, Reason.NO_MESSAGE),
        ({"msg": "x"}, Reason.UNDATED),
        ({"time": True, "msg": "x"}, Reason.UNDATED),
        ({"time": "soon", "msg": "x"}, Reason.UNDATED),
        ({"time": [], "msg": "x"}, Reason.UNDATED),
    ],
)
def test_json_lines_that_give_no_record(fields: dict[str, object], reason: Reason) -> None:
    assert reasons(json.dumps(fields).encode()) == [reason]


def test_each_fault_has_its_reason() -> None:
    data = b"\n".join(
        [STAMP, b"no time", b"\xff\xfe bad", b"", b"  ", STAMP + b"a\x00b", STAMP + b"x" * 70_000]
    )
    assert reasons(b"hello\n" + data) == [
        Reason.UNDATED, Reason.NO_MESSAGE, Reason.UNDATED, Reason.UNDECODABLE, Reason.EMPTY, Reason.EMPTY,
        Reason.UNDECODABLE, Reason.TOO_LONG,
    ]  # fmt: skip


def test_a_stack_trace_belongs_to_its_record() -> None:
    trace = b"  at a.b(C.java:1)\nCaused by: x\nat d\n\t... 3 more\n"
    assert reasons(STAMP + b"boom\n" + trace) == [None, *[Reason.CONTINUATION] * 4]


@pytest.mark.parametrize("before", [b"", b"no time\n", b"\n", STAMP + b"x\n\n"])
def test_a_trace_without_a_record_is_undated(before: bytes) -> None:
    assert reasons(before + b"  at a.b(C.java:1)\n")[-1] is Reason.UNDATED


@pytest.mark.parametrize(
    ("extra", "end", "expected"),
    [(0, b"\n", None), (0, b"\r\n", None), (0, b"", None), (1, b"\n", Reason.TOO_LONG), (1, b"\r\n", Reason.TOO_LONG),
     (1, b"", Reason.TOO_LONG), (2, b"", Reason.TOO_LONG), (MAX_LINE_BYTES, b"\n", Reason.TOO_LONG)],
)  # fmt: skip
def test_the_longest_line(extra: int, end: bytes, expected: Reason | None) -> None:
    line = STAMP + b"x" * (MAX_LINE_BYTES - len(STAMP) + extra)
    after = STAMP + b"after" if end else b""
    records = reader(line + end + after)
    assert [getattr(record, "reason", None) for record in records] == (
        [expected, None] if end else [expected]
    )
    assert records.bytes_read == len(line + end + after)


def test_a_byte_order_mark_is_no_part_of_the_line() -> None:
    assert list(reader(b"\xef\xbb\xbf" + STAMP + b"up")) == [Line(AT, "up", STAMP + b"up")]


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"\x1f\x8b\x08\x00", "gzip data; import it with --gzip"),
        (b"BZh91AY", "bzip2"),
        (b"\xfd7zXZ\x00", "xz data"),
        (b"\x28\xb5\x2f\xfd", "Zstandard"),
        (b"PK\x03\x04", "zip archive"),
        ("\ufeffa b\n".encode("utf-16-le"), "UTF-16 text; convert it"),
        ("\ufeffa b\n".encode("utf-16-be"), "UTF-16 text; convert it"),
        ("2024-05-16\n".encode("utf-16-le"), "UTF-16 text, little-endian"),
    ],
)
def test_what_is_no_text_log_is_refused_clearly(data: bytes, told: str) -> None:
    with pytest.raises(UnreadableFile, match=told):
        next(reader(data))


class Endless(io.RawIOBase):
    """A stream of one line of many megabytes, made as it is read."""

    def __init__(self, size: int) -> None:
        self.left = size

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        view = memoryview(cast(bytearray, buffer))
        count = min(len(view), self.left)
        view[:count] = b"x" * count
        self.left -= count
        return count


def test_a_line_without_end_is_not_held() -> None:
    size = 200 * 1024 * 1024
    stream = cast(BinaryIO, io.BufferedReader(Endless(size)))
    tracemalloc.start()
    try:
        records = read_lines(stream, zone=UTC, year=None, now=NOW)
        assert list(records) == [Skipped(Reason.TOO_LONG)]
        assert tracemalloc.get_traced_memory()[1] < 2 * 1024 * 1024
    finally:
        tracemalloc.stop()
    assert records.bytes_read == size


LINES = st.one_of(
    st.binary(max_size=30).filter(lambda b: b"\n" not in b),
    st.text(max_size=30).map(lambda t: STAMP + t.encode().replace(b"\n", b"")),
    st.sampled_from(
        [b"", b"{}", b'{"time": 1, "msg": "x"}', b"[" * 20, b"{" * 9_000, b"  at x", STAMP + b"y" * 70_000]
    ),
)


@given(st.lists(LINES, max_size=12))
def test_no_line_is_lost(lines: list[bytes]) -> None:
    data = STAMP + b"first\n" + b"".join(line + b"\n" for line in lines)
    records = reader(data)
    assert len(list(records)) == len(lines) + 1
    assert records.bytes_read == len(data)


def test_a_line_from_the_future_is_skipped_and_told() -> None:
    text = b"2026-11-23T10:00:00Z now\n2026-11-25T10:00:01Z later\n2099-01-01T00:00:00Z never\n"
    found = list(read_lines(io.BytesIO(text), zone=UTC, year=None, now=datetime(2026, 11, 24, 10, tzinfo=UTC)))
    assert [item if isinstance(item, Skipped) else item.message for item in found] == [
        "now", Skipped(Reason.FUTURE), Skipped(Reason.FUTURE),
    ]


def resumed(data: bytes, state: ReaderState, size: int = 7, whole: bool = True) -> LineReader:
    """A reader in another process: its state went through JSON, its stream comes in chunks."""
    stored = ReaderState.from_json(json.loads(json.dumps(state.as_json())))
    stream = ChunkStream(data[at : at + size] for at in range(0, len(data), size))
    stream.skip(stored.bytes_read)
    return read_lines(stream, zone=UTC, year=None, now=NOW, resume=stored, whole=whole)


def until_fault(records: LineReader) -> list[Line | Skipped | str]:
    """The outcomes, and the fault if one ends them."""
    found: list[Line | Skipped | str] = []
    try:
        found.extend(records)
    except UnreadableFile as error:
        found.append(str(error))
    return found


#: Lines of over 40 bytes count as too long, so that examples stay small.
short_lines = patch.multiple(reader_module, MAX_LINE_BYTES=40, _LIMIT=45, _DISCARDED=16)

PIECES = st.one_of(
    st.binary(max_size=30).filter(lambda b: b"\n" not in b),
    st.integers(38, 200).map(lambda size: STAMP + b"y" * (size - len(STAMP))),
    st.sampled_from(
        [b"", b"\xef\xbb\xbf" + STAMP + b"up", b"\x00\x00", b"\xff\xfe", b"\x1f\x8b", b"  at a.b", b"\t... 3 more",
         STAMP + b"up", "2024-05-16".encode("utf-16-le"), b"\r", b"a\rb", STAMP + b"a\r" + STAMP + b"b"]
    ),
)  # fmt: skip
ENDS = st.sampled_from([b"", b"\n", b"\r\n"])


@short_lines
@settings(deadline=None)  # on a busy machine
@given(st.lists(PIECES, max_size=8), ENDS, st.sampled_from([1, 7, 50, 1000]))
def test_reading_goes_on_after_every_line_as_if_it_had_not_stopped(lines: list[bytes], end: bytes, size: int) -> None:
    data = b"\n".join(lines) + end
    expected = until_fault(reader(data))
    done: list[Line | Skipped | str] = []
    records = reader(data)
    while True:
        assert done + until_fault(resumed(data, records.state, size)) == expected
        assert records.bytes_read == records.state.bytes_read
        try:
            done.append(next(records))
        except (StopIteration, UnreadableFile):
            break


class Gone(Exception):
    """The worker was told to stop between two chunks."""


@short_lines
@settings(deadline=None)  # on a busy machine
@given(st.lists(PIECES, max_size=8), ENDS, st.integers(1, 100), st.integers(0, 60))
def test_reading_goes_on_after_a_stop_at_any_chunk(lines: list[bytes], end: bytes, size: int, chunks: int) -> None:
    """A stop within a line, a too long one among them, gives that line neither twice nor never."""
    data = b"\n".join(lines) + end

    def stopping() -> Iterator[bytes]:
        yield from (data[at : at + size] for at in range(0, min(len(data), size * chunks), size))
        raise Gone

    first = read_lines(ChunkStream(stopping()), zone=UTC, year=None, now=NOW)
    done: list[Line | Skipped | str] = []
    with suppress(Gone, UnreadableFile):
        for record in first:
            done.append(record)
    assert done + until_fault(resumed(data, first.state, size)) == until_fault(reader(data))


@pytest.mark.parametrize(
    ("tail", "kept", "at_end"),
    [(b"", 2, 0), (b"  at a.b", 2, 8), (b"half a line\r", 2, 12), (b"y" * (MAX_LINE_BYTES + 9), 2, 0)],
)
def test_a_cut_off_stream_ends_with_its_last_whole_line(tail: bytes, kept: int, at_end: int) -> None:
    data = STAMP + b"up\n" + STAMP + b"down\n" + tail
    records = resumed(data, ReaderState(), whole=False)
    assert len(list(records)) == kept
    assert records.bytes_read == len(data) - at_end
    assert len(list(resumed(data, records.state))) == (1 if tail else 0)


@pytest.mark.parametrize(
    "stored",
    [
        {},
        {"bytes_read": -1, "after_record": False, "begun": False, "in_long_line": False},
        {"bytes_read": "1", "after_record": False, "begun": False, "in_long_line": False},
        {"bytes_read": 1, "after_record": 0, "begun": False, "in_long_line": False},
        {"bytes_read": 1, "after_record": False, "begun": False, "in_long_line": False, "more": 1},
    ],
)
def test_what_is_no_state_is_refused(stored: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="no state of a reader"):
        ReaderState.from_json(stored)
