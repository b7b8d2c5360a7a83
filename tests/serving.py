"""A real server for the tests that need one: built pages, Granian, sockets, and demo-like data behind it.

The fixture `served` is shared by every test process of a run: the first one builds the pages, fills the data
directory and starts the server; a lock that the kernel holds for each user ends it after the last one, even when a
test process was killed.
"""

from __future__ import annotations

import fcntl
import hashlib
import itertools
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, Any

import httpx
import pytest

from tests.imports import import_lines as import_lines
from workreef_app import settings as settings_module
from workreef_app.http import frontend, server
from workreef_app.services.access import csrf, sessions
from workreef_app.services.browser import cookie_name, cookie_value
from workreef_app.services.door import Caller, Door
from workreef_app.services.process import database_url, opened
from workreef_app.services.tenancy.platform import Platform
from workreef_app.services.tenancy.tenants import create_tenant
from workreef_app.settings import Settings

SECRET = "t5Kq9Zr2Xw8Lm4Np7Vb1Yc6Hd3Gf0Js5"
PASSWORD = "correct horse battery staple"
#: The build is kept from run to run; it is made anew when its sources change.
PAGES = frontend.ROOT / ".pytest_cache" / "workreef-pages"
READY_SECONDS = 60.0
STOP_SECONDS = 20.0
TENANTS = {
    "health": ("Meridian Health", {"claims": "Claims", "member-services": "Member services"}),
    "harbor": ("Harbor Logistics", {"dispatch": "Dispatch", "yard": "Yard"}),
}
#: Who there is in each tenant: the part of the email before the @, personas, and which of its departments.
PEOPLE: tuple[tuple[str, str, tuple[int, ...]], ...] = (
    ("operator", "operator", (0,)),
    ("operator2", "operator", (1,)),
    ("dept_lead", "dept_lead", (0,)),
    ("change_leader", "change_leader", ()),
    ("contributor", "contributor", (0,)),
    ("admin", "admin", ()),
    ("security_reviewer", "security_reviewer", ()),
)
_addresses = itertools.count(1)


