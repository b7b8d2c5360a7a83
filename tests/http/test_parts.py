"""A multipart form as it comes: the same parts however it is cut on the wire, and nothing held of its files."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workreef_app.http.parts import FIELD_BYTES, FIELDS, Field, FileBegins, FileEnds, Part, Parts, Piece
from workreef_app.services.operation import Invalid

KIND = "multipart/form-data; boundary=edge"


def field(name: str, value: bytes, file_name: str | None = None) -> bytes:
    """One part as a browser writes it."""
    disposition = f'form-data; name="{name}"' + (f'; filename="{file_name}"' if file_name is not None else "")
    return f"--edge\r\nContent-Disposition: {disposition}\r\n\r\n".encode() + value + b"\r\n"


def read(pieces: list[bytes], kind: str = KIND) -> tuple[list[Part], bool]:
    """All parts, adjoining pieces joined, and whether the form's end has come."""
    parts, found = Parts(kind), list[Part]()
    for piece in pieces:
        for part in parts.feed(piece):
            last = found[-1] if found else None
            if isinstance(part, Piece) and isinstance(last, Piece):
                found[-1] = Piece(last.content + part.content)
            else:
                found.append(part)
    return found, parts.complete


@given(content=st.binary(max_size=300), cuts=st.lists(st.integers(0, 700), max_size=8))
def test_the_parts_are_the_same_however_the_body_is_cut(content: bytes, cuts: list[int]) -> None:
    content = content.replace(b"\r\n--edge", b"")
    body = field("kind", b"log_file") + field("file", content, "a.log") + b"--edge--\r\n"
    edges = [0, *sorted(min(cut, len(body)) for cut in cuts), len(body)]
    pieces = [body[a:b] for a, b in pairwise(edges)]
    file = [Piece(content)] if content else []
    assert read(pieces) == ([Field("kind", "log_file"), FileBegins("a.log"), *file, FileEnds()], True)


def test_what_looks_like_an_edge_within_a_file_belongs_to_it() -> None:
    content = b"\r\n--edg\r\n--edgy\r--edge\n--edge--"
    found, complete = read([field("file", content, "a.log"), b"--edge--"])
    assert found[1] == Piece(content)
    assert complete


def test_a_form_without_its_end_is_not_complete() -> None:
    body = field("file", b"a line\nhalf a li", "a.log")[:-5]
    found, complete = read([body])
    assert found == [FileBegins("a.log"), Piece(b"a line\nhalf a")]
    assert not complete


def test_names_are_text_whatever_their_bytes() -> None:
    body = field("file", b"", "Bücher \u202e日志.log")
    assert read([body])[0][0] == FileBegins("Bücher \u202e日志.log")
    broken = body.replace("Bücher".encode(), b"B\xfccher")
    assert read([broken])[0][0] == FileBegins("B\ufffdcher \u202e日志.log")


@pytest.mark.parametrize("kind", ["", "application/json", "multipart/form-data", "multipart/mixed; boundary=edge",
                                  "multipart/form-data; boundary=" + "x" * 400])
def test_another_kind_of_body_is_refused(kind: str) -> None:
    with pytest.raises(Invalid):
        Parts(kind)


@pytest.mark.parametrize("body", [
    b"no edge at all", b"--edge\r\nbroken header\r\n\r\n", b"--edge\r\nContent-Type: text/plain\r\n\r\nx\r\n--edge--",
    b"--edge\r\nX: " + b"y" * 100_000,
])
def test_a_broken_form_is_refused(body: bytes) -> None:
    with pytest.raises(Invalid, match="broken"):
        read([body])


def test_fields_are_bounded() -> None:
    with pytest.raises(Invalid, match="too long"):
        read([field("kind", b"x" * (FIELD_BYTES + 1))])
    with pytest.raises(Invalid, match="more than"):
        read([field("kind", b"x")] * (FIELDS + 1))
