"""Servers to measure: the demo, and a blank Reflex app beside it."""

from __future__ import annotations

import json
import signal
import socket
import subprocess  # nosec B404: runs the servers
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from workreef_app.http.frontend import toolchain_environment

LIMIT_SECONDS = 300
BLANK = '''import reflex as rx

class State(rx.State):
    text: str = "waiting"
    times: int = 0

    @rx.event
    def load(self):
        self.text = "Blank"

    @rx.event
    def count(self):
        self.times += 1

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
        process.wait(timeout=60)


def demo(data: Path, port: int) -> list[str]:
    """The command that serves the demo."""
    return [str(Path(sys.executable).with_name("workreef")), "demo", "--data-dir", str(data), "--port", str(port)]


def operator(data: Path) -> tuple[str, str]:
    """Email and password of the health tenant's first operator."""
    people = json.loads((data / "demo.json").read_text())["people"]["health"]
    email = next(iter(people))
    return email, people[email]["password"]


@contextmanager
def blank(folder: Path) -> Iterator[int]:
    """Builds a blank Reflex app in the folder and serves it as ours is served; gives its port."""
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
    with running(command, f"http://localhost:{port}", log, cwd=folder, env=environment):
        yield port
