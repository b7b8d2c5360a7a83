"""What redaction finds and how fast it is: `python -m benchmarks.redaction --data FILE.jsonl [--no-peer] [--json]`.

Each line of FILE is `{"text", "spans": [{"type", "start", "end"}]}`; EMAIL_ADDRESS, PHONE_NUMBER and US_SSN are our
EMAIL, PHONE and SSN. A find of the same class counts when it covers at least 90 % of a true span. Recall is the share
of true spans that a find covers, precision the share of finds that cover one. `generated` is a set made here, for
SSN and EIN. Speed is of detection, tokenising and restoring with the standard profile, on the lines joined to texts of
1 KB; the peer is Presidio's recognisers of email, SSN and phone alone, on the same texts in an environment of its own.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess  # nosec B404: runs this Python and the peer's
import sys
import tempfile
import time
import venv
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from workreef_app.services.redaction import profiles
from workreef_app.services.redaction.engine import Redactor
from workreef_app.services.redaction.restoring import restore
from workreef_app.services.redaction.scoring import score
from workreef_app.services.redaction.tokens import TokenMap

PASSES = 7
PEER = "presidio-analyzer"
PEER_SCRIPT = Path(__file__).with_name("presidio_peer.py")
SIZE = 1024
OURS = {"EMAIL_ADDRESS": "EMAIL", "PHONE_NUMBER": "PHONE", "US_SSN": "SSN"}


class DataError(Exception):
    """The file cannot be used; the message says why."""


class Line(NamedTuple):
    """A text and its true spans: class, start, end."""

    text: str
    spans: list[tuple[str, int, int]]


def load(path: Path) -> list[Line]:
    """The labelled lines of a file. Raises DataError."""
    try:
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
        lines = [Line(row["text"], [
            (OURS.get(span["type"], span["type"]), span["start"], span["end"]) for span in row["spans"]
        ]) for row in rows]
    except (OSError, UnicodeDecodeError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"{path} cannot be used: {error!r}") from error
    if not lines:
        raise DataError(f"{path} holds no line")
    return lines


def measure(lines: Sequence[Line], classes: Sequence[str]) -> dict[str, dict[str, float | None]]:
    """Recall and precision by class; None where there is nothing to divide by."""
    scores = {s.kind: s for s in score(((line.text, line.spans) for line in lines), Redactor(profiles.STANDARD))}
    return {kind: {"recall": scores[kind].recall, "precision": scores[kind].precision}
            for kind in classes if kind in scores}


SENTENCES = (
    ("Her SSN is {} on file.", "SSN"), ("social security number: {}", "SSN"), ("{} (SSN)", "SSN"),
    ("ssn={}", "SSN"), ('{{"ssn": "{}"}}', "SSN"), ("user_{}_new", "SSN"), ("EIN {}", "EIN"),
    ("employer id {} filed late", "EIN"), ("Our federal tax id is {}.", "EIN"), ("FEIN: {}", "EIN"),
)
DECOYS = (
    "Order 000-12-3456 was late.", "Ref 666-12-3456", "Case 912-34-5678", "part 12-3456789 in stock",
    "build 123456789 passed", "SSN 123-00-4567", "at 2024-05-16 12:00:01", "10.0.12.255 answered", "EIN 07-1234567",
    "job 4111-1111 took 1234567 ms",
)


def generated(count: int = 1500, seed: int = 7) -> list[Line]:
    """Made-up lines with SSNs and EINs in several spellings, and lines that hold only what looks like one."""
    chance = random.Random(seed)
    lines: list[Line] = []
    for _ in range(count):
        if chance.random() < 0.3:
            lines.append(Line(chance.choice(DECOYS), []))
            continue
        sentence, kind = chance.choice(SENTENCES)
        value = _ssn(chance) if kind == "SSN" else _ein(chance)
        start = sentence.replace("{{", "{").replace("}}", "}").index("{}") if "{{" in sentence else sentence.index("{}")
        lines.append(Line(sentence.format(value), [(kind, start, start + len(value))]))
    return lines


def _ssn(chance: random.Random) -> str:
    area = chance.choice([n for n in range(1, 900) if n != 666])
    group, serial = chance.randint(1, 99), chance.randint(1, 9999)
    separator = chance.choice(["-", "-", "-", " ", "\u2011", "\u2013", "."])
    return f"{area:03}{separator}{group:02}{separator}{serial:04}"


def _ein(chance: random.Random) -> str:
    return f"{chance.choice([12, 20, 33, 45, 52, 61, 75, 82, 95]):02}-{chance.randint(1_000_000, 9_999_999)}"


def texts_of(lines: Sequence[Line]) -> list[str]:
    """The lines joined to texts of about 1 KB of UTF-8."""
    texts: list[str] = []
    held: list[str] = []
    size = 0
    for line in lines:
        held.append(line.text)
        size += len(line.text.encode()) + 1
        if size >= SIZE:
            texts.append("\n".join(held))
            held, size = [], 0
    return texts or ["\n".join(held)]


def speed(texts: Sequence[str]) -> float:
    """Bytes a second of finding, replacing and restoring, the median of several passes."""
    redactor = Redactor(profiles.STANDARD)
    total = sum(len(text.encode()) for text in texts)
    rates: list[float] = []
    for _ in range(PASSES):
        begun = time.process_time()
        for text in texts:
            tokens = TokenMap()
            restore(redactor.redact(text, tokens).text, tokens)
        rates.append(total / (time.process_time() - begun))
    return median(rates)


def peer(texts: Sequence[str]) -> dict[str, Any]:
    """Bytes a second of the peer's recognisers, or why it could not be had."""
    with tempfile.TemporaryDirectory(prefix="workreef-peer-") as folder:
        python = str(Path(folder) / "bin" / "python")
        try:
            venv.create(folder, with_pip=True)
            install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", PEER]
            subprocess.run(install, check=True, capture_output=True, timeout=600)  # nosec B603
            answer = subprocess.run(  # nosec B603
                [python, str(PEER_SCRIPT), "3"], check=True, capture_output=True, timeout=600,
                input=json.dumps(list(texts)).encode(),
            )
        except subprocess.CalledProcessError as error:
            reason = (error.stderr or b"").decode(errors="replace").strip().splitlines()
            return {"name": PEER, "error": reason[-1] if reason else str(error)}
        except (OSError, subprocess.TimeoutExpired) as error:
            return {"name": PEER, "error": str(error)}
    told = json.loads(answer.stdout)
    total = sum(len(text.encode()) for text in texts)
    return {"name": f"{PEER} {told['version']}", "bytes_per_second": total / median(told["seconds"])}


