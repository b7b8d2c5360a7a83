"""Takes the picture in the README: the operator's digest in a demo of its own, in a temporary directory.

Needs Chromium. Run it as `make screenshot`; it writes docs/digest.png.
"""

from __future__ import annotations

import http.client
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import expect, sync_playwright

from workreef_app.demo.memory import remembered
from workreef_app.demo.world import TENANTS
from workreef_app.services.operation import Persona

PICTURE = Path(__file__).resolve().parents[1] / "docs" / "digest.png"
SIZE = {"width": 1440, "height": 900}
PATIENCE_SECONDS = 300


def main() -> None:
    """Writes the picture."""
    chromium = shutil.which("chromium")
    if chromium is None:
        raise SystemExit("The screenshot needs Chromium: install the package chromium.")
    with tempfile.TemporaryDirectory(prefix="workreef-screenshot-", ignore_cleanup_errors=True) as name:
        place = Path(name)
        with demo(place) as port:
            PICTURE.write_bytes(digest(place, port, chromium))
    print(f"Wrote {PICTURE} ({PICTURE.stat().st_size:,} bytes).")


@contextmanager
def demo(place: Path) -> Iterator[int]:
    """A demo that serves; yields its port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    command = [sys.executable, "-c", "from workreef_app.cli import main; main()", "demo", "--data-dir", str(place)]
    process = subprocess.Popen([*command, "--port", str(port)])
    try:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not answers(port):
            if process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit("The demo did not start.")
            time.sleep(0.5)
        yield port
    finally:
        process.send_signal(signal.SIGINT)
        process.wait()


def answers(port: int) -> bool:
    """Whether the server is ready."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def digest(place: Path, port: int, chromium: str) -> bytes:
    """The first operator's digest, as PNG."""
    tenant = TENANTS[0]
    operator = next(person for person in tenant.people if person.persona is Persona.OPERATOR)
    password = remembered(place).person(tenant.slug, operator.email)["password"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport=SIZE, color_scheme="light", reduced_motion="reduce")
        page.goto(f"http://{tenant.slug}.localhost:{port}/")
        page.get_by_label("Email").fill(operator.email)
        page.get_by_label("Password").fill(password)
        page.get_by_role("button", name="Sign in").click()
        expect(page.locator(".wr-opportunity").first).to_be_visible()
        picture = page.screenshot()
        browser.close()
    return picture


if __name__ == "__main__":
    main()
