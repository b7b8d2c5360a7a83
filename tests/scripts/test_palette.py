"""Pictures with a palette hold the same picture."""

from __future__ import annotations

import struct
import zlib

import pytest

from scripts.palette import SIGNATURE, chunk, chunks, nearest, with_palette

WIDTH = 5


def filtered(rows: list[bytes], kind: int) -> bytes:
    """Lines under one of PNG's five filters."""
    out, above = b"", bytes(WIDTH * 3)
    for row in rows:
        line = []
        for i, value in enumerate(row):
            left, corner = (row[i - 3], above[i - 3]) if i >= 3 else (0, 0)
            guess = (0, left, above[i], (left + above[i]) // 2, nearest(left, above[i], corner))[kind]
            line.append((value - guess) & 255)
        out, above = out + bytes([kind, *line]), row
    return out


def picture(rows: list[bytes], kind: int = 0, colours: int = 2) -> bytes:
    header = struct.pack(">IIBBBBB", WIDTH, len(rows), 8, colours, 0, 0, 0)
    body = zlib.compress(filtered(rows, kind))
    return SIGNATURE + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def pixels(png: bytes) -> list[bytes]:
    """The rows of a picture with a palette, as RGB."""
    parts = dict(chunks(png))
    palette = [parts[b"PLTE"][i : i + 3] for i in range(0, len(parts[b"PLTE"]), 3)]
    raw = zlib.decompress(parts[b"IDAT"])
    lines = [raw[at + 1 : at + 1 + WIDTH] for at in range(0, len(raw), WIDTH + 1)]
    return [b"".join(palette[index] for index in line) for line in lines]


@pytest.mark.parametrize("kind", range(5))
def test_few_colours_stay_exactly_what_they_were(kind: int) -> None:
    rows = [bytes((y * 90 + x * 7 + c * 31) % 256 for x in range(WIDTH) for c in range(3)) for y in range(4)]
    assert pixels(with_palette(picture(rows, kind))) == rows


def test_the_rarest_colours_become_the_nearest() -> None:
    grey = [bytes([value] * 3 * WIDTH) for value in range(256)]
    shown = pixels(with_palette(picture([*grey, bytes([9, 9, 10] + [0] * 12)])))
    assert shown[:256] == grey
    assert shown[256] == bytes([9, 9, 9] + [0] * 12)


def test_another_kind_of_picture_is_refused() -> None:
    with pytest.raises(ValueError, match="not an eight-bit RGB picture"):
        with_palette(picture([bytes(WIDTH * 3)], colours=6))
