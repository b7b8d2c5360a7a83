"""Grouping accuracy and speed of the log-template miner on Loghub's 2k sets, beside drain3.

    python -m benchmarks.clustering --data DIR [--no-peer] [--json]

For every `NAME_2k.log_structured.csv` in DIR the Content column goes once through `Miner.add`, which is what an
import calls. Accuracy is the share of lines whose predicted group, as the groups stand at the end, equals the true
group exactly (Zhu et al., ICSE-SEIP 2019). Raw accuracy takes the lines of `NAME_2k.log`, if it is there, through
the import's reader; a line that it skips counts as wrong. Speeds are the median of five passes, each with a new
miner. The peer is drain3 0.9.11 as it comes, with IP, HEX and NUM masks, in an environment of its own that is
removed at the end.
"""

from __future__ import annotations

import argparse
import csv
import json
import subprocess  # nosec B404: runs this Python and the peer's
import sys
import tempfile
import time
import venv
from collections import defaultdict
from collections.abc import Hashable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from statistics import mean, median
from typing import Any, NamedTuple

from workreef_app.services.signals.miner import Miner
from workreef_app.services.signals.reader import Line, read_lines

PASSES = 5
PEER = "drain3==0.9.11"
SUFFIX = "_2k.log_structured.csv"
PEER_SCRIPT = Path(__file__).with_name("drain3_peer.py")


class DataError(Exception):
    """The folder or a file in it cannot be used; the message says why."""


class LogSet(NamedTuple):
    """One labelled set."""

    name: str
    messages: list[str]
    truth: list[str]
    raw: Path | None


def load(folder: Path) -> list[LogSet]:
    """The labelled sets of a folder by name. Raises `DataError`."""
    if not folder.is_dir():
        raise DataError(f"{folder} is not a folder")
    found = sorted(folder.glob(f"*{SUFFIX}"))
    if not found:
        raise DataError(f"no file named NAME{SUFFIX} in {folder}")
    return [_load_set(path) for path in found]


def _load_set(path: Path) -> LogSet:
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = [(row["Content"], row["EventId"]) for row in csv.DictReader(file)]
    except (OSError, UnicodeDecodeError, KeyError, csv.Error) as error:
        raise DataError(f"{path.name} is not a Loghub structured file: {error!r}") from error
    if not rows or None in {value for row in rows for value in row}:
        raise DataError(f"{path.name} holds no labelled line or a row that is cut short")
    raw = path.with_name(path.name.removesuffix("_structured.csv"))
    messages, truth = zip(*rows, strict=True)
    return LogSet(path.name.removesuffix(SUFFIX), list(messages), list(truth), raw if raw.is_file() else None)


def accuracy(predicted: Sequence[Hashable | None], truth: Sequence[str]) -> float:
    """Share of lines in a predicted group that equals a true one; None is a line in no group."""
    ours: dict[Hashable, set[int]] = defaultdict(set)
    theirs: dict[str, set[int]] = defaultdict(set)
    for line, (group, event) in enumerate(zip(predicted, truth, strict=True)):
        theirs[event].add(line)
        if group is not None:
            ours[group].add(line)
    exact = {frozenset(group) for group in theirs.values()}
    return sum(len(group) for group in ours.values() if frozenset(group) in exact) / len(truth)


def mine(messages: Sequence[str | None]) -> list[int | None]:
    """Each message's template id as the groups stand at the end; None stays None."""
    miner = Miner()
    ids = [None if message is None else miner.add(message).template for message in messages]
    final: dict[int, int] = {}
    for old, survivor in reversed(miner.merges):
        final[old] = final.get(survivor, survivor)
    return [None if id is None else final.get(id, id) for id in ids]


def raw_messages(path: Path) -> list[str | None]:
    """What the import reads as the message of each line; None where it skips the line."""
    with path.open("rb") as file:
        records = read_lines(file, zone=UTC, year=None, now=datetime.now(UTC))
        return [record.message if isinstance(record, Line) else None for record in records]


def time_pass(messages: Sequence[str]) -> float:
    """Seconds that a new miner takes for the messages."""
    add = Miner().add
    start = time.perf_counter()
    for message in messages:
        add(message)
    return time.perf_counter() - start


