"""The clustering benchmark on a made-up set."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.clustering import accuracy, main, mine

CONTENT = ["disk 1 is full", "disk 2 is full", "backup of a.b.c failed", "who is there", "disk 3 is full"]
EVENTS = ["E1", "E1", "E2", "E3", "E1"]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    rows = [f"{n},{text},{event}" for n, (text, event) in enumerate(zip(CONTENT, EVENTS, strict=True), 1)]
    (tmp_path / "Made_2k.log_structured.csv").write_text("\n".join(["LineId,Content,EventId", *rows, ""]))
    return tmp_path


def test_accuracy_counts_lines_of_exact_groups() -> None:
    assert accuracy([1, 1, 2, 3, 1], EVENTS) == 1.0
    assert accuracy([1, 1, 2, 3, 4], EVENTS) == 0.4
    assert accuracy([1, 1, 2, 2, 1], EVENTS) == 0.6
    assert accuracy([1, 1, None, 3, 1], EVENTS) == 0.8


def test_groups_are_those_at_the_end() -> None:
    assert mine([f"mail for {name} is here" for name in ("ann", "ben", "cat", "dan")]) == [0, 0, 0, 0]
    assert mine(["one", None, "one"]) == [0, None, 0]


def test_json_report(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    raw = [f"2024-05-16 12:00:0{n} INFO {text}" for n, text in enumerate(CONTENT)]
    raw[3] = "no time"
    (data / "Made_2k.log").write_text("\n".join([*raw, ""]))
    assert main(["--data", str(data), "--no-peer", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert set(report) == {"sets", "mean_accuracy", "mean_raw_accuracy", "lines_per_second"}
    assert report["sets"]["Made"]["accuracy"] == report["mean_accuracy"] == 1.0
    assert report["sets"]["Made"]["raw_accuracy"] == 0.8
    assert report["lines_per_second"] > 0


def test_table(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--data", str(data), "--no-peer"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].split()[:3] == ["Made", "1.0000", "-"]


@pytest.mark.parametrize("content", [None, "", "a,b\n1,2\n", "Content,EventId\nx\n"])
def test_bad_data_is_told(tmp_path: Path, content: str | None, capsys: pytest.CaptureFixture[str]) -> None:
    if content is not None:
        (tmp_path / "Bad_2k.log_structured.csv").write_text(content)
    assert main(["--data", str(tmp_path), "--no-peer"]) == 2
    assert capsys.readouterr().err.startswith("clustering: ")
    assert main(["--data", str(tmp_path / "none"), "--no-peer"]) == 2
