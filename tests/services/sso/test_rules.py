"""Who comes in, and as what: an email, its domain, and what groups give."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workreef_app.services.operation import Persona
from workreef_app.services.sso.reasons import SENTENCES, Reason
from workreef_app.services.sso.rules import MOST_GROUPS, NotLetIn, check_email, profile, rights, told_beside

MAPPING = [
    {"group": "ops", "personas": ["operator"], "departments": ["claims"]},
    {"group": "leads", "personas": ["dept_lead", "operator"], "departments": ["billing"]},
    {"group": "root", "personas": ["admin"], "departments": []},
]


def test_groups_give_together_what_each_gives() -> None:
    both = rights(["ops", "leads", "other"], MAPPING)
    assert both.personas == {Persona.OPERATOR, Persona.DEPT_LEAD}
    assert both.departments == {"claims", "billing"}
    assert rights(["root"], MAPPING).departments == frozenset()


@settings(max_examples=100, deadline=None)
@given(groups=st.lists(st.text(max_size=8) | st.sampled_from(["ops", "leads", "root"])))
def test_nothing_comes_but_from_a_group_that_is_mapped(groups: list[str]) -> None:
    mapped = set(groups) & {"ops", "leads", "root"}
    if not mapped:
        with pytest.raises(NotLetIn) as caught:
            rights(groups, MAPPING)
        assert caught.value.reason is Reason.NO_GROUP
        return
    assert (Persona.ADMIN in rights(groups, MAPPING).personas) == ("root" in mapped)


@pytest.mark.parametrize("group", ["OPS", "ops ", " ops", "оps", "ops\u200b", "o", ""])
def test_a_group_that_only_looks_like_it_gives_nothing(group: str) -> None:
    with pytest.raises(NotLetIn):
        rights([group], MAPPING)


@pytest.mark.parametrize(("email", "verified", "domains", "reason"), [
    ("", True, [], Reason.NO_EMAIL),
    ("a@example.com", False, [], Reason.EMAIL_NOT_VERIFIED),
    ("a@evil.com", True, ["example.com"], Reason.WRONG_DOMAIN),
    ("a@sub.example.com", True, ["example.com"], Reason.WRONG_DOMAIN),
    ("a@example.com.evil.com", True, ["example.com"], Reason.WRONG_DOMAIN),
    ("a@exаmple.com", True, ["example.com"], Reason.WRONG_DOMAIN),
])
def test_an_email_that_lets_nobody_in(email: str, verified: bool, domains: list[str], reason: Reason) -> None:
    with pytest.raises(NotLetIn) as caught:
        check_email(email, verified=verified, domains=domains)
    assert caught.value.reason is reason


def test_an_email_that_does() -> None:
    check_email("a@anywhere.example", verified=True, domains=[])
    check_email("a@EXAMPLE.com", verified=True, domains=["other.com", "example.com"])


@pytest.mark.parametrize(("claims", "part", "found"), [
    ({"email": 7}, "email", ""),
    ({"email": "a b@example.com"}, "email", ""),
    ({"email": "a@b@example.com"}, "email", ""),
    ({"email": "a" * 65 + "@example.com"}, "email", ""),
    ({"email": "a@" + "e" * 190}, "email", ""),
    ({"email": "a\ud800@example.com"}, "email", ""),
    ({"email": "a\u202e@example.com"}, "email", ""),
    ({"groups": ["ops", "a\x00b", "\ud800"]}, "groups", ("ops",)),
    ({"email_verified": 1}, "verified", False),
    ({"email_verified": "true"}, "verified", False),
    ({"name": ["a"]}, "name", ""),
    ({"name": "A\x00B\r\nC"}, "name", "A B  C"),
    ({"name": "n" * 500}, "name", "n" * 120),
    ({"groups": "ops"}, "groups", ("ops",)),
    ({"groups": ["ops", 7, None, "", "g" * 201]}, "groups", ("ops",)),
    ({"groups": {"ops": True}}, "groups", ()),
    ({"groups": ["g"] * 5000}, "groups", ("g",) * MOST_GROUPS),
])
def test_what_is_not_of_the_expected_form_is_not_there(claims: dict[str, Any], part: str, found: Any) -> None:
    assert getattr(profile({"sub": "1", **claims}, "groups"), part) == found


def test_what_is_told_beside_the_token_adds_to_it() -> None:
    token = {"sub": "1", "iss": "i", "email_verified": True}
    beside = {"sub": "1", "iss": "other", "email": "a@example.com", "email_verified": False, "groups": ["ops"]}
    both = told_beside(token, beside)
    assert both == {"sub": "1", "iss": "i", "email": "a@example.com", "email_verified": False, "groups": ["ops"]}
    whole = {**token, "email": "b@example.com"}
    assert told_beside(whole, beside)["email"] == "b@example.com"
    assert told_beside(whole, beside)["email_verified"] is True
    assert not profile(told_beside({"sub": "1", "email": "b@example.com"}, {"email_verified": True}), "groups").email


def test_groups_are_of_the_claim_that_was_named() -> None:
    claims = {"sub": "1", "groups": ["ops"], "https://acme.example/roles": ["leads"]}
    assert profile(claims, "https://acme.example/roles").groups == ("leads",)


def test_every_reason_has_a_sentence_without_a_word_of_the_providers() -> None:
    assert set(SENTENCES) == set(Reason)
    for sentence in SENTENCES.values():
        assert sentence.endswith(".")
        assert "{" not in sentence
