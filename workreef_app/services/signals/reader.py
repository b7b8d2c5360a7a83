"""Reads a log from a binary stream, line by line, in memory that does not grow with the file or its lines.

Plain text or JSON lines. Every line of the input comes out once, as a `Line` or as a `Skipped` with the reason,
so an import can account for all of them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta, tzinfo
from enum import StrEnum
from typing import NamedTuple

from workreef_app.services.signals.chunks import LineSource
from workreef_app.services.signals.foreign import Fault, fault_of
from workreef_app.services.signals.foreign import UnreadableFile as UnreadableFile
from workreef_app.services.signals.text import has_words, is_storable, without_escapes
from workreef_app.services.signals.timestamps import parse_line, parse_time

MAX_LINE_BYTES = 65_536
"""Without the line end; a longer line is counted and skipped."""

AHEAD = timedelta(days=1)
"""How far ahead of now a line may be dated: clocks and zones differ by less."""

_TIME_KEYS = ("timestamp", "@timestamp", "time", "ts")
_MESSAGE_KEYS = ("message", "msg", "log")
_UTF_8_MARK = b"\xef\xbb\xbf"
_LIMIT = MAX_LINE_BYTES + len(_UTF_8_MARK) + len(b"\r\n")
_DISCARDED = 256 * 1024
_CONTINUATION = re.compile(r"\s|Caused by:|at |\.\.\. \d+ more")


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
class ReaderState:
    """Where a reader is. With it, and the stream at `bytes_read`, another one goes on as if it had been the same."""

    bytes_read: int = 0
    after_record: bool = False
    """A line that continues one would continue a record."""
    begun: bool = False
    """A readable line has come; until then each line may show that this is no text."""
    in_long_line: bool = False
    """The next bytes belong to a line that is already known to be too long."""

    def as_json(self) -> dict[str, int]:
        """The state as a flat object of integers and booleans."""
        return asdict(self)

    @classmethod
    def from_json(cls, stored: Mapping[str, object]) -> ReaderState:
        """The state from `as_json`. Raises ValueError for anything else."""
        match stored:
            case {
                "bytes_read": int(bytes_read), "after_record": bool(after_record), "begun": bool(begun),
                "in_long_line": bool(in_long_line),
            } if len(stored) == 4 and bytes_read >= 0:  # fmt: skip
                return cls(bytes_read, after_record, begun, in_long_line)
        raise ValueError("this is no state of a reader")


@dataclass(frozen=True, slots=True)
class _Dating:
    zone: tzinfo
    year: int | None
    now: datetime


def read_lines(
    stream: LineSource,
    *,
    zone: tzinfo,
    year: int | None,
    now: datetime,
    resume: ReaderState | None = None,
    whole: bool = True,
) -> LineReader:
    """Every line of the stream, in order; the result's `bytes_read` and `state` tell how far it is.

    `zone` and `year` count where lines lack them, `now` (aware) bounds a year that must be guessed. With `resume`
    the stream must stand at its `bytes_read`, and zone, year and `now` must be those of the first reader. With
    `whole=False` the stream was cut off, and a last line without its end is not given.

    Raises `UnreadableFile` at compressed data, UTF-16 or binary data before the first line of text. NUL bytes
    further on, as a crash leaves them, make their line undecodable.
    """
    return LineReader(stream, _Dating(zone, year, now), resume or ReaderState(), whole)


class LineReader(Iterator[Line | Skipped]):
    """The iterator that `read_lines` gives."""

    def __init__(self, stream: LineSource, dating: _Dating, state: ReaderState, whole: bool) -> None:
        self.bytes_read = state.bytes_read
        self._after_record, self._begun, self._in_long_line = state.after_record, state.begun, state.in_long_line
        self._stream = stream
        self._dating = dating
        self._latest = dating.now + AHEAD
        self._whole = whole

    @property
    def state(self) -> ReaderState:
        """Valid at every moment, also after the stream raised in the middle of a line."""
        return ReaderState(self.bytes_read, self._after_record, self._begun, self._in_long_line)

    def __next__(self) -> Line | Skipped:
        if self._in_long_line:
            return self._rest_of_long_line()
        piece = self._stream.readline(_LIMIT)
        if not piece or not (self._whole or piece.endswith(b"\n") or len(piece) == _LIMIT):
            raise StopIteration
        raw = piece.removesuffix(b"\n").removesuffix(b"\r").removeprefix(_UTF_8_MARK)
        if not self._begun:
            self._begin(piece, raw)
        self.bytes_read += len(piece)
        if len(raw) > MAX_LINE_BYTES:
            self._in_long_line = not piece.endswith(b"\n")
            return self._rest_of_long_line()
        outcome = self._outcome(raw)
        if isinstance(outcome, Line):
            self._after_record = True
        elif outcome.reason is not Reason.CONTINUATION:
            self._after_record = False
        return outcome

    def _rest_of_long_line(self) -> Skipped:
        """Passes over it; its bytes count as they come."""
        while self._in_long_line:
            piece = self._stream.readline(_DISCARDED)
            if not piece and not self._whole:
                raise StopIteration
            self.bytes_read += len(piece)
            self._in_long_line = bool(piece) and not piece.endswith(b"\n")
        self._after_record = False
        return Skipped(Reason.TOO_LONG)

    def _begin(self, piece: bytes, raw: bytes) -> None:
        """Refuses what is no text, until a line has shown that it is."""
        if fault := fault_of(piece, self.bytes_read):
            raise UnreadableFile(fault)
        if b"\r" in raw and not piece.endswith(b"\n") and self._is_dated_twice(raw):
            raise UnreadableFile(Fault.BARE_CR)
        self._begun = b"\x00" not in raw and has_words(raw)

    def _is_dated_twice(self, raw: bytes) -> bool:
        parts = (self._outcome(part) for part in raw.split(b"\r", 3)[:3])
        return sum(isinstance(part, Line) for part in parts) > 1

    def _outcome(self, raw: bytes) -> Line | Skipped:
        try:
            text = raw.decode("utf-8")
        except UnicodeDecodeError:
            return Skipped(Reason.UNDECODABLE)
        if "\x00" in text:
            return Skipped(Reason.UNDECODABLE)
        if not text or text.isspace():
            return Skipped(Reason.EMPTY)
        text = without_escapes(text)
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
        message = _first(fields, _MESSAGE_KEYS)
        if not isinstance(message, str):
            return Skipped(Reason.NO_MESSAGE)
        if not is_storable(message):
            return Skipped(Reason.UNDECODABLE)
        message = without_escapes(message).strip()
        if not message:
            return Skipped(Reason.NO_MESSAGE)
        value = _first(fields, _TIME_KEYS)
        if not isinstance(value, str | int | float) or isinstance(value, bool):
            return Skipped(Reason.UNDATED)
        at = parse_time(value, zone=self._dating.zone, year=self._dating.year, now=self._dating.now)
        return self._dated(at, message, raw) if at else Skipped(Reason.UNDATED)

    def _dated(self, at: datetime, message: str, raw: bytes) -> Line | Skipped:
        return Skipped(Reason.FUTURE) if at > self._latest else Line(at, message, raw)


def _first(fields: dict[str, object], keys: tuple[str, ...]) -> object:
    for key in keys:
        if key in fields:
            return fields[key]
    return None


def _json_object(text: str) -> dict[str, object] | None:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None