def measure(sets: Sequence[LogSet]) -> dict[str, Any]:
    """Accuracy and speed of our miner."""
    passes = [[time_pass(log_set.messages) for log_set in sets] for _ in range(PASSES)]
    results: dict[str, dict[str, float | None]] = {}
    for log_set, seconds in zip(sets, zip(*passes, strict=True), strict=True):
        results[log_set.name] = {
            "accuracy": accuracy(mine(log_set.messages), log_set.truth),
            "lines_per_second": len(log_set.messages) / median(seconds),
            "raw_accuracy": _raw_accuracy(log_set),
        }
    raw = [result["raw_accuracy"] for result in results.values() if result["raw_accuracy"] is not None]
    return {
        "sets": results,
        "mean_accuracy": mean(result["accuracy"] or 0.0 for result in results.values()),
        "mean_raw_accuracy": mean(raw) if raw else None,
        "lines_per_second": _total(sets) / median(sum(seconds) for seconds in passes),
    }


def _raw_accuracy(log_set: LogSet) -> float | None:
    if log_set.raw is None:
        return None
    messages = raw_messages(log_set.raw)
    if len(messages) != len(log_set.truth):
        raise DataError(f"{log_set.raw.name} has {len(messages)} lines, its labels {len(log_set.truth)}")
    return accuracy(mine(messages), log_set.truth)


def _total(sets: Sequence[LogSet]) -> int:
    return sum(len(log_set.messages) for log_set in sets)


def measure_peer(sets: Sequence[LogSet]) -> dict[str, Any]:
    """The same of drain3, or why it could not be had."""
    with tempfile.TemporaryDirectory(prefix="workreef-peer-") as folder:
        python = str(Path(folder) / "bin" / "python")
        try:
            venv.create(folder, with_pip=True)
            install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", PEER]
            subprocess.run(install, check=True, capture_output=True, timeout=300)  # nosec B603
            answer = subprocess.run(  # nosec B603
                [python, str(PEER_SCRIPT), str(PASSES)], check=True, capture_output=True, timeout=600,
                input=json.dumps([log_set.messages for log_set in sets]).encode(),
            )  # fmt: skip
        except subprocess.CalledProcessError as error:
            reason = (error.stderr or b"").decode(errors="replace").strip().splitlines()
            return {"name": PEER, "error": reason[-1] if reason else str(error)}
        except (OSError, subprocess.TimeoutExpired) as error:
            return {"name": PEER, "error": str(error)}
    told = json.loads(answer.stdout)
    results = {
        log_set.name: {
            "accuracy": accuracy(groups, log_set.truth),
            "lines_per_second": len(groups) / median(seconds),
        }
        for log_set, groups, seconds in zip(
            sets, told["groups"], zip(*told["seconds"], strict=True), strict=True
        )
    }
    return {
        "name": PEER,
        "sets": results,
        "mean_accuracy": mean(result["accuracy"] for result in results.values()),
        "lines_per_second": _total(sets) / median(sum(seconds) for seconds in told["seconds"]),
    }


def table(report: dict[str, Any]) -> str:
    """The report for people."""
    peer = report.get("peer") or {}
    rows: list[tuple[str, ...]] = [("set", "accuracy", "raw", "lines/s", "peer accuracy", "peer lines/s")]
    for name, ours in report["sets"].items():
        theirs = peer.get("sets", {}).get(name, {})
        rows.append((name, *_cells(ours, theirs, "accuracy", "raw_accuracy")))
    rows.append(("mean", *_cells(report, peer, "mean_accuracy", "mean_raw_accuracy")))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
    if "error" in peer:
        lines.append(f"peer {peer['name']} not measured: {peer['error']}")
    elif peer:
        lines.append(f"speed: {report['speed_ratio']:.2f} × {peer['name']}")
    return "\n".join(lines)


def _cells(ours: dict[str, Any], theirs: dict[str, Any], exact: str, raw: str) -> tuple[str, ...]:
    def show(value: float | None, form: str) -> str:
        return "-" if value is None else format(value, form)

    return (
        show(ours.get(exact), ".4f"), show(ours.get(raw), ".4f"), show(ours.get("lines_per_second"), ",.0f"),
        show(theirs.get(exact), ".4f"), show(theirs.get("lines_per_second"), ",.0f"),
    )  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints the report; 2 on data that cannot be used."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.clustering", description=__doc__.split("\n")[0]
    )
    parser.add_argument("--data", type=Path, required=True, help=f"folder with NAME{SUFFIX} files")
    parser.add_argument("--no-peer", action="store_true", help="leave drain3 out")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args(arguments)
    try:
        sets = load(options.data)
        report = measure(sets)
    except DataError as error:
        print(f"clustering: {error}", file=sys.stderr)
        return 2
    if not options.no_peer:
        peer = measure_peer(sets)
        report["peer"] = peer
        if "error" not in peer:
            report["speed_ratio"] = report["lines_per_second"] / peer["lines_per_second"]
    print(json.dumps(report, indent=2) if options.json else table(report))
    return 0


if __name__ == "__main__":
    sys.exit(main())
