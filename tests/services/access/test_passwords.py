"""Which passwords may be chosen, and that the list of common ones is the one that its script makes."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scripts import common_passwords
from workreef_app.services.access import passwords
from workreef_app.services.access.passwords import MAXIMUM, MINIMUM, fault, known_parts

KNOWN = known_parts("dana.ito@meridian.example", "Dana Ito", ("Meridian Health", "health"))


@pytest.mark.parametrize("password", [
    "correct horse battery staple", "four purple giraffes whistle", "zu5%Tq!nW8)f", "пароль без словаря вовсе",
    "dana likes purple giraffes", "healthy giraffes whistle", "x" * 11 + "yzw" + "ab", "1 2 3 4 5 6 7 8 9 a b c",
])
def test_a_long_uncommon_password_is_taken_whatever_it_is_made_of(password: str) -> None:
    assert fault(password, KNOWN) is None


@pytest.mark.parametrize(("password", "why"), [
    ("", "at least"), ("x" * (MINIMUM - 1), "at least"), ("ab cd " * 40, "at most"),
    ("password1234", "common"), ("PassWord1234", "common"), ("qwertyuiop123", "common"),
    ("correcthorsebatterystaple", "common"), ("aaaaaaaaaaaaaaa", "common"), ("abababababababab", "common"),
    ("ｐassword1234", "common"),
    ("dana.ito@meridian.example", "made of"), ("Dana Ito Dana Ito", "made of"), ("danaito12345!", "made of"),
    ("MeridianHealth1", "made of"), ("meridian-health", "made of"),
])
def test_a_password_that_is_tried_first_is_refused(password: str, why: str) -> None:
    wrong = fault(password, KNOWN)
    assert wrong is not None
    assert why in wrong


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=MAXIMUM + 20))
def test_what_is_refused_says_why_and_what_is_short_is_never_taken(password: str) -> None:
    wrong = fault(password, KNOWN)
    if not MINIMUM <= len(password) <= MAXIMUM:
        assert wrong is not None
    assert wrong is None or wrong.split()[0] in {"must", "is"}


def test_the_list_is_what_its_script_makes_and_holds_what_could_be_tried() -> None:
    assert common_passwords.FILE.read_text() == common_passwords.text()
    assert common_passwords.MINIMUM == MINIMUM
    assert len(passwords.common()) > 3000
    assert all(word == word.casefold() and len(word) >= MINIMUM for word in passwords.common())