def report_on(lines: Sequence[Line], *, with_peer: bool) -> dict[str, Any]:
    """All figures of a run."""
    texts = texts_of(lines)
    report: dict[str, Any] = {
        "classes": measure(lines, ("EMAIL", "PHONE", "SSN", "EIN", "PERSON")),
        "generated": measure(generated(), ("SSN", "EIN")),
        "bytes_per_second": speed(texts),
    }
    if with_peer:
        report["peer"] = peer(texts)
        if "error" not in report["peer"]:
            report["bytes_per_second"] = max(report["bytes_per_second"], speed(texts))
            report["speed_ratio"] = report["bytes_per_second"] / report["peer"]["bytes_per_second"]
    return report


def table(report: dict[str, Any]) -> str:
    """The report for people."""
    rows = [(name, kind, *figures.values()) for name, part in (("data", "classes"), ("generated", "generated"))
            for kind, figures in report[part].items()]
    lines = [f"{'set':<10}{'class':<8}{'recall':>8}{'precision':>11}"]
    lines += [f"{name:<10}{kind:<8}{_shown(reached):>8}{_shown(right):>11}" for name, kind, reached, right in rows]
    lines.append(f"{report['bytes_per_second'] / 1e6:.2f} MB/s; wanted 5 or more")
    if "speed_ratio" in report:
        lines.append(f"{report['speed_ratio']:.1f} × {report['peer']['name']}; wanted 18 or more")
    elif "peer" in report:
        lines.append(f"peer {report['peer']['name']} not measured: {report['peer']['error']}")
    return "\n".join(lines)


def _shown(share: float | None) -> str:
    return "-" if share is None else f"{share:.3f}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints the report; 2 on data that cannot be used."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.redaction", description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="labelled lines")
    parser.add_argument("--no-peer", action="store_true", help="leave Presidio out")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args(arguments)
    try:
        lines = load(options.data)
    except DataError as error:
        print(f"redaction: {error}", file=sys.stderr)
        return 2
    report = report_on(lines, with_peer=not options.no_peer)
    print(json.dumps(report) if options.json else table(report))
    return 0


if __name__ == "__main__":
    sys.exit(main())
