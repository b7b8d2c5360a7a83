"""What a browser keeps of a sign-in on its way: sealed for one place, expiring, unguessable."""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workreef_app.services.sso.flow import LONGEST_COOKIE, LONGEST_PATH, Place, begin, seal, unseal

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
HERE = Place(UUID(int=1), "acme.example.com", "s" * 40)
FLOW = begin("https://id.example.com", "workreef", "/tasks?a=ä", NOW)


def test_what_was_sealed_comes_back() -> None:
    assert unseal(seal(FLOW, HERE), HERE) == FLOW
    assert seal(FLOW, HERE) != seal(FLOW, HERE)


@pytest.mark.parametrize("place", [
    replace(HERE, tenant_id=UUID(int=2)), replace(HERE, host="other.example.com"), replace(HERE, secret="t" * 40),
])
def test_it_opens_nowhere_else(place: Place) -> None:
    assert unseal(seal(FLOW, HERE), place) is None


@settings(max_examples=100, deadline=None)
@given(place=st.integers(0, 10_000), bit=st.integers(0, 7))
def test_one_changed_bit_is_enough(place: int, bit: int) -> None:
    raw = bytearray(urlsafe_b64decode(seal(FLOW, HERE)))
    raw[place % len(raw)] ^= 1 << bit
    assert unseal(urlsafe_b64encode(bytes(raw)).decode(), HERE) is None


@settings(max_examples=100, deadline=None)
@given(value=st.text(max_size=200))
def test_anything_else_is_no_flow(value: str) -> None:
    assert unseal(value, HERE) is None


def test_a_cookie_is_never_too_long_for_a_browser() -> None:
    longest = begin("https://" + "i" * 492, "c" * 200, "/" + "ä" * (LONGEST_PATH - 1), NOW)
    cut = begin("https://id.example.com", "c", "/" + "a" * LONGEST_PATH, NOW)
    assert cut.then == ""
    assert unseal("A" * (LONGEST_COOKIE + 1), HERE) is None
    sealed = seal(longest, HERE)
    assert len(sealed) <= LONGEST_COOKIE - 200, "its name and attributes must fit beside it"
    assert unseal(sealed, HERE) == longest


def test_it_holds_for_ten_minutes() -> None:
    assert not FLOW.expired(NOW)
    assert not FLOW.expired(NOW + timedelta(minutes=9, seconds=59))
    assert FLOW.expired(NOW + timedelta(minutes=10))
    assert FLOW.expired(NOW - timedelta(minutes=2)), "nor one from the future"


def test_an_answer_is_told_by_its_state() -> None:
    assert FLOW.answers(FLOW.state)
    for state in ("", FLOW.state[:-1], FLOW.state + "x", FLOW.nonce, "ä", "\ud800"):
        assert not FLOW.answers(state)
    assert FLOW.state_hash == hashlib.sha256(FLOW.state.encode()).digest()


def test_the_challenge_is_that_of_rfc_7636() -> None:
    known = replace(FLOW, verifier="dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")
    assert known.challenge == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
    assert 43 <= len(FLOW.verifier) <= 128


def test_each_has_chance_of_its_own() -> None:
    flows = [begin("https://id.example.com", "c", "/", NOW) for _ in range(50)]
    assert len({part for flow in flows for part in (flow.state, flow.nonce, flow.verifier)}) == 150
    assert FLOW.state not in repr(FLOW)
    assert FLOW.verifier not in repr(FLOW)
