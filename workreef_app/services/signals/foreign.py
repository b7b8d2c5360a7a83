"""What is no text log: which faults a file can have as a whole, and how its first lines give it away."""

from __future__ import annotations

from enum import StrEnum


class Fault(StrEnum):
    """Why a file cannot be read, or not further."""

    GZIP = "gzip"
    BZIP2 = "bzip2"
    XZ = "xz"
    ZSTANDARD = "zstandard"
    ZIP = "zip"
    UTF_16 = "utf_16"
    UTF_16_LE = "utf_16_le"
    """Without a byte-order mark."""
    UTF_16_BE = "utf_16_be"
    """Without a byte-order mark."""
    UTF_32 = "utf_32"
    BINARY = "binary"
    BARE_CR = "bare_cr"
    """Lines that end in a carriage return alone."""
    NOT_GZIP = "not_gzip"
    GZIP_TWICE = "gzip_twice"
    GZIP_CUT = "gzip_cut"
    GZIP_DAMAGED = "gzip_damaged"
    GZIP_BOMB = "gzip_bomb"


#: What the file is and what to do, for people.
TOLD: dict[Fault, str] = {
    Fault.GZIP: "This is gzip data; import it with --gzip, or decompress it first (gunzip).",
    Fault.BZIP2: "This is bzip2 data; decompress it first (bunzip2).",
    Fault.XZ: "This is xz data; decompress it first (unxz).",
    Fault.ZSTANDARD: "This is Zstandard data; decompress it first (unzstd).",
    Fault.ZIP: "This is a zip archive; unpack it first (unzip).",
    Fault.UTF_16: "This is UTF-16 text; convert it first (iconv -f UTF-16 -t UTF-8).",
    Fault.UTF_16_LE: "This is UTF-16 text, little-endian without a mark; convert it (iconv -f UTF-16LE -t UTF-8).",
    Fault.UTF_16_BE: "This is UTF-16 text, big-endian without a mark; convert it (iconv -f UTF-16BE -t UTF-8).",
    Fault.UTF_32: "This is UTF-32 text; convert it first (iconv -f UTF-32 -t UTF-8).",
    Fault.BINARY: "This holds NUL bytes before any line of text, so it is binary data and no log.",
    Fault.BARE_CR: "Its lines end in a carriage return alone; convert them first (tr '\\r' '\\n').",
    Fault.NOT_GZIP: "This is not gzip data; import it without --gzip.",
    Fault.GZIP_TWICE: "This was compressed with gzip twice; decompress it once first (gunzip).",
    Fault.GZIP_CUT: "The gzip data ends early: the file was cut off. What came before is whole.",
    Fault.GZIP_DAMAGED: "The gzip data is damaged from here on. What came before is whole.",
    Fault.GZIP_BOMB: "The gzip data unpacks to more than any log does; decompress it first and look at it.",
}

_MAGIC = (
    (b"\x1f\x8b", Fault.GZIP),
    (b"BZh", Fault.BZIP2),
    (b"\xfd7zXZ\x00", Fault.XZ),
    (b"\x28\xb5\x2f\xfd", Fault.ZSTANDARD),
    (b"PK\x03\x04", Fault.ZIP),
    (b"\xff\xfe\x00\x00", Fault.UTF_32),
    (b"\x00\x00\xfe\xff", Fault.UTF_32),
    (b"\xff\xfe", Fault.UTF_16),
    (b"\xfe\xff", Fault.UTF_16),
)


class UnreadableFile(ValueError):
    """The input is no text log, or none from here on; the message says what it is and what to do."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(TOLD[fault])
        self.fault = fault


def fault_of(piece: bytes, offset: int) -> Fault | None:
    """What gives a file away in a line before which there was no readable one; `offset` is where the line starts."""
    if offset == 0:
        for magic, fault in _MAGIC:
            if piece.startswith(magic):
                return fault
    # A log that was cut while it was written to begins with a hole: NUL bytes, and then text as ever.
    if b"\x00" not in piece.lstrip(b"\x00"):
        return None
    halves = piece[offset % 2 :: 2], piece[1 - offset % 2 :: 2]
    even, odd = (half.count(0) for half in halves)
    if not even and odd * 8 >= len(halves[1]):
        return Fault.UTF_16_LE
    if not odd and even * 8 >= len(halves[0]):
        return Fault.UTF_16_BE
    return Fault.BINARY
