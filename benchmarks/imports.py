"""An import from end to end: `python -m benchmarks.imports [--lines 100000] [--json]`.

The command `workreef source import` runs in a process of its own on a made-up log of forty templates: the file is
spooled sealed, counted by the job, erased, and its tasks are found. Its rate counts from the first byte read to the
finished import, its memory is that process's own peak. In the same run the same file is only read and mined, nothing
kept, for comparison. For more than 100,000 lines the import of 100,000 is measured first, to show whether memory
grows with the file.
"""

from __future__ import annotations

import argparse
import json
import subprocess  # nosec B404: runs this Python
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import worlds
from workreef_app.cli import app
from workreef_app.services.door import Door
from workreef_app.services.signals.miner import Miner
from workreef_app.services.signals.reader import Line, read_lines

WANTED_PER_SECOND = 10_000
WANTED_MIB = 400
FEW = 100_000


def peak_mib() -> float:
    """The most memory that this process has had at once: its own, where rusage would count its parent's too."""
    status = Path("/proc/self/status").read_text()
    return int(next(row.split()[1] for row in status.splitlines() if row.startswith("VmHWM:"))) / 1024


def command(slug: str, log: Path) -> None:
    """The import as a command; its memory goes to standard error when it is done."""
    try:
        app(["source", "import", "--tenant", slug, "--kind", "log_file", "--json", str(log)], standalone_mode=False)
    finally:
        print(json.dumps({"peak_mib": peak_mib()}), file=sys.stderr)


def imported(door: Door, slug: str, log: Path) -> dict[str, float]:
    """Imports the log into a new tenant in a process of its own. Raises SystemExit when it is not counted whole."""
    worlds.tenant(door, slug)
    done = subprocess.run(  # nosec B603
        [sys.executable, "-m", "benchmarks.imports", "--into", slug, str(log)],
        env=worlds.environment(door.platform.settings.data_dir), capture_output=True, text=True, check=False,
    )
    if done.returncode:
        raise SystemExit(f"The import failed:\n{done.stderr[-2000:]}")
    account, memory = json.loads(done.stdout), json.loads(done.stderr.splitlines()[-1])
    run = account["import"]
    return {
        "lines": run["lines"], "added": run["added"], "signals": account["signals"], "seconds": account["seconds"],
        "lines_per_second": round(run["lines"] / account["seconds"]), "peak_mib": round(memory["peak_mib"]),
    }


def bare_rate(log: Path) -> float:
    """Lines a second when they are read and mined only."""
    miner = Miner()
    began, lines = time.perf_counter(), 0
    with log.open("rb") as file:
        for found in read_lines(file, zone=UTC, year=None, now=datetime.now(UTC)):
            lines += 1
            if isinstance(found, Line):
                miner.add(found.message)
    return lines / (time.perf_counter() - began)


def measure(door: Door, lines: int) -> dict[str, object]:
    """Each size: rate, memory, and the ratio to reading and mining alone."""
    runs = []
    with tempfile.TemporaryDirectory() as folder:
        for size in (FEW, lines) if lines > FEW else (lines,):
            log = Path(folder) / "service.log"
            worlds.write_log(log, size)
            run = imported(door, f"bench{size}", log)
            if run["added"] != size:
                raise SystemExit(f"{run['added']:,} of {size:,} lines were counted as new")
            bare = bare_rate(log)
            runs.append(run | {"bare_per_second": round(bare), "ratio": round(run["lines_per_second"] / bare, 3)})
    return {"runs": runs, "wanted_per_second": WANTED_PER_SECOND, "wanted_mib": WANTED_MIB}


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure an import from end to end.")
    parser.add_argument("--lines", type=int, default=FEW)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--into", help=argparse.SUPPRESS)
    parser.add_argument("log", nargs="?", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.into:
        command(given.into, given.log)
        return
    with worlds.platform() as door:
        found = measure(door, given.lines)
    if given.json:
        print(json.dumps(found))
        return
    for run in found["runs"]:  # type: ignore[attr-defined]
        print(
            f"import of {run['lines']:>9,} lines: {run['lines_per_second']:,} a second"
            f" (wanted {WANTED_PER_SECOND:,}; reading and mining alone {run['bare_per_second']:,},"
            f" ratio {run['ratio']}); memory {run['peak_mib']} MiB at most (wanted under {WANTED_MIB});"
            f" {run['signals']} signals"
        )


if __name__ == "__main__":
    main()
