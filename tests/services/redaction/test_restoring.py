"""Restoring: exact, in one pass, and the same whatever the cuts of a stream."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workreef_app.services.redaction.restoring import StreamRestorer, restore
from workreef_app.services.redaction.structures import restore_text
from workreef_app.services.redaction.tokens import TokenMap


def a_map() -> TokenMap:
    tokens = TokenMap("k7q")
    assert tokens.token("EMAIL", "bob@example.com") == "⟦EMAIL_1·k7q⟧"
    tokens.token("PERSON", 'Ann "A" Lee')
    tokens.token("API_KEY", "⟦EMAIL_1·k7q⟧")
    return tokens


@pytest.mark.parametrize(("text", "wanted"), [
    ("to ⟦EMAIL_1·k7q⟧.", "to bob@example.com."), ("to EMAIL_1·k7q.", "to bob@example.com."),
    ("to ⟦email_1·K7Q⟧", "to bob@example.com"), ("⟦ EMAIL _ 1 · k7q ⟧", "bob@example.com"),
    ("⟦PERSON_1·k7q⟧'s", 'Ann "A" Lee\'s'), ("⟦PERSON_1·k7qs⟧", 'Ann "A" Lees'), ("⟦EMAIL_1·k7q", "bob@example.com"),
    ("⟦API KEY_1·k7q⟧", "⟦EMAIL_1·k7q⟧"), ("\\u27e6EMAIL_1\\u00b7k7q\\u27e7", "bob@example.com"),
])
def test_it_forgives_what_is_certain(text: str, wanted: str) -> None:
    assert restore(text, a_map()).text == wanted


@pytest.mark.parametrize("text", [
    "⟦EMAIL_2·k7q⟧", "⟦EMAIL_1·k7r⟧", "⟦EMAIL_1·k7", "⟦EMAIL_1", "⟦PHONE_1·k7q⟧", "⟦EMAIL_01·k7q⟧", "⟦EMAIL_1·k7qx⟧",
])
def test_what_is_not_certain_stays_and_is_counted(text: str) -> None:
    done = restore(f"a {text} b", a_map())
    assert (done.text, done.unknown) == (f"a {text} b", 1)


def test_a_restored_value_is_not_read_again() -> None:
    assert restore("⟦API_KEY_1·k7q⟧", a_map()).text == "⟦EMAIL_1·k7q⟧"


def test_json_inside_a_string_stays_json() -> None:
    text = json.dumps({"to": "⟦PERSON_1·k7q⟧"})
    assert json.loads(restore_text(text, a_map()).text) == {"to": 'Ann "A" Lee'}


PIECES = st.sampled_from([
    "⟦EMAIL_1·k7q⟧", "EMAIL_1·k7q", "⟦", "⟧", "EMAIL", "_1", "·", "k7q", "s", "'s", " ", "x", "PERSON_1·k7q", "\\u27e6",
    "⟦PERSON_1·k7q⟧", "API KEY_1·k7q", "\n", "⟦API_KEY_1·k7q", "E", "P", "9", "⟦EMAIL_7·k7q⟧",
])


@given(st.one_of(st.lists(PIECES, max_size=9).map("".join), st.text(alphabet="⟦⟧EMAIL_1·k7qs' \\u27e6x", max_size=24)))
@settings(max_examples=300, deadline=None)
def test_a_stream_is_restored_alike_at_every_cut(text: str) -> None:
    tokens = a_map()
    whole = restore(text, tokens)
    for cut in range(len(text) + 1):
        stream = StreamRestorer(tokens)
        out = stream.feed(text[:cut]) + stream.feed(text[cut:]) + stream.finish()
        assert (out, stream.counts, stream.unknown) == (whole.text, whole.counts, whole.unknown)
    stream = StreamRestorer(tokens)
    assert "".join([stream.feed(char) for char in text]) + stream.finish() == whole.text
    assert stream.unknown == whole.unknown


def test_plain_text_is_not_held_back() -> None:
    stream = StreamRestorer(a_map())
    assert stream.feed("The answer is 42") == "The answer is 42"
    assert stream.feed(" of ⟦EMAIL_1·k7") == " of "
    assert stream.feed("q⟧!") == "bob@example.com!"
