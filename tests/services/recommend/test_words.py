"""Words that ask for work, words that may mean health data, and what is neither."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workreef_app.services.recommend.words import health, trouble


@pytest.mark.parametrize(("text", "words"), [
    ("backup … failed: disk full", ("failed", "full")),
    ("ERROR and Error and error", ("error",)),
    ("request timed out", ("timed out",)),
    ("ConnectionTimeout in pool", ("timeout",)),
    ("disk_full on …", ("full",)),
    ("can't open it", ("can't",)),
    ("session opened for user …", ()),
    ("terror, fulfilled, downtown, lostness", ()),
    ("", ()),
])
def test_trouble(text: str, words: tuple[str, ...]) -> None:
    assert trouble(text) == words


@pytest.mark.parametrize(("text", "words"), [
    ("Patient … has no MRN", ("patient", "mrn")),
    ("lab_result of member id … is missing", ("lab result", "member id")),
    ("prescriptionRefill for PHI", ("prescription", "phi")),
    ("ICD-10 code unknown", ("icd-10",)),
    ("HL7 feed down", ("hl7",)),
    ("patience, delphi, impatient", ()),
    ("queue … is full", ()),
])
def test_health(text: str, words: tuple[str, ...]) -> None:
    assert health(text) == words


@given(st.text())
def test_any_text_has_an_answer_and_no_word_twice(text: str) -> None:
    for words in (trouble(text), health(text)):
        assert len(set(words)) == len(words)
        assert all(word == word.lower() for word in words)


@given(st.text(), st.sampled_from(["patient", "diagnosis", "medication"]))
def test_a_word_of_its_own_is_always_found(text: str, word: str) -> None:
    assert word in health(f"{text} {word} {text}")
