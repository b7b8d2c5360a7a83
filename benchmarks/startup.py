"""First start, second start, and the digest's page load beside a blank Reflex app, in one run.

`python -m benchmarks.startup [--json]`. The first start has an empty data directory and a warm package cache, and
includes making two tenants, importing their logs and building the pages. Page loads are the median of five, from
navigation to the page's heading, in the system's Chromium.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import statistics
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from benchmarks.served import blank, demo, free_port, operator, running
from workreef_app.http.frontend import ROOT

LOADS = 5
ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]


def load_times(page: Page, url: str, heading: re.Pattern[str]) -> float:
    """Median seconds from navigation to the heading."""
    times = []
    for _ in range(LOADS + 1):
        began = time.perf_counter()
        page.goto(url, wait_until="commit")
        page.get_by_role("heading", name=heading).wait_for()
        times.append(time.perf_counter() - began)
    return statistics.median(times[1:])


def digest_load(page: Page, data: Path, port: int) -> float:
    base = f"http://health.localhost:{port}"
    email, password = operator(data)
    page.goto(base)
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("heading", name=re.compile("Good day")).wait_for()
    return load_times(page, base, re.compile("Good day"))


def blank_load(page: Page, folder: Path) -> float:
    with blank(folder) as port:
        return load_times(page, f"http://localhost:{port}", re.compile("Blank"))


def measure() -> dict[str, float]:
    """All figures, in seconds."""
    chromium = shutil.which("chromium")
    if chromium is None:
        raise SystemExit("Chromium is missing. Install the package chromium.")
    with tempfile.TemporaryDirectory(prefix="workreef-bench-", ignore_cleanup_errors=True) as name, \
            sync_playwright() as playwright:
        folder, port = Path(name), free_port()
        data, log = folder / "data", folder / "log"
        url = f"http://127.0.0.1:{port}/readyz"
        with running(demo(data, port), url, log, cwd=ROOT, env=dict(os.environ)) as first:
            pass
        page = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS).new_page()
        with running(demo(data, port), url, log, cwd=ROOT, env=dict(os.environ)) as second:
            digest = digest_load(page, data, port)
        blank = blank_load(page, folder / "app")
    return {"first_start": first, "second_start": second, "digest_load": digest, "blank_load": blank,
            "ratio": digest / blank}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    figures = measure()
    if arguments.json:
        print(json.dumps({name: round(value, 3) for name, value in figures.items()}))
        return
    print(f"first start   {figures['first_start']:7.2f} s   (empty data directory, warm package cache)")
    print(f"second start  {figures['second_start']:7.2f} s")
    print(f"digest load   {figures['digest_load']:7.3f} s   {figures['ratio']:.2f} x a blank Reflex app")
    print(f"blank load    {figures['blank_load']:7.3f} s")


if __name__ == "__main__":
    main()
