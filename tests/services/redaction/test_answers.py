"""Answers in pieces: what is new in them is redacted, what was ours is put back, whatever the cuts."""

from __future__ import annotations

import json

import pytest
from pii_leak_benchmark import v2_emitter

from workreef_app.services.redaction import profiles
from workreef_app.services.redaction.answers import AnswerStream
from workreef_app.services.redaction.engine import Redactor
from workreef_app.services.redaction.structures import redact_value
from workreef_app.services.redaction.tokens import TokenMap

REDACTOR = Redactor(profiles.AGGRESSIVE)
SEGMENTS = v2_emitter.build_segments("0123456789abcdef")


@pytest.mark.parametrize("site", sorted({case["request_site"] for case in v2_emitter.covering_array()}))
def test_no_value_of_the_benchmark_leaves_at_any_place_of_a_request(site: str) -> None:
    for case in v2_emitter.covering_array():
        if case["request_site"] != site:
            continue
        tokens = TokenMap()
        body, _ = redact_value(v2_emitter.build_request(SEGMENTS, case), REDACTOR, tokens)
        sent = json.dumps(body)
        assert not [value for value in SEGMENTS.echo.values() if value in sent]
        assert REDACTOR.rescan(sent.encode(), tokens) == ()


@pytest.mark.parametrize("entity", sorted(SEGMENTS.injection))
def test_no_injected_value_passes_at_any_cut_and_echoed_ones_come_back(entity: str) -> None:
    tokens = TokenMap()
    echoed, injected = SEGMENTS.echo[entity], SEGMENTS.injection[entity]
    text = f"You wrote {REDACTOR.redact(echoed, tokens).text}. Also ask {injected} about it."
    for cut in range(len(text) + 1):
        stream = AnswerStream(REDACTOR, tokens)
        shown = stream.feed(text[:cut]) + stream.feed(text[cut:]) + stream.finish()
        assert injected not in shown
        assert echoed in shown
        assert sum(stream.redacted.values()) == 1
    stream = AnswerStream(REDACTOR, tokens)
    shown = "".join([stream.feed(char) for char in 5 * text]) + stream.finish()
    assert injected not in shown
    assert shown.count(echoed) == 5


def test_a_profile_that_does_not_redact_answers_lets_them_pass() -> None:
    stream = AnswerStream(Redactor(profiles.STANDARD), TokenMap())
    assert stream.feed("Ask bob@example.com!") + stream.finish() == "Ask bob@example.com!"
