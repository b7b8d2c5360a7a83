"""A multipart form as it comes over the wire: its fields whole, its files piece by piece. Nothing else is held."""

from __future__ import annotations

from dataclasses import dataclass

from python_multipart import MultipartParser
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import parse_options_header

from workreef_app.services.operation import Invalid

#: Fields of a form, files among them, and the bytes of one that is no file.
FIELDS = 32
FIELD_BYTES = 4096


@dataclass(frozen=True, slots=True)
class Field:
    """A field that is no file."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class FileBegins:
    """A file begins; its name is empty where none was chosen."""

    file_name: str


@dataclass(frozen=True, slots=True)
class Piece:
    """The next bytes of the file that began last."""

    content: bytes


@dataclass(frozen=True, slots=True)
class FileEnds:
    """The file that began last has come whole."""


Part = Field | FileBegins | Piece | FileEnds


class Parts:
    """Cuts a form's body into its parts. `complete` once the form's own end has come.

    Raises Invalid for what is no form, from the constructor and from `feed`.
    """

    def __init__(self, content_type: str) -> None:
        kind, options = parse_options_header(content_type)
        boundary = options.get(b"boundary", b"")
        if kind != b"multipart/form-data" or not boundary:
            raise Invalid("Send this as a form with files (multipart/form-data).")
        self.complete = False
        self._found: list[Part] = []
        self._header = self._value = self._disposition = self._content = b""
        self._name, self._is_file, self._count = "", False, 0
        try:
            self._parser = MultipartParser(boundary, {
                "on_part_begin": self._begin, "on_header_field": self._on_header, "on_header_value": self._on_value,
                "on_header_end": self._header_ends, "on_headers_finished": self._headers_end,
                "on_part_data": self._data, "on_part_end": self._end, "on_end": self._all,
            })
        except FormParserError:
            raise _broken() from None

    def feed(self, data: bytes) -> list[Part]:
        """The parts, or pieces of parts, that these bytes bring."""
        try:
            self._parser.write(data)
        except FormParserError:
            raise _broken() from None
        found, self._found = self._found, []
        return found

    def _begin(self) -> None:
        self._count += 1
        if self._count > FIELDS:
            raise Invalid(f"The form has more than {FIELDS} fields.")
        self._disposition = self._content = b""

    def _on_header(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def _on_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _header_ends(self) -> None:
        if self._header.lower() == b"content-disposition":
            self._disposition = self._value
        self._header = self._value = b""

    def _headers_end(self) -> None:
        _, options = parse_options_header(self._disposition)
        self._name = options.get(b"name", b"").decode(errors="replace")
        self._is_file = b"filename" in options
        if not self._name:
            raise _broken()
        if self._is_file:
            self._found.append(FileBegins(options[b"filename"].decode(errors="replace")))

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._is_file:
            self._found.append(Piece(data[start:end]))
            return
        self._content += data[start:end]
        if len(self._content) > FIELD_BYTES:
            raise Invalid("A field is too long.", fields={self._name: f"is longer than {FIELD_BYTES} bytes"})

    def _end(self) -> None:
        self._found.append(
            FileEnds() if self._is_file else Field(self._name, self._content.decode(errors="replace"))
        )

    def _all(self) -> None:
        self.complete = True


def _broken() -> Invalid:
    return Invalid("The form is broken. Load the page again and send it once more.")