@dataclass(frozen=True)
class Served:
    """A server that runs: where it is, what it runs on, and a door of this process to the same data."""

    port: int
    settings: Settings
    door: Door
    log: Path

    @property
    def base(self) -> str:
        """Where programs connect; say the tenant with `headers=served.host("health")`."""
        return f"http://127.0.0.1:{self.port}"

    def host_name(self, slug: str) -> str:
        return f"{slug}.localhost"

    def host(self, slug: str) -> dict[str, str]:
        """The Host header of a tenant."""
        return {"Host": f"{self.host_name(slug)}:{self.port}"}

    def url(self, slug: str, path: str = "/") -> str:
        """An address for a browser; Chromium knows `*.localhost`."""
        return f"http://{self.host_name(slug)}:{self.port}{path}"

    def email(self, slug: str, who: str) -> str:
        return f"{who}@{slug}.example"

    def browser(self, slug: str) -> Caller:
        """A browser that is not signed in, at an address of its own, so that no limit is shared."""
        number = next(_addresses)
        return Caller(
            self.door.platform.tenant(slug), "test-served", host=self.host_name(slug),
            address=f"10.{os.getpid() % 250}.{number // 250}.{number % 250}",
        )

    def person(self, slug: str, who: str) -> Caller:
        """A new session of one of `PEOPLE`, for the door of this process."""
        browser = self.browser(slug)
        granted = self.door.perform(
            browser, "sessions.start", {"email": self.email(slug, who), "password": PASSWORD}
        )
        return replace(browser, token=granted.token)

    def cookie(self, caller: Caller) -> dict[str, str]:
        """The name and value of the caller's session cookie."""
        return {cookie_name(self.settings): cookie_value(caller.token or "", caller.host, self.settings)}

    def token(self, cookie: dict[str, str], slug: str) -> dict[str, str]:
        """The header by which the pages of a cookie's session show that a write comes from them."""
        (value,), secret = cookie.values(), self.settings.secret_key.get_secret_value()
        held = sessions.unsign(value, self.host_name(slug), secret) or ""
        return {"X-CSRF-Token": csrf.of_session(sessions.token_hash(held), self.host_name(slug), secret)}

    def sign_in(self, slug: str, who: str) -> dict[str, str]:
        """The cookie of a new session, made beside the sign-in page and its limit."""
        return self.cookie(self.person(slug, who))

    def admin(self, slug: str) -> Caller:
        """The caller at the command line: an admin."""
        return Caller(self.door.platform.tenant(slug), "test-served", cli_user="tester")


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The server that all test processes share. See `Served`."""
    base = tmp_path_factory.getbasetemp()
    shared = (base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base) / "served"
    shared.mkdir(exist_ok=True)
    with (shared / "users.lock").open("a") as users, (shared / "tests.lock").open("a") as tests:
        with _alone(shared / "setup.lock"):
            fcntl.flock(users, fcntl.LOCK_SH)
            fcntl.flock(tests, fcntl.LOCK_SH)
            if not _running(shared):
                _start(shared)
            facts = _facts(shared)
        settings = _settings(Path(facts["data"]), facts["port"])
        # Not `opened`: the door of this process (`process.current`) stays that of the other fixtures.
        with database_url(settings) as url:
            platform = Platform(settings, url)
            yield Served(facts["port"], settings, Door(platform), shared / "server.log")
            platform.close()
        with _alone(shared / "setup.lock"):
            _leave(users, tests, facts)


def _leave(users: IO[str], tests: IO[str], facts: dict[str, Any]) -> None:
    """Lets go of the server; its last user waits for its end and removes its data. Called with the set-up's lock."""
    try:
        fcntl.flock(tests, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return
    users.close()
    deadline = time.monotonic() + STOP_SECONDS
    while _alive(facts["pid"]) and time.monotonic() < deadline:
        threading.Event().wait(0.05)
    shutil.rmtree(facts["data"], ignore_errors=True)


def _facts(shared: Path) -> dict[str, Any]:
    facts: dict[str, Any] = json.loads((shared / "served.json").read_text())
    return facts


def free_port() -> int:
    """A port that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def environment(data_dir: Path, port: int) -> dict[str, str]:
    """The environment of a command on the data directory."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("WORKREEF_", "REFLEX_"))}
    return clean | {
        "WORKREEF_ENV": "demo", "WORKREEF_DATA_DIR": str(data_dir), "WORKREEF_PORT": str(port),
        "WORKREEF_PUBLIC_URL": f"http://localhost:{port}", "WORKREEF_SECRET_KEY": SECRET,
    }


def launch(data_dir: Path, pages: frontend.Pages, port: int, log: IO[Any], *, users: Path | None = None) -> Any:
    """Starts a server process and waits until it is ready. It ends with the last holder of `users`, if given."""
    arguments = [sys.executable, "-m", "tests.serving", str(port), str(pages.web_dir), str(users or "")]
    process = subprocess.Popen(
        arguments, cwd=frontend.ROOT, env=environment(data_dir, port), stdin=subprocess.DEVNULL, stdout=log,
        stderr=subprocess.STDOUT, start_new_session=True,
    )
    deadline = time.monotonic() + READY_SECONDS
    while True:
        try:
            if httpx.get(f"http://127.0.0.1:{port}/readyz").status_code == 200:
                return process
        except httpx.TransportError:
            pass
        if process.poll() is not None or time.monotonic() > deadline:
            process.terminate()
            raise RuntimeError(f"the server did not start: {Path(log.name).read_text()[-2000:]}")
        threading.Event().wait(0.05)


def _settings(data_dir: Path, port: int) -> Settings:
    return settings_module.load(
        data_dir=data_dir, env="demo", secret_key=SECRET, database_url="", redis_url="", port=port,
        public_url=f"http://localhost:{port}", platform_key="local:platform", trusted_proxies="",
    )


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    with path.open("a") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _running(shared: Path) -> bool:
    try:
        facts = _facts(shared)
        return httpx.get(f"http://127.0.0.1:{facts['port']}/readyz").status_code == 200
    except (OSError, ValueError, httpx.TransportError):
        return False


def _port() -> int:
    """The port of the run before, for which the pages are built; another one when it is taken."""
    kept = PAGES / "port"
    try:
        port = int(kept.read_text())
        server.require_free_port(server.Address(port))
    except (OSError, ValueError, server.PortError):
        port = free_port()
        kept.write_text(str(port))
    return port


def _start(shared: Path) -> None:
    # Runs beside this one share the pages' directory, and wait for each other here.
    PAGES.mkdir(parents=True, exist_ok=True)
    with _alone(PAGES / "port.lock"):
        port = _port()
        pages = frontend.build(lambda step: None, port=port, data_dir=PAGES)
        # Not in pytest's own directory: that is closed to the account that Postgres runs as when root runs the tests.
        data = Path(tempfile.mkdtemp(prefix="workreef-served-"))
        with opened(_settings(data, port)) as door, (shared / "server.log").open("a") as log:
            fill(door)
            process = launch(data, pages, port, log, users=shared / "users.lock")
    (shared / "served.json").write_text(json.dumps({"port": port, "pid": process.pid, "data": str(data)}))


def _alive(pid: int) -> bool:
    with suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)
    try:
        # The state follows the name, which may hold anything, in brackets; Z is dead but not yet waited for.
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def fill(door: Door) -> None:
    """Two tenants with their departments, one person a persona, and a month of lines in every department."""
    for slug, (name, departments) in TENANTS.items():
        create_tenant(door.platform, slug=slug, name=name, hipaa=slug == "health", demo=True)
        admin = Caller(door.platform.tenant(slug), "test-fill", cli_user="fill")
        for department, title in departments.items():
            door.perform(admin, "departments.create", {"slug": department, "name": title})
        known = list(departments)
        for who, persona, mine in PEOPLE:
            invited = door.perform(admin, "people.create", {
                "email": f"{who}@{slug}.example", "name": f"{who.replace('_', ' ').title()} Of {name.split()[0]}",
                "personas": [persona], "departments": [known[i] for i in mine],
            })
            door.perform(
                Caller(admin.tenant, "test-fill", host=f"{slug}.localhost", address=f"10.0.0.{next(_addresses)}"),
                "invitations.accept", {"token": invited.invitation_token, "password": PASSWORD},
            )
        for department in departments:
            import_lines(door, admin, department, lines(slug, department))


