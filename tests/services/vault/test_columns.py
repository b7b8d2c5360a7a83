"""Columns: what is sealed, how each one is bounded, and that none is read without a cipher."""

from __future__ import annotations

from enum import StrEnum
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import CheckConstraint, Column, MetaData, Table, Text
from sqlalchemy.dialects import postgresql

from workreef_app.services.vault import columns
from workreef_app.services.vault.cipher import Cipher
from workreef_app.services.vault.columns import Form, Sealed, Sensitivity, one_of, using
from workreef_app.services.vault.errors import Unsealable

CIPHER = Cipher(UUID(int=1), UUID(int=2), bytes(32))
OTHER = Cipher(UUID(int=3), UUID(int=2), bytes(32))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)
DIALECT = postgresql.dialect()  # type: ignore[no-untyped-call]


def through(kind: Sealed, value: Any) -> Any:
    """The value as it comes back from the database."""
    with using(CIPHER):
        return kind.process_result_value(kind.process_bind_param(value, DIALECT), DIALECT)


@given(st.text())
def test_text_comes_back(value: str) -> None:
    assert through(Sealed(Form.TEXT, "t", "c"), value) == value


@given(JSON)
def test_json_comes_back(value: Any) -> None:
    assert through(Sealed(Form.JSON, "t", "c"), value) == value


def test_a_summary_comes_back_cut_and_without_its_padding() -> None:
    kind = Sealed(Form.SUMMARY, "t", "c")
    assert through(kind, "disk full") == "disk full"
    assert through(kind, "") == ""
    assert through(kind, "x" * 300) == "x" * 240


def test_nothing_stays_nothing() -> None:
    assert through(Sealed(Form.TEXT, "t", "c"), None) is None


def test_without_a_cipher_nothing_is_written_or_read() -> None:
    kind = Sealed(Form.TEXT, "t", "c")
    with using(CIPHER):
        sealed = kind.process_bind_param("Ann", DIALECT)
    with pytest.raises(LookupError):
        kind.process_bind_param("Ann", DIALECT)
    with pytest.raises(LookupError):
        kind.process_result_value(sealed, DIALECT)


def test_the_cipher_of_the_inner_block_counts_and_the_outer_one_comes_back() -> None:
    kind = Sealed(Form.TEXT, "t", "c")
    with using(CIPHER):
        sealed = kind.process_bind_param("Ann", DIALECT)
        with using(OTHER), pytest.raises(Unsealable):
            kind.process_result_value(sealed, DIALECT)
        assert kind.process_result_value(sealed, DIALECT) == "Ann"


def declared(name: str, field: Any) -> tuple[Column[Any], str]:
    """The column of a field in a table, and the rule that it was given."""
    column: Column[Any] = field.sa_column
    column.name = column.key = name
    table = Table("thing", MetaData(), column)
    rules = [str(c.sqltext) for c in table.constraints if isinstance(c, CheckConstraint)]
    return table.c[name], rules[0] if rules else ""


def test_a_sealed_column_knows_where_it_stands_and_is_bounded() -> None:
    column, rule = declared("name", columns.sealed(Sensitivity.PERSONAL, limit=10))
    kind = column.type
    assert isinstance(kind, Sealed)
    assert (kind.table, kind.column) == ("thing", "name")
    assert rule == "octet_length(name) BETWEEN 45 AND 85 AND get_byte(name, 0) = 1"


def test_a_summary_has_one_length() -> None:
    assert declared("said", columns.sealed_summary(Sensitivity.PERSONAL))[1] == (
        "octet_length(said) = 285 AND get_byte(said, 0) = 1"
    )


def test_clear_text_is_bounded_by_its_pattern_or_its_length() -> None:
    kind = columns.clear(Sensitivity.INTERNAL, Text, pattern="^[a-z]{1,9}$")
    assert declared("kind", kind)[1] == "kind ~ '^[a-z]{1,9}$'"
    assert declared("host", columns.clear(Sensitivity.INTERNAL, Text, limit=9))[1] == "char_length(host) <= 9"
    assert declared("hash", columns.lookup())[1] == "octet_length(hash) = 32"


def test_one_of_is_a_pattern_of_exactly_these() -> None:
    class Kind(StrEnum):
        ONE = "one"
        TWO = "two"

    assert one_of(Kind) == "^(one|two)$"
