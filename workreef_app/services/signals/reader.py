"""Reads a log from a binary stream, line by line, in memory that does not grow with the file or its lines.

Plain text or JSON lines. Every line of the input comes out once, as a `Line` or as a `Skipped` with the reason,
so an import can account for all of them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from enum import StrEnum
from typing import BinaryIO, NamedTuple

from workreef_app.services.signals.timestamps import parse_line, parse_time

MAX_LINE_BYTES = 65_536
"""Without the line end; a longer line is counted and skipped."""

AHEAD = timedelta(days=1)
"""How far ahead of now a line may be dated: clocks and zones differ by less."""

_TIME_KEYS = ("timestamp", "@timestamp", "time", "ts")
_MESSAGE_KEYS = ("message", "msg", "log")
_UTF_8_MARK = b"\xef\xbb\xbf"
_CONTINUATION = re.compile(r"\s|Caused by:|at |\.\.\. \d+ more")
_FOREIGN = (
    (b"\x1f\x8b", "gzip data; decompress it first (gunzip)"),
    (b"BZh", "bzip2 data; decompress it first (bunzip2)"),
    (b"\xfd7zXZ\x00", "xz data; decompress it first (unxz)"),
    (b"\x28\xb5\x2f\xfd", "Zstandard data; decompress it first (unzstd)"),
    (b"PK\x03\x04", "a zip archive; unpack it first (unzip)"),
    (b"\xff\xfe", "UTF-16 text; convert it first (iconv -f UTF-16 -t UTF-8)"),
    (b"\xfe\xff", "UTF-16 text; convert it first (iconv -f UTF-16 -t UTF-8)"),
)


class UnreadableFile(ValueError):
    """The input is no text log at all; the message says what it is and what to do."""


class Reason(StrEnum):
    """Why a line is not a record of its own."""

    UNDATED = "undated"
    UNDECODABLE = "undecodable"
    TOO_LONG = "too_long"
    EMPTY = "empty"
    """A blank line; not a fault."""
    NO_MESSAGE = "no_message"
    CONTINUATION = "continuation"
    """Part of the record before it, such as a stack trace; not a fault."""
    FUTURE = "future"
    """Dated more than a day ahead: a wrong clock, which would move the window that everything is measured over."""


class Line(NamedTuple):
    """A dated record. `raw` is the line as read, without its end; its identity is computed from that."""

    at: datetime
    message: str
    raw: bytes


class Skipped(NamedTuple):
    """A line that gives no record."""

    reason: Reason


@dataclass(frozen=True, slots=True)
class _Dating:
    zone: tzinfo
    year: int | None
    now: datetime


def read_lines(stream: BinaryIO, *, zone: tzinfo, year: int | None, now: datetime) -> LineReader:
    """Every line of the stream, in order; the result's `bytes_read` tells how far it is.

    `zone` and `year` count where lines lack them, `now` (aware) bounds a year that must be guessed.
    Raises `UnreadableFile` at the first line of compressed data, UTF-16 or binary data. NUL bytes further on,
    as a crash leaves them, make their line undecodable.
    """
    return LineReader(stream, _Dating(zone, year, now))


class LineReader(Iterator[Line | Skipped]):
    """The iterator that `read_lines` gives."""

    def __init__(self, stream: BinaryIO, dating: _Dating) -> None:
        self.bytes_read = 0
        self._stream = stream
        self._dating = dating
        self._after_record = False

    def __next__(self) -> Line | Skipped:
        at_start = self.bytes_read == 0
        piece = self._stream.readline(MAX_LINE_BYTES + 2)
        if not piece:
            raise StopIteration
        self.bytes_read += len(piece)
        if at_start:
            _refuse_foreign(piece)
            piece = piece.removeprefix(_UTF_8_MARK)
        raw = piece.removesuffix(b"\n").removesuffix(b"\r")
        if len(raw) > MAX_LINE_BYTES:
            self._discard_rest(piece)
            outcome: Line | Skipped = Skipped(Reason.TOO_LONG)
        else:
            outcome = self._outcome(raw)
        if isinstance(outcome, Line):
            self._after_record = True
        elif outcome.reason is not Reason.CONTINUATION:
            self._after_record = False
        return outcome

    def _discard_rest(self, piece: bytes) -> None:
        while piece and not piece.endswith(b"\n"):
            piece = self._stream.readline(MAX_LINE_BYTES)
            self.bytes_read += len(piece)

    def _outcome(self, raw: bytes) -> Line | Skipped:
        try:
            text = raw.decode("utf-8")
        except UnicodeDecodeError:
            return Skipped(Reason.UNDECODABLE)
        if "\x00" in text:
            return Skipped(Reason.UNDECODABLE)
        if not text or text.isspace():
            return Skipped(Reason.EMPTY)
        if text.startswith("{") and (fields := _json_object(text)) is not None:
            return self._from_fields(fields, raw)
        stamped = parse_line(text, zone=self._dating.zone, year=self._dating.year, now=self._dating.now)
        if stamped is None:
            continues = self._after_record and _CONTINUATION.match(text)
            return Skipped(Reason.CONTINUATION if continues else Reason.UNDATED)
        if not stamped.message.strip():
            return Skipped(Reason.NO_MESSAGE)
        return self._dated(stamped.at, stamped.message.strip(), raw)

    def _from_fields(self, fields: dict[str, object], raw: bytes) -> Line | Skipped:
        message = next((fields[key] for key in _MESSAGE_KEYS if key in fields), None)
        if not isinstance(message, str) or not message.strip():
            return Skipped(Reason.NO_MESSAGE)
        value = next((fields[key] for key in _TIME_KEYS if key in fields), None)
        if not isinstance(value, str | int | float) or isinstance(value, bool):
            return Skipped(Reason.UNDATED)
        at = parse_time(value, zone=self._dating.zone, year=self._dating.year, now=self._dating.now)
        return self._dated(at, message.strip(), raw) if at else Skipped(Reason.UNDATED)

    def _dated(self, at: datetime, message: str, raw: bytes) -> Line | Skipped:
        return Skipped(Reason.FUTURE) if at > self._dating.now + AHEAD else Line(at, message, raw)


def _refuse_foreign(start: bytes) -> None:
    for magic, what in _FOREIGN:
        if start.startswith(magic):
            raise UnreadableFile(f"This is {what}.")
    if b"\x00" in start:
        raise UnreadableFile(
            "This holds NUL bytes, so it is binary data or UTF-16 text; convert it to UTF-8 text first."
        )


def _json_object(text: str) -> dict[str, object] | None:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None
