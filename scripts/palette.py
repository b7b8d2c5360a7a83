"""A PNG of the browser's with at most 256 colours: a quarter of the bytes, and no library for pictures."""

from __future__ import annotations

import struct
import zlib
from collections import Counter
from collections.abc import Iterator

SIGNATURE = b"\x89PNG\r\n\x1a\n"
Colour = tuple[int, int, int]


def with_palette(png: bytes) -> bytes:
    """The same picture with its 256 most frequent colours (PNG, third edition, 11.2.2); others become the nearest.

    Takes eight-bit RGB without interlacing, which is what Chromium writes for a page.
    """
    width, height, depth, kind, _, _, interlaced = struct.unpack(">IIBBBBB", dict(chunks(png))[b"IHDR"])
    if (depth, kind, interlaced) != (8, 2, 0):
        raise ValueError("not an eight-bit RGB picture without interlacing")
    raw = zlib.decompress(b"".join(body for name, body in chunks(png) if name == b"IDAT"))
    rows = [list(zip(*(line[i::3] for i in range(3)), strict=True)) for line in unfiltered(raw, width * 3)]
    frequent = [colour for colour, _ in Counter(colour for row in rows for colour in row).most_common(256)]
    place = {colour: i for i, colour in enumerate(frequent)}
    for colour in {colour for row in rows for colour in row} - place.keys():
        place[colour] = min(range(len(frequent)), key=lambda i: distance(colour, frequent[i]))
    lines = b"".join(b"\0" + bytes(place[colour] for colour in row) for row in rows)
    return SIGNATURE + b"".join((
        chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)),
        chunk(b"PLTE", b"".join(bytes(colour) for colour in frequent)),
        chunk(b"IDAT", zlib.compress(lines, 9)), chunk(b"IEND", b""),
    ))


def distance(one: Colour, other: Colour) -> int:
    """How far apart two colours are, squared."""
    return sum((a - b) ** 2 for a, b in zip(one, other, strict=True))


def chunk(name: bytes, body: bytes) -> bytes:
    """A chunk with its length and check sum."""
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def chunks(png: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The chunks' names and bodies, in order."""
    at = len(SIGNATURE)
    while at < len(png):
        length = struct.unpack(">I", png[at : at + 4])[0]
        yield png[at + 4 : at + 8], png[at + 8 : at + 8 + length]
        at += length + 12


def unfiltered(raw: bytes, size: int) -> Iterator[bytes]:
    """The lines of an RGB picture (PNG, third edition, 9.2)."""
    above = bytes(size)
    for start in range(0, len(raw), size + 1):
        kind, line = raw[start], bytearray(raw[start + 1 : start + 1 + size])
        for i in range(size) if kind else ():
            left, up, corner = (line[i - 3], above[i], above[i - 3]) if i >= 3 else (0, above[i], 0)
            line[i] = (line[i] + (left, up, (left + up) // 2, nearest(left, up, corner))[kind - 1]) & 255
        above = bytes(line)
        yield above


def nearest(left: int, up: int, corner: int) -> int:
    """Paeth's predictor."""
    estimate = left + up - corner
    return min((left, up, corner), key=lambda value: abs(estimate - value))
