"""The redaction benchmark on a made-up set."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks import redaction


def test_json_report(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redaction, "PASSES", 1)
    data = tmp_path / "made.jsonl"
    data.write_text("\n".join(json.dumps(row) for row in (
        {"text": "to bob@example.com", "spans": [{"type": "EMAIL_ADDRESS", "start": 3, "end": 18}]},
        {"text": "Ask zzyx.", "spans": [{"type": "PERSON", "start": 4, "end": 8}]},
    )))
    assert redaction.main(["--data", str(data), "--no-peer", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["classes"] == {
        "EMAIL": {"recall": 1.0, "precision": 1.0}, "PERSON": {"recall": 0.0, "precision": None},
    }
    for kind in ("SSN", "EIN"):
        assert report["generated"][kind]["recall"] >= 0.99
        assert report["generated"][kind]["precision"] >= 0.98


@pytest.mark.parametrize("content", [None, "", "x\n", '{"text": "x"}\n'])
def test_bad_data_is_told(tmp_path: Path, content: str | None, capsys: pytest.CaptureFixture[str]) -> None:
    data = tmp_path / "bad.jsonl"
    if content is not None:
        data.write_text(content)
    assert redaction.main(["--data", str(data), "--no-peer"]) == 2
    assert capsys.readouterr().err.startswith("redaction: ")
