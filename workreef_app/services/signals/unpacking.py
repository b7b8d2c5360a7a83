"""Unpacks gzip data as it comes, in memory that does not grow with it, and says where it is damaged.

Every byte before a damage, a cut or a bomb's limit comes out first; then `UnreadableFile` is raised.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import BinaryIO

from workreef_app.services.signals.chunks import ChunkStream
from workreef_app.services.signals.foreign import Fault, UnreadableFile

MAX_RATIO = 250
"""Unpacked bytes a packed one may give: logs give 5 to 60, the most that gzip can do is about 1,030."""

FREE_BYTES = 64 * 1024 * 1024
"""Unpacked bytes before the ratio counts."""

_STEP = 256 * 1024
_READ = 64 * 1024
_GZIP = 31  # zlib's wbits for a gzip header and trailer
_MAGIC = b"\x1f\x8b"


def gunzipped(stream: BinaryIO) -> ChunkStream:
    """The lines of a gzip file, also of one with several members. Reading it raises `UnreadableFile`.

    A `ReaderState` counts unpacked bytes here: to go on, `skip` them in a new one.
    """
    return ChunkStream(unpacked(_chunks(stream)))


def unpacked(chunks: Iterable[bytes], *, max_ratio: int = MAX_RATIO, free_bytes: int = FREE_BYTES) -> Iterator[bytes]:
    """The unpacked bytes of gzip data that comes in chunks, in pieces of at most 256 KiB.

    Raises `UnreadableFile`: no gzip data, packed twice, cut off, damaged, or beyond both `free_bytes` and `max_ratio`.
    """
    unpacker = _Unpacker()
    packed, given, start = 0, 0, b""
    for chunk in chunks:
        packed += len(chunk)
        for piece in unpacker.feed(chunk):
            given += len(piece)
            if len(start) < len(_MAGIC):
                start += piece[: len(_MAGIC)]
                if start.startswith(_MAGIC):
                    raise UnreadableFile(Fault.GZIP_TWICE)
            if given > max(free_bytes, packed * max_ratio):
                raise UnreadableFile(Fault.GZIP_BOMB)
            yield piece
    if not unpacker.between_members:
        raise UnreadableFile(Fault.GZIP_CUT if unpacker.is_gzip else Fault.NOT_GZIP)


def _chunks(stream: BinaryIO) -> Iterator[bytes]:
    """`read1` gives what a pipe holds; `read` would wait for all of it."""
    read = getattr(stream, "read1", stream.read)
    while chunk := read(_READ):
        yield chunk


class _Unpacker:
    """One gzip file: members one after the other, NUL bytes as padding behind them."""

    def __init__(self) -> None:
        self.between_members = False
        self._inflate = zlib.decompressobj(_GZIP)
        self._head = b""

    @property
    def is_gzip(self) -> bool:
        """Whether what came so far begins as gzip data does."""
        return _MAGIC.startswith(self._head)

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """What the chunk unpacks to. Raises `UnreadableFile` after what came before the damage."""
        if len(self._head) < len(_MAGIC):
            self._head += chunk[: len(_MAGIC) - len(self._head)]
        while chunk:
            if self.between_members:
                chunk = chunk.lstrip(b"\x00")
                if not chunk:
                    return
                self._inflate, self.between_members = zlib.decompressobj(_GZIP), False
            yield from self._member(chunk)
            chunk = self._inflate.unused_data
            self.between_members = self._inflate.eof

    def _member(self, chunk: bytes) -> Iterator[bytes]:
        """Until the chunk or the member ends; a full piece means that zlib may hold more."""
        full = True
        while (chunk or full) and not self._inflate.eof:
            before = self._inflate.copy()
            try:
                piece = self._inflate.decompress(chunk, _STEP)
            except zlib.error:
                yield from _up_to_the_damage(before, chunk)
                raise UnreadableFile(Fault.GZIP_DAMAGED if self.is_gzip else Fault.NOT_GZIP) from None
            chunk, full = self._inflate.unconsumed_tail, len(piece) == _STEP
            if piece:
                yield piece


def _up_to_the_damage(inflate: zlib._Decompress, chunk: bytes) -> Iterator[bytes]:
    """zlib drops what a call unpacked before it failed; a byte at a time, nothing is dropped."""
    with suppress(zlib.error):
        for at in range(len(chunk)):
            if piece := inflate.decompress(chunk[at : at + 1]):
                yield piece
