"""Sealing: what goes in comes out, and only for the same tenant, table, column and key."""

from __future__ import annotations

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workreef_app.services.vault.cipher import (
    FORMAT,
    OVERHEAD,
    SUMMARY_SEALED,
    Cipher,
    associated_data,
    cut_summary,
)
from workreef_app.services.vault.errors import Unsealable

TENANT, OTHER_TENANT = UUID(int=1), UUID(int=2)
KEY_ID = UUID("0190a6b4-77aa-7c3d-9e51-5f2b8c4d6e70")
OTHER_KEY_ID = UUID("0190a6b4-77aa-7c3d-9e51-5f2b8c4d6e71")
KEY, OTHER_KEY = bytes(range(32)), bytes(range(1, 33))
CIPHER = Cipher(TENANT, KEY_ID, KEY)


@given(st.binary(max_size=600), st.text(max_size=20), st.text(max_size=20))
def test_what_is_sealed_opens(plain: bytes, table: str, column: str) -> None:
    sealed = CIPHER.seal(table, column, plain)
    assert CIPHER.open(table, column, sealed) == plain
    assert len(sealed) == len(plain) + OVERHEAD
    assert (sealed[0], sealed[1:17]) == (FORMAT, KEY_ID.bytes)


@given(st.binary(min_size=8, max_size=60))
def test_nothing_of_the_value_is_in_the_sealed_form_and_equal_values_differ(plain: bytes) -> None:
    one, two = CIPHER.seal("person", "name", plain), CIPHER.seal("person", "name", plain)
    assert plain not in one
    assert one != two


@pytest.mark.parametrize(
    ("cipher", "table", "column"),
    [
        (Cipher(OTHER_TENANT, KEY_ID, KEY), "person", "name"),
        (Cipher(TENANT, KEY_ID, OTHER_KEY), "person", "name"),
        (Cipher(TENANT, OTHER_KEY_ID, KEY), "person", "name"),
        (CIPHER, "task", "name"),
        (CIPHER, "person", "email"),
        (CIPHER, "perso", "nname"),
    ],
)
def test_it_opens_nowhere_else(cipher: Cipher, table: str, column: str) -> None:
    sealed = CIPHER.seal("person", "name", b"Ann")
    with pytest.raises(Unsealable):
        cipher.open(table, column, sealed)


@given(st.data())
def test_a_changed_byte_does_not_open(data: st.DataObject) -> None:
    sealed = bytearray(CIPHER.seal("person", "name", b"Ann Example"))
    place = data.draw(st.integers(0, len(sealed) - 1))
    sealed[place] ^= data.draw(st.integers(1, 255))
    with pytest.raises(Unsealable):
        CIPHER.open("person", "name", bytes(sealed))


@given(st.integers(0, OVERHEAD + 10))
def test_a_cut_value_does_not_open(length: int) -> None:
    with pytest.raises(Unsealable):
        CIPHER.open("person", "name", CIPHER.seal("person", "name", b"Ann Example")[:length])


@given(st.lists(st.text(max_size=6), max_size=4), st.lists(st.text(max_size=6), max_size=4))
def test_associated_data_tells_lists_apart(one: list[str], two: list[str]) -> None:
    assert (associated_data(*one) == associated_data(*two)) == (one == two)


@given(st.text(max_size=30), st.text(max_size=30))
def test_an_index_is_equal_for_equal_values_of_one_column_only(one: str, two: str) -> None:
    first = CIPHER.index("person", "email", one)
    assert len(first) == 32
    assert (first == CIPHER.index("person", "email", two)) == (one == two)
    assert first != CIPHER.index("person", "name", one)
    assert first != Cipher(OTHER_TENANT, KEY_ID, KEY).index("person", "email", one)
    assert first != Cipher(TENANT, KEY_ID, OTHER_KEY).index("person", "email", one)


def test_the_key_is_not_shown() -> None:
    assert repr(KEY) not in repr(CIPHER)
    assert KEY.hex() not in repr(CIPHER)


@given(st.text(max_size=400))
def test_a_summary_is_always_240_bytes_and_a_whole_beginning_of_the_text(text: str) -> None:
    cut = cut_summary(text)
    assert len(cut) == 240
    kept = cut.decode().rstrip(" ")
    assert text.startswith(kept)
    assert len(kept) <= 240


@pytest.mark.parametrize("character", ["a", "é", "€", "𝄞"])
@pytest.mark.parametrize("before", range(4))
def test_a_summary_is_never_cut_within_a_character(character: str, before: int) -> None:
    text = "x" * before + character * 300
    kept = cut_summary(text).decode().rstrip(" ")
    fitting = (240 - before) // len(character.encode())
    assert kept == "x" * before + character * fitting


def test_a_summary_takes_text_that_is_no_text() -> None:
    assert cut_summary("a\ud800b").rstrip() == b"a?b"


def test_every_sealed_summary_has_one_length() -> None:
    lengths = {len(CIPHER.seal("observation", "summary", cut_summary(t))) for t in ("", "a", "ü" * 500)}
    assert lengths == {SUMMARY_SEALED} == {285}
