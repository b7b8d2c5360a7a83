"""What a demo remembers in its data directory: its settings, its people's passwords, what is already made."""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import shutil
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from workreef_app import settings as settings_module
from workreef_app.commands.frame import Failed
from workreef_app.services.posture.boot import DEMO_FILE
from workreef_app.services.tenancy import embedded
from workreef_app.settings import DEFAULT_DATA_DIR, ENV_FILE, Environment, Settings

LOCK_FILE = "demo.lock"
LOG_FILE = "serve.log"
DEFAULT_PORT = 3000
#: What a reset removes. The built pages stay: they hold no data.
OURS = ("postgres", "keys", DEMO_FILE, ENV_FILE)
#: What else a data directory may hold.
KEPT = (LOCK_FILE, LOG_FILE, "pages", "pages-build.log", "reflex")
_CONSONANTS, _VOWELS = "bdfgklmnprstvz", "aeiou"


@contextmanager
def claimed(place: Path) -> Iterator[None]:
    """The data directory for this demo alone. Raises Failed when another has it, or it is not ours to use."""
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    strange = [path.name for path in place.iterdir() if path.name not in OURS + KEPT and path.suffix != ".part"]
    if strange and not (place / ENV_FILE).exists():
        raise Failed(f"{place} holds other files ({min(strange)}); choose an empty directory with --data-dir.")
    with (place / LOCK_FILE).open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Failed(f"A demo runs in {place} already; stop it, or choose another place with --data-dir.") from None
        yield


def place_of(data_dir: Path | None, environment: MutableMapping[str, str]) -> Path:
    """The demo's data directory, absolute."""
    return Path(data_dir or environment.get("WORKREEF_DATA_DIR") or DEFAULT_DATA_DIR).expanduser().resolve()


def settings_of(place: Path, port: int | None, environment: MutableMapping[str, str]) -> Settings:
    """The demo's own settings, written on the first start; settings of the environment are put out of reach.

    Raises Failed when the directory holds an installation that is no demo.
    """
    wanted = port or _port(environment.get("WORKREEF_PORT"))
    for name in [name for name in environment if name.startswith("WORKREEF_")]:
        del environment[name]
    environment["WORKREEF_DATA_DIR"] = str(place)
    if not (place / ENV_FILE).exists():
        if (place / "postgres").exists():
            raise Failed(f"{place} holds a database without settings; choose another place with --data-dir.")
        _write_settings(place, secrets.token_urlsafe(48), wanted or DEFAULT_PORT)
    settings = need_demo(place)
    if wanted and wanted != settings.port:
        _write_settings(place, settings.secret_key.get_secret_value(), wanted)
        settings = need_demo(place)
    return settings


def need_demo(place: Path) -> Settings:
    """The settings in the directory. Raises Failed if they are not a demo's."""
    settings = settings_module.load(data_dir=place)
    if settings.env is not Environment.DEMO:
        raise Failed(f"{place} holds a {settings.env.value} installation; choose another place with --data-dir.")
    return settings


def _port(written: str | None) -> int | None:
    if not written:
        return None
    if not written.isdecimal() or not 1 <= int(written) <= 65535:
        raise Failed("WORKREEF_PORT is no port; set it to a number from 1024 to 65535.")
    return int(written)


def _write_settings(place: Path, secret_key: str, port: int) -> None:
    lines = (
        "# Settings of a WorkReef demo; every command reads them beneath the environment.",
        f"WORKREEF_ENV={Environment.DEMO.value}",
        f"WORKREEF_SECRET_KEY={secret_key}",
        f"WORKREEF_PORT={port}",
        f"WORKREEF_PUBLIC_URL=http://localhost:{port}",
        "WORKREEF_PLATFORM_KEY=local:platform",
    )
    write_private(place / ENV_FILE, "\n".join(lines) + "\n")


def write_private(path: Path, text: str) -> None:
    """Writes a file that only its owner reads, whole or not at all."""
    part = path.with_name(f"{path.name}.part")
    part.unlink(missing_ok=True)
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


def reset(place: Path) -> None:
    """Stops the server and removes the sample data, in a demo's directory alone. Raises Failed, EmbeddedError."""
    if not (place / ENV_FILE).exists():
        return
    need_demo(place)
    embedded.stop(place / "postgres")
    # The settings go last: what a crash leaves is still known as a demo's.
    for name in OURS:
        path = place / name
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def password() -> str:
    """A password that can be read aloud, with about 50 random bits."""
    words = ["".join(secrets.choice(_CONSONANTS) + secrets.choice(_VOWELS) for _ in range(3)) for _ in range(2)]
    return f"{words[0]}-{secrets.randbelow(9000) + 1000}-{words[1]}"


@dataclass(slots=True)
class Memory:
    """The sign-ins by tenant and email, and which logs are in. `began` dates the sample logs, once for all."""

    path: Path
    began: datetime
    people: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
    logs: list[str] = field(default_factory=list)

    def person(self, tenant: str, email: str) -> dict[str, Any]:
        """What is known of a person: the password, the unused invitation, whether they can sign in."""
        return self.people.setdefault(tenant, {}).setdefault(email, {"password": password()})

    def save(self) -> None:
        facts = {"began": self.began.isoformat(), "people": self.people, "logs": self.logs}
        write_private(self.path, json.dumps(facts, indent=1) + "\n")


def remembered(place: Path) -> Memory:
    """What an earlier start left. Raises Failed when it cannot be read."""
    path = place / DEMO_FILE
    if not path.exists():
        return Memory(path, datetime.now(UTC))
    try:
        facts = json.loads(path.read_text())
        return Memory(path, datetime.fromisoformat(facts["began"]), facts["people"], facts["logs"])
    except (ValueError, KeyError, TypeError):
        raise Failed(f"{path} cannot be read; `workreef demo --reset` begins anew.") from None
