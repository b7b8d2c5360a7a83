"""Bytes from a file or a pipe, in pieces of a chunk, without ever spinning or holding more."""

from __future__ import annotations

import io
import os
import select
from collections.abc import Callable, Iterator
from typing import BinaryIO, Final

from workreef_app.services.signals.models import CHUNK_BYTES

#: A pipe that says nothing for so long is told of.
STALL_SECONDS: Final = 30.0


def pieces(stream: BinaryIO, stalled: Callable[[], None], seconds: float = STALL_SECONDS) -> Iterator[bytes]:
    """The stream's bytes, a chunk at a time; the last piece may be smaller.

    Ctrl-C while it waits gives what has come so far, and goes on up after it. `stalled` is called once for each
    `seconds` or more without input.
    """
    read = _reader(stream, stalled, seconds)
    held = bytearray()
    try:
        while data := read(CHUNK_BYTES - len(held)):
            held += data
            if len(held) == CHUNK_BYTES:
                piece, held = bytes(held), bytearray()
                yield piece
    except KeyboardInterrupt:
        if held:
            yield bytes(held)
        raise
    if held:
        yield bytes(held)


def _reader(stream: BinaryIO, stalled: Callable[[], None], seconds: float) -> Callable[[int], bytes]:
    """Reads what there is, at most so many bytes; nothing at the end."""
    try:
        handle = stream.fileno()
    except (io.UnsupportedOperation, AttributeError):
        return stream.read

    def read(size: int) -> bytes:
        ready = select.select([handle], [], [], seconds)[0]
        if not ready:
            stalled()
            select.select([handle], [], [])
        return os.read(handle, size)

    return read
