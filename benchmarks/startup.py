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
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from workreef_app.http.frontend import ROOT, toolchain_environment

LOADS = 5
LIMIT_SECONDS = 300
ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]
BLANK = '''import reflex as rx

class State(rx.State):
    text: str = "waiting"

    @rx.event
    def load(self):
        self.text = "Blank"

app = rx.App()
app.add_page(lambda: rx.heading(State.text), route="/", on_load=State.load)
'''
CONFIG = '''import reflex as rx

config = rx.Config(app_name="blank", frontend_port={port}, backend_port={port}, api_url="http://localhost:{port}",
                   telemetry_enabled=False, disable_plugins=[rx.plugins.SitemapPlugin],
                   plugins=[rx.plugins.RadixThemesPlugin()])
'''


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def answers(url: str) -> bool:
    """Whether the address answers with 200."""
    try:
        with urllib.request.urlopen(url, timeout=1) as response:
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError):
        return False


@contextmanager
def running(command: list[str], url: str, log: Path, **options: object) -> Iterator[float]:
    """Runs a server; gives the seconds until it answered; stops it in order."""
    began = time.perf_counter()
    with log.open("ab") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out, **options)  # type: ignore[call-overload]
    try:
        while not answers(url):
            if process.poll() is not None or time.perf_counter() - began > LIMIT_SECONDS:
                raise SystemExit(f"{' '.join(command)} did not start:\n{log.read_text()[-2000:]}")
            time.sleep(0.02)
        yield time.perf_counter() - began
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=30)


def demo(data: Path, port: int) -> list[str]:
    return [str(Path(sys.executable).with_name("workreef")), "demo", "--data-dir", str(data), "--port", str(port)]


def load_times(page: Page, url: str, heading: re.Pattern[str]) -> float:
    """Median seconds from navigation to the heading."""
    times = []
    for _ in range(LOADS + 1):
        began = time.perf_counter()
        page.goto(url, wait_until="commit")
        page.get_by_role("heading", name=heading).wait_for()
        times.append(time.perf_counter() - began)
    return statistics.median(times[1:])


def operator(data: Path) -> tuple[str, str]:
    """Email and password of the health tenant's first operator."""
    people = json.loads((data / "demo.json").read_text())["people"]["health"]
    email = next(iter(people))
    return email, people[email]["password"]


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
    port = free_port()
    (folder / "blank").mkdir(parents=True)
    (folder / "blank" / "__init__.py").touch()
    (folder / "blank" / "blank.py").write_text(BLANK)
    (folder / "rxconfig.py").write_text(CONFIG.format(port=port))
    environment = toolchain_environment(port=port, data_dir=folder)
    log = folder / "log"
    with log.open("wb") as out:
        subprocess.run([sys.executable, "-m", "reflex", "export", "--no-zip"], cwd=folder, env=environment, check=True,
                       stdout=out, stderr=out)
    environment.update({"__REFLEX_MOUNT_FRONTEND_COMPILED_APP": "true", "__REFLEX_SKIP_COMPILE": "true",
                        "REFLEX_ENV_MODE": "prod"})
    command = [sys.executable, "-m", "granian", "--interface", "asgi", "--factory", "--port", str(port),
               "blank.blank:app"]
    url = f"http://localhost:{port}"
    with running(command, url, log, cwd=folder, env=environment):
        return load_times(page, url, re.compile("Blank"))


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
