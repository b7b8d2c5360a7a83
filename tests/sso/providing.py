"""A real OpenID provider, `oidc-provider` from npm, run on this host; and a browser's part in a sign-in by it."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sysconfig
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import httpx
import pytest

from tests.serving import free_port
from workreef_app.http.frontend import ROOT

SOURCE = Path(__file__).parent / "provider"
FILES = ("package.json", "package-lock.json", "server.mjs")
CACHE = ROOT / ".pytest_cache" / "workreef-provider"
CLIENT_ID = "workreef"
#: Holds what must be escaped in a Basic header.
CLIENT_SECRET = "a:secret of the tests/with+signs%, long enough"
CLAIMS = {"openid": ["sub"], "email": ["email", "email_verified"], "profile": ["name"], "groups": ["groups"]}
DANA = {"email": "Dana@Example.com", "email_verified": True, "name": "Dana Ito", "groups": ["ops", "everyone"]}


def installed() -> Path:
    """The folder with the provider and its packages, installed once for each lock. A failure is an error."""
    digest = hashlib.sha256(b"\0".join((SOURCE / name).read_bytes() for name in FILES)).hexdigest()[:16]
    folder = CACHE / digest
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / "install.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "complete").exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            for name in FILES:
                shutil.copy(SOURCE / name, folder)
            command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
            done = subprocess.run(command, cwd=folder, env=_environment(), capture_output=True, text=True, check=False)
            if done.returncode:
                raise RuntimeError(f"the provider for the tests cannot be installed: {done.stderr[-2000:]}")
            (folder / "complete").touch()
    return folder


def _environment() -> dict[str, str]:
    """With Node and npm of the wheel first."""
    return {**os.environ, "PATH": os.pathsep.join([sysconfig.get_path("scripts"), os.environ.get("PATH", os.defpath)])}


class RunningProvider:
    """The provider while it runs. `order` is described in `server.mjs`."""

    def __init__(self, port: int, folder: Path, *, conform: bool) -> None:
        self.port = port
        self.issuer = f"http://127.0.0.1:{port}"
        self.accounts: dict[str, Any] = {"dana": DANA}
        self._folder, self._conform = folder, conform
        self._clients: dict[str, dict[str, Any]] = {}
        self._process: subprocess.Popen[str] | None = None
        self.start()

    def start(self) -> None:
        """Starts it, and waits until it listens."""
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            json.dump({
                "port": self.port, "conform": self._conform, "claims": CLAIMS, "accounts": self.accounts,
                "clients": list(self._clients.values()),
            }, file)
            file.flush()
            self._process = subprocess.Popen(
                ["node", "server.mjs", file.name], cwd=self._folder, env=_environment(), text=True,
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            )
            assert self._process.stdout is not None
            line = self._process.stdout.readline()
            if not line:
                raise RuntimeError("the provider for the tests did not start")

    def stop(self) -> None:
        """Ends it: its port takes no connection any more."""
        assert self._process is not None
        self._process.terminate()
        self._process.wait(10)
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()

    def order(self, **given: Any) -> dict[str, int]:
        """Tells it what to be from now on; how often each of its paths was asked for."""
        counts: dict[str, int] = httpx.post(f"{self.issuer}/orders", json=given).json()
        return counts

    def know(self, redirect_uri: str, **more: Any) -> str:
        """Registers a client with this redirect address; its id."""
        client_id = f"{CLIENT_ID} {len(self._clients)}"
        self._clients[client_id] = {
            "client_id": client_id, "client_secret": CLIENT_SECRET, "redirect_uris": [redirect_uri],
            "response_types": ["code"], "grant_types": ["authorization_code"], **more,
        }
        self.order(clients=list(self._clients.values()))
        return client_id

    def account(self, login: str, **claims: Any) -> str:
        """Adds somebody who can sign in there; their account's name, which is their subject too."""
        self.accounts[login] = {**DANA, "email": f"{login}@example.com", "name": login.title(), **claims}
        self.order(accounts=self.accounts)
        return login

    def calm(self) -> None:
        """Takes back what an order made it do wrong."""
        self.order(forge=None, answer=None)

    def sign_in(self, question: str, account: str = "dana", *, refuse: bool = False) -> str:
        """A person's part: signs in at the provider; the address that it then sends the browser to."""
        with httpx.Client() as browser:
            address = question
            while address.startswith(self.issuer):
                answer = browser.get(address)
                if answer.status_code == 200 and "/interaction/" in address:
                    form = {"account": account, **({"refuse": "1"} if refuse else {})}
                    answer = browser.post(address, data=form)
                assert answer.is_redirect, f"{address}: {answer.status_code} {answer.text[:500]}"
                address = urljoin(address, answer.headers["location"])
            return address


@contextmanager
def running(*, conform: bool = False) -> Iterator[RunningProvider]:
    """A provider. `conform` puts what scopes ask for beside the ID token, not into it."""
    provider = RunningProvider(free_port(), installed(), conform=conform)
    try:
        yield provider
    finally:
        provider.stop()


@pytest.fixture(scope="session")
def provider() -> Iterator[RunningProvider]:
    """The provider that the tests of a process share."""
    with running() as provider:
        yield provider
