"""What the measuring of a killed worker waits for."""

from __future__ import annotations

import pytest

from benchmarks import reclaim


def test_the_first_true_answer_ends_the_wait() -> None:
    answers = iter([0, 0, 7])
    assert reclaim.until(lambda: next(answers), "seven") == 7


def test_what_never_comes_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reclaim, "LIMIT_SECONDS", 0.1)
    with pytest.raises(SystemExit, match="the other worker: not within"):
        reclaim.until(lambda: False, "the other worker")
