"""What redaction finds, what it leaves, and that nothing found leaves."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workreef_app.services.redaction import profiles
from workreef_app.services.redaction.engine import Redactor
from workreef_app.services.redaction.profiles import Pattern, ProfileError, custom
from workreef_app.services.redaction.restoring import restore
from workreef_app.services.redaction.structures import redact_value, restore_value
from workreef_app.services.redaction.tokens import TokenMap

STANDARD = Redactor(profiles.STANDARD)
AGGRESSIVE = Redactor(profiles.AGGRESSIVE)


def found(text: str, redactor: Redactor = STANDARD) -> list[tuple[str, str]]:
    """Classes and the very text of what is found."""
    return [(f.kind, text[f.start:f.end]) for f in redactor.find(text)]


@pytest.mark.parametrize(("text", "kind", "value"), [
    ("write to bob@example.com.", "EMAIL", "bob@example.com"),
    ("bob%40example.com", "EMAIL", "bob%40example.com"),
    ('{"m": "bob\\u0040example.com"}', "EMAIL", "bob\\u0040example.com"),
    ("bob&#64;example.com", "EMAIL", "bob&#64;example.com"),
    ("bob [at] example [dot] com", "EMAIL", "bob [at] example [dot] com"),
    ("bob at example dot com", "EMAIL", "bob at example dot com"),
    ("b\u200bob@exam\u00adple.com", "EMAIL", "b\u200bob@exam\u00adple.com"),
    ("ｂｏｂ＠ｅｘａｍｐｌｅ．ｃｏｍ", "EMAIL", "ｂｏｂ＠ｅｘａｍｐｌｅ．ｃｏｍ"),
    ('"bob smith"@example.com', "EMAIL", '"bob smith"@example.com'),
    ("ask svc@mailhost now", "EMAIL", "svc@mailhost"),
    ("bob@[192.0.2.1]", "EMAIL", "bob@[192.0.2.1]"),
    ("SSN 123-45-6789", "SSN", "123-45-6789"),
    ("user_123-45-6789_x", "SSN", "123-45-6789"),
    ("ID123-45-6789abc", "SSN", "123-45-6789"),
    ("123\u201145\u20136789", "SSN", "123\u201145\u20136789"),
    ("١٢٣-٤٥-٦٧٨٩", "SSN", "١٢٣-٤٥-٦٧٨٩"),
    ("１２３－４５－６７８９", "SSN", "１２３－４５－６７８９"),
    ("123\u00a045\u00a06789", "SSN", "123\u00a045\u00a06789"),
    ("ssn: 123456789", "SSN", "123456789"),
    ("EIN 12-3456789", "EIN", "12-3456789"),
    ("call (212) 555-0134", "PHONE", "(212) 555-0134"),
    ("+41 (0)71 526 99 04", "PHONE", "+41 (0)71 526 99 04"),
    ("01.84.17.61.18", "PHONE", "01.84.17.61.18"),
    ("463-612-6138x036", "PHONE", "463-612-6138x036"),
    ("My name is Rubija", "PERSON", "Rubija"),
    ("Dr. Qwertyn left", "PERSON", "Qwertyn"),
    ("Barbara O. Johansson's desk", "PERSON", "Barbara O. Johansson"),
])
def test_it_sees_through(text: str, kind: str, value: str) -> None:
    assert (kind, value) in found(text)


@pytest.mark.parametrize("text", [
    "git clone git@github.com:acme/web", "npm i react@18.2.0", "uses: actions/checkout@v4", "@app.route",
    "000-12-3456", "666-12-3456", "912-34-5678", "123-00-4567", "123-45-0000", "order 123456789", "12-3456789 pieces",
    "EIN 07-1234567", "2024-05-16 12:00:01", "10.20.30.40", "version 1.2.3.4567", "took 1234567 ms",
    "Tuesday May March",
    "Will it run? Mark the date.", "Main Street 5",
])
def test_it_leaves_what_is_none(text: str) -> None:
    assert found(text) == []


@pytest.mark.parametrize(("text", "kind", "value"), [
    ("from 192.0.2.17 on", "IP", "192.0.2.17"), ("at 2001:db8::1 now", "IP", "2001:db8::1"),
    ("card 4111 1111 1111 1111", "CARD", "4111 1111 1111 1111"), ("GB82 WEST 1234 5698 7654 32", "IBAN", None),
    ("lives at 12 Oak Street", "ADDRESS", "12 Oak Street"), ("DOB: 04/12/1980", "DOB", "04/12/1980"),
    ("MRN: 00123456", "MRN", "00123456"), ("postgres://app:hunter2@db/x", "URL", "postgres://app:hunter2@db/x"),
    ("key AKIAIOSFODNN7EXAMPLE", "API_KEY", "AKIAIOSFODNN7EXAMPLE"),
])
def test_the_aggressive_profile_finds_more(text: str, kind: str, value: str | None) -> None:
    assert (kind, value or text) in found(text, AGGRESSIVE)
    assert kind not in {name for name, _ in found(text)}


def test_a_card_without_its_check_digit_is_none() -> None:
    assert ("CARD", "4111 1111 1111 1112") not in found("card 4111 1111 1111 1112", AGGRESSIVE)


def test_the_own_people_are_found_whatever_their_case() -> None:
    redactor = Redactor(profiles.STANDARD, ["Xylia Quorvex"])
    assert ("PERSON", "xylia quorvex") in found("ask xylia quorvex today", redactor)
    assert ("PERSON", "QUORVEX") in found("ask QUORVEX today", redactor)
    assert found("ask xylia quorvex today") == []


def test_lists_and_patterns_of_a_custom_profile() -> None:
    redactor = Redactor(custom(
        classes=frozenset({"EMAIL"}), deny=("Project Heron",), allow=("help@example.com",),
        patterns=(Pattern("BADGE", "B-[0-9]{5}"),),
    ))
    text = "help@example.com and bob@example.com on project heron with B-12345, SSN 123-45-6789"
    assert found(text, redactor) == [
        ("EMAIL", "bob@example.com"), ("DENIED", "project heron"), ("BADGE", "B-12345"),
    ]
    tokens = TokenMap()
    done = redactor.redact(text, tokens)
    assert "help@example.com" in done.text
    assert redactor.rescan(json.dumps({"x": done.text}).encode(), tokens) == ()


@pytest.mark.parametrize(("name", "expression", "said"), [
    ("BADGE", "(a", "linear"), ("BADGE", r"(a)\1", "linear"), ("BADGE", "a*", "empty"), ("badge", "a", "capital"),
    ("EMAIL", "a", "taken"), ("BADGE", "(?=a)b", "linear"), ("BADGE", "", "characters"),
])
def test_a_pattern_that_cannot_be_used_is_told(name: str, expression: str, said: str) -> None:
    with pytest.raises(ProfileError, match=said) as refused:
        custom(classes=frozenset(), patterns=(Pattern(name, expression),))
    assert refused.value.field == "patterns.0"


def test_the_same_value_has_the_same_token_across_a_conversation() -> None:
    tokens = TokenMap()
    value, counts = redact_value({
        "messages": [{"role": "system", "content": "Help bob@example.com"}, {"role": "user", "content": [
            {"type": "text", "text": "I am bob@example.com"}]}],
        "tools": [{"type": "function", "function": {"name": "will_mark", "parameters": {
            "description": "as bob@example.com"}}}],
    }, STANDARD, tokens)
    assert counts["EMAIL"] == 3
    assert len(tokens) == 1
    assert "bob" not in json.dumps(value)
    assert value["tools"][0]["function"]["name"] == "will_mark"
    assert STANDARD.rescan(json.dumps(value).encode(), tokens) == ()


@pytest.mark.parametrize("body", [
    {"messages": [{"content": "bob@example.com"}]}, {"x": {"bob@example.com": 1}}, {"x": 2125550134},
    {"model": "gpt", "tools": [{"name": "123-45-6789", "parameters": {}}]},
])
def test_the_last_look_refuses_what_was_not_replaced(body: object) -> None:
    for text in (json.dumps(body), json.dumps(body, ensure_ascii=False)):
        assert STANDARD.rescan(text.encode(), TokenMap())


def test_a_number_in_json_becomes_a_string() -> None:
    tokens = TokenMap()
    text = '{"phone": 2125550134, "ssn": "123-45-6789"}'
    done = STANDARD.redact(text, tokens)
    assert set(json.loads(done.text)) == {"phone", "ssn"}
    assert "2125550134" not in done.text


def test_the_nonce_is_in_no_text_before_it() -> None:
    tokens = TokenMap("k7q")
    assert "k7q" not in STANDARD.redact("k7q is what bob@example.com said", tokens).text.split("⟦")[1]


PARTS = st.sampled_from([
    "bob@example.com", "123-45-6789", "(212) 555-0134", "Barbara Johansson", "\\u0040", "%40", "⟦EMAIL_1·k7q⟧", "EIN ",
    "12-3456789", "@", "-", " ", "\n", '"', "\\", "{", "}", "٣", "x", "9", "555 0134", "SSN ", "\u200b", "John",
    "'s", "/",
])
TEXTS = st.one_of(st.text(max_size=60), st.lists(PARTS, max_size=12).map("".join))


@given(TEXTS)
@settings(max_examples=400, deadline=None)
def test_nothing_found_leaves_and_all_of_it_comes_back(text: str) -> None:
    tokens = TokenMap()
    done = STANDARD.redact(text, tokens)
    assert STANDARD.find(done.text, ours=True) == ()
    assert restore(done.text, tokens).text == text


@given(st.recursive(st.one_of(st.none(), st.booleans(), st.integers(), TEXTS), lambda inner: st.one_of(
    st.lists(inner, max_size=3), st.dictionaries(TEXTS, inner, max_size=3)), max_leaves=8))
@settings(max_examples=150, deadline=None)
def test_json_stays_json(value: object) -> None:
    tokens = TokenMap()
    out, _ = redact_value(value, STANDARD, tokens)
    document = json.dumps(out)
    back, _, _ = restore_value(json.loads(document), tokens)
    assert json.loads(json.dumps(back)) is not None or value is None
    inside = restore(document, tokens, in_json=True).text
    json.loads(inside)
