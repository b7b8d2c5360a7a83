"""Lines out of chunks of bytes: for a log that comes in pieces, such as a spooled upload."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol


class LineSource(Protocol):
    """What lines are read from: a binary file, or a `ChunkStream`."""

    def readline(self, limit: int, /) -> bytes:
        """The next line with its end, or `limit` bytes of it; nothing at the end."""


class ChunkStream:
    """Chunks of any size, read line by line. Holds one chunk and at most `limit` bytes of an unfinished line.

    What the iterator raises goes through: an iterator may stop the reading between any two chunks.
    """

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = iter(chunks)
        self._chunk = b""
        self._at = 0

    def readline(self, limit: int, /) -> bytes:
        """The next line with its end, or `limit` bytes of it; nothing at the end."""
        start = self._at
        stop = self._chunk.find(b"\n", start, start + limit) + 1
        if stop or len(self._chunk) - start >= limit:
            self._at = stop or start + limit
            return self._chunk[start : self._at]
        return self._joined(limit)

    def skip(self, count: int) -> None:
        """Passes over `count` bytes, as an earlier reader has read them. Raises EOFError if there are fewer."""
        while count:
            if self._at == len(self._chunk) and not self._advance():
                raise EOFError(f"the stream ends {count} bytes before the place to go on from")
            step = min(count, len(self._chunk) - self._at)
            self._at += step
            count -= step

    def _joined(self, limit: int) -> bytes:
        """A line that goes over the end of the chunk."""
        parts: list[bytes] = []
        while limit:
            start = self._at
            stop = self._chunk.find(b"\n", start, start + limit) + 1
            self._at = stop or min(start + limit, len(self._chunk))
            part = self._chunk[start : self._at]
            parts.append(part)
            limit -= len(part)
            if stop or not limit or not self._advance():
                break
        return b"".join(parts)

    def _advance(self) -> bool:
        """Goes to the next chunk that holds anything."""
        for chunk in self._chunks:
            if chunk:
                self._chunk, self._at = chunk, 0
                return True
        return False