def lines(slug: str, department: str, count: int = 1500) -> list[dict[str, Any]]:
    """Made-up log lines of the last 29 days; the same at every call but for their times."""
    chance = random.Random(f"{slug} {department}")
    begin = datetime.now(UTC) - timedelta(days=29)
    step = timedelta(days=29) / count
    makers = (
        lambda: f"cleanup: disk full on node web-{chance.randint(1, 9)}, usage {chance.randint(90, 99)} percent",
        lambda: f"nightly export of {department} file failed with connection refused by host edi{chance.randint(1, 4)}",
        lambda: f"session opened for user svc{chance.randint(1, 5)}",
        lambda: f"certificate for {chance.choice('ab')}.example.internal expired {chance.randint(1, 30)} days ago",
        lambda: f"patient record export for MRN {chance.randint(1000, 9999)} failed: timeout waiting for lock",
        lambda: f"queue backlog exceeded limit: {chance.randint(100, 900)} messages waiting in intake",
    )
    return [
        {"at": begin + step * i, "message": chance.choice(makers)(),
         "identity": hashlib.sha256(f"{slug} {department} {i}".encode()).hexdigest()}
        for i in range(count)
    ]


def _end_with(users: Path) -> None:
    """Asks this process to stop once nobody holds the lock."""
    with users.open("a") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
    os.kill(os.getpid(), signal.SIGTERM)


def main(port: int, web_dir: Path, users: str) -> None:
    """The server process."""
    if users:
        threading.Thread(target=_end_with, args=(Path(users),), daemon=True).start()
    pages = frontend.Pages(web_dir, web_dir / "build" / "client", "", rebuilt=False)
    server.serve(server.Address(port), pages)


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])
