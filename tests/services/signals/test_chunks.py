"""Lines out of chunks: the same as out of the whole, whatever the chunks."""

from __future__ import annotations

import io
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workreef_app.services.signals.chunks import ChunkStream

CHUNKS = st.lists(st.lists(st.sampled_from([b"a", b"bc", b"\n", b"\r\n"]), max_size=8).map(b"".join), max_size=8)


def lines(stream: ChunkStream | io.BytesIO, limit: int) -> list[bytes]:
    found = []
    while line := stream.readline(limit):
        found.append(line)
    return found


@given(CHUNKS, st.integers(1, 20))
def test_lines_are_those_of_the_whole(chunks: list[bytes], limit: int) -> None:
    assert lines(ChunkStream(iter(chunks)), limit) == lines(io.BytesIO(b"".join(chunks)), limit)


@given(CHUNKS, st.integers(0, 30))
def test_skipping_is_reading_on_from_there(chunks: list[bytes], count: int) -> None:
    whole = b"".join(chunks)
    stream = ChunkStream(chunks)
    if count > len(whole):
        with pytest.raises(EOFError, match="bytes before the place to go on from"):
            stream.skip(count)
    else:
        stream.skip(count)
        assert b"".join(lines(stream, 5)) == whole[count:]


def test_a_chunk_is_asked_for_when_it_is_needed_and_no_earlier() -> None:
    asked = []

    def chunks() -> Iterator[bytes]:
        for chunk in (b"one\ntw", b"o\n", b"three"):
            asked.append(chunk)
            yield chunk

    stream = ChunkStream(chunks())
    assert stream.readline(100) == b"one\n"
    assert len(asked) == 1
    assert stream.readline(100) == b"two\n"
    assert len(asked) == 2
    assert stream.readline(100) == b"three"


def test_what_the_chunks_raise_goes_through() -> None:
    def chunks() -> Iterator[bytes]:
        yield b"one\ntw"
        raise TimeoutError("stalled")

    stream = ChunkStream(chunks())
    assert stream.readline(100) == b"one\n"
    with pytest.raises(TimeoutError):
        stream.readline(100)


def test_the_end_stays_the_end() -> None:
    stream = ChunkStream([b"", b"x", b""])
    assert [stream.readline(9) for _ in range(3)] == [b"x", b"", b""]
