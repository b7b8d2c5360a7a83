"""gzip: unpacked as it comes, in bounded memory, with everything before a damage kept."""

from __future__ import annotations

import gzip
import io
import os
import random
import tracemalloc
import zlib
from collections.abc import Iterable, Iterator
from typing import BinaryIO, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workreef_app.services.signals.chunks import ChunkStream
from workreef_app.services.signals.foreign import Fault, UnreadableFile
from workreef_app.services.signals.unpacking import gunzipped, unpacked

CHANCE = random.Random(7)
TEXT = b"".join(b"2024-05-16 12:00:%02d request %d done\n" % (n % 60, CHANCE.getrandbits(40)) for n in range(9000))


def cut(data: bytes, size: int) -> Iterator[bytes]:
    return (data[at : at + size] for at in range(0, len(data), size))


def outcome(chunks: Iterable[bytes]) -> tuple[bytes, Fault | None]:
    """What came out, and the fault that ended it."""
    out = io.BytesIO()
    try:
        for piece in unpacked(chunks):
            out.write(piece)
    except UnreadableFile as error:
        return out.getvalue(), error.fault
    return out.getvalue(), None


@settings(deadline=None)  # on a busy machine
@given(st.lists(st.binary(max_size=2000), min_size=1, max_size=4), st.integers(1, 3000), st.integers(0, 600))
def test_members_and_padding(texts: list[bytes], size: int, padding: int) -> None:
    texts = [text if not text.startswith(b"\x1f\x8b") else b"" for text in texts]
    data = b"".join(gzip.compress(text) + bytes(padding) for text in texts)
    assert outcome(cut(data, size)) == (b"".join(texts), None)


@pytest.mark.parametrize("size", [1, 7, 4096, 10**9])
def test_a_cut_file_gives_all_that_came_and_says_so(size: int) -> None:
    data = gzip.compress(TEXT)
    for end in (3, len(data) // 2, len(data) - 1):
        out, fault = outcome(cut(data[:end], size))
        assert fault is Fault.GZIP_CUT
        assert out == zlib.decompressobj(31).decompress(data[:end])
        assert TEXT.startswith(out)


def test_an_empty_file_is_cut() -> None:
    assert outcome([]) == (b"", Fault.GZIP_CUT)


@pytest.mark.parametrize("size", [1, 4096, 10**9])
def test_damage_keeps_every_byte_before_it(size: int) -> None:
    data = bytearray(gzip.compress(TEXT))
    data[-6] ^= 0xFF  # the checksum: all the text came, and it is not what was packed
    assert outcome(cut(bytes(data), size)) == (TEXT, Fault.GZIP_DAMAGED)


def test_damage_in_the_middle_keeps_what_came_before() -> None:
    whole = gzip.compress(TEXT[: len(TEXT) // 2]) + gzip.compress(TEXT)
    first = len(gzip.compress(TEXT[: len(TEXT) // 2]))
    data = whole[: first + 5000] + bytes(200) + whole[first + 5200 :]
    out, fault = outcome(cut(data, 64 * 1024))
    assert fault is Fault.GZIP_DAMAGED
    before = zlib.decompressobj(31).decompress(whole[first : first + 5000])
    assert out.startswith(TEXT[: len(TEXT) // 2] + before)


@settings(deadline=None)  # on a busy machine
@given(st.integers(0, 1000), st.integers(0, 255), st.sampled_from([300, 10**9]))
def test_any_changed_byte_is_told_or_changes_nothing(at: int, value: int, size: int) -> None:
    data = bytearray(gzip.compress(TEXT[:2_000]))
    at %= len(data)
    data[at] = value
    out, fault = outcome(cut(bytes(data), size))
    assert fault is not None or out == TEXT[:2_000]


@given(st.binary(max_size=200), st.integers(1, 50))
def test_what_is_no_gzip_is_said(data: bytes, size: int) -> None:
    data = b"2" + data
    assert outcome(cut(data, size)) == (b"", Fault.NOT_GZIP)


def test_rubbish_behind_a_member_is_damage() -> None:
    assert outcome([gzip.compress(b"up\n") + b"rubbish"]) == (b"up\n", Fault.GZIP_DAMAGED)


@pytest.mark.parametrize("size", [1, 10**9])
def test_gzip_in_gzip_is_said(size: int) -> None:
    out, fault = outcome(cut(gzip.compress(gzip.compress(b"up\n")), size))
    assert fault is Fault.GZIP_TWICE
    assert len(out) < 2


def bomb(size: int) -> bytes:
    pack = zlib.compressobj(9, zlib.DEFLATED, 31)
    block = bytes(1024 * 1024)
    return b"".join(pack.compress(block) for _ in range(size // len(block))) + pack.flush()


def test_a_bomb_is_stopped_in_little_memory() -> None:
    data = bomb(300 * 1024 * 1024)
    assert len(data) < 400_000
    tracemalloc.start()
    try:
        size, fault = 0, None
        try:
            for piece in unpacked(cut(data, 64 * 1024)):
                size += len(piece)
        except UnreadableFile as error:
            fault = error.fault
        assert tracemalloc.get_traced_memory()[1] < 4 * 1024 * 1024
    finally:
        tracemalloc.stop()
    assert fault is Fault.GZIP_BOMB
    assert size <= 64 * 1024 * 1024


def test_a_log_that_packs_well_is_no_bomb() -> None:
    text = b"".join(b"2024-05-16 %02d:%02d:%02d heartbeat\n" % (n // 3600, n // 60 % 60, n % 60) for n in range(86_400))
    data = gzip.compress(text, 9)
    out = sum(map(len, unpacked(cut(data, 64 * 1024), free_bytes=0)))
    assert out == len(text)


def test_lines_of_a_gzip_file() -> None:
    stream = gunzipped(io.BytesIO(gzip.compress(TEXT)))
    expected = io.BytesIO(TEXT)
    while line := stream.readline(1000):
        assert line == expected.readline(1000)
    assert not expected.readline(1000)


def test_lines_before_the_damage_come_and_the_broken_one_does_not() -> None:
    stream = gunzipped(io.BytesIO(gzip.compress(TEXT)[:-20_000]))
    found: list[bytes] = []
    with pytest.raises(UnreadableFile, match="ends early"):
        read_all(stream, found)
    assert len(found) > 1000
    assert TEXT.startswith(b"".join(found))
    assert all(line.endswith(b"\n") for line in found)


def read_all(stream: ChunkStream, found: list[bytes]) -> None:
    """Appends as it reads, so that the lines before the fault stay."""
    while line := stream.readline(1000):
        found.append(line)


def test_a_pipe_is_read_as_it_comes() -> None:
    reading, writing = os.pipe()
    pack = zlib.compressobj(6, zlib.DEFLATED, 31)
    with os.fdopen(reading, "rb") as source, os.fdopen(writing, "wb", buffering=0) as sink:
        stream = gunzipped(cast(BinaryIO, source))
        sink.write(pack.compress(b"one\ntwo\n") + pack.flush(zlib.Z_SYNC_FLUSH))
        assert [stream.readline(100), stream.readline(100)] == [b"one\n", b"two\n"]
        sink.write(pack.compress(b"three\n") + pack.flush())
        assert stream.readline(100) == b"three\n"
