"""`workreef redact` in a pipe, on any configuration."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from workreef_app.cli import app

TEXT = "Résumé of Barbara Johansson: bob@example.com, 192.0.2.17\n"


def test_it_prints_what_would_leave(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKREEF_ENV", "nonsense")
    done = CliRunner().invoke(app, ["redact"], input=TEXT)
    assert done.exit_code == 0
    assert "bob" not in done.stdout
    assert "192.0.2.17" in done.stdout
    assert CliRunner().invoke(app, ["redact", "--profile", "off"], input=TEXT).stdout == TEXT


def test_json_has_the_findings_in_code_points() -> None:
    facts = json.loads(CliRunner().invoke(app, ["redact", "--profile", "aggressive", "--json"], input=TEXT).stdout)
    assert set(facts) == {"text", "findings"}
    assert [(f["class"], TEXT[f["start"]:f["end"]], f["rule"]) for f in facts["findings"]] == [
        ("PERSON", "Barbara Johansson", "person-list"), ("EMAIL", "bob@example.com", "email"),
        ("IP", "192.0.2.17", "ipv4"),
    ]


def test_wrong_usage_and_input_that_is_no_text() -> None:
    assert CliRunner().invoke(app, ["redact", "--profile", "other"], input="x").exit_code == 2
    assert CliRunner().invoke(app, ["redact"], input=b"\xff\xfe").exit_code == 1
