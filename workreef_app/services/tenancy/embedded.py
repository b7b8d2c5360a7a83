"""The embedded Postgres: a real server in a data directory, for everyone who has none to point the product
at.

It listens on a Unix socket alone, and asks everyone for a password. The product signs in as ``workreef``,
which may make databases and roles and is no superuser; so the isolation of tenants is the same here as on a
server of your own.

A command that finds the server stopped starts it, and the last one that uses it stops it (`lease`). Who uses
it is a lock that the kernel holds for each process, so a killed one does not count. `embedded_keeper` starts it
again when it dies.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import socket
import struct
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import quote

from workreef_app.services.tenancy.embedded_account import account_for
from workreef_app.services.tenancy.embedded_errors import EmbeddedError, damaged, one_sentence
from workreef_app.services.tenancy.embedded_files import (
    PRODUCT_ROLE,
    Place,
    is_server,
    passwords,
    postmaster,
    socket_file,
    try_lock,
)
from workreef_app.services.tenancy.embedded_orphans import end_orphans
from workreef_app.services.tenancy.embedded_server import (
    CONTROL_DATABASE,
    FOLDERS,
    Plan,
    halt,
    initialise,
    launch,
    open_the_way,
)

__all__ = ["Embedded", "EmbeddedError", "lease", "restart", "start", "stop"]

_POLL = 0.003
_SETUP_TIMEOUT = 600.0
_ATTACH_TIMEOUT = 300.0
_SOCKET_TIMEOUT = 5.0
_ANSWER_TIMEOUT = 2.0
_SSL_REQUEST = struct.pack("!II", 8, 80877103)


@dataclass(frozen=True)
class Embedded:
    """A running embedded server, and how the product signs in to it."""

    socket_dir: Path
    user: str
    password: str = field(repr=False)
    database: str
    version: int

    def url(self) -> str:
        """The connection URL in libpq's form, each part percent-encoded."""
        who = f"{quote(self.user, safe='')}:{quote(self.password, safe='')}"
        return f"postgresql://{who}@/{quote(self.database, safe='')}?host={quote(str(self.socket_dir))}"


def start(
    data_dir: Path,
    *,
    version: int = 18,
    max_connections: int = 200,
    settings: Mapping[str, str] | None = None,
) -> Embedded:
    """The server of ``data_dir``: made on first use, started when stopped, found when running.

    A server started so runs until `stop`, or until the last `lease` on it ends. ``max_connections`` and
    ``settings`` (parameters of Postgres by name; those that the product relies on cannot be changed) count
    when it is started. Raises `EmbeddedError`.
    """
    with one_sentence(data_dir), _held(data_dir) as (place, setup_lock):
        return _running(place, setup_lock, _plan(version, max_connections, settings))


def restart(
    data_dir: Path,
    socket_dir: Path,
    *,
    version: int = 18,
    max_connections: int = 200,
    settings: Mapping[str, str] | None = None,
) -> Embedded:
    """The server of ``data_dir``, started when it has died, on the socket that its users know. Nothing is made:
    a data directory that has gone, as with its disk, must not come back empty. Raises `EmbeddedError`.
    """
    plan = replace(_plan(version, max_connections, settings), socket_dir=socket_dir)
    if not data_dir.exists():
        raise EmbeddedError(damaged(data_dir, data_dir))
    with one_sentence(data_dir), _held(data_dir) as (place, setup_lock):
        if not place.pgdata.exists():
            raise EmbeddedError(damaged(place.pgdata, place.root))
        return _running(place, setup_lock, plan)


def stop(data_dir: Path) -> bool:
    """Stop the server in order, whoever uses it, and says whether one ran. A keeper among its users starts it again.

    Raises `EmbeddedError`.
    """
    if not data_dir.exists():
        return False
    with one_sentence(data_dir), _held(data_dir) as (place, _):
        return halt(place)


@contextlib.contextmanager
def lease(
    data_dir: Path,
    *,
    version: int = 18,
    max_connections: int = 200,
    settings: Mapping[str, str] | None = None,
) -> Iterator[Embedded]:
    """Use the server for the length of the block: started when stopped, and stopped again by its last user.

    The lease belongs to this process: a child that it forks takes its own. Raises `EmbeddedError`.
    """
    with one_sentence(data_dir), _held(data_dir) as (place, setup_lock):
        embedded = _running(place, setup_lock, _plan(version, max_connections, settings))
        mine = place.open("users.lock")
        try_lock(mine, shared=True)  # free to share: it is taken alone only under the setup lock
    holder = os.getpid()
    try:
        yield embedded
    finally:
        if os.getpid() == holder:
            with one_sentence(data_dir), _held(data_dir) as (place, _):
                if try_lock(mine):  # nobody else shares it
                    halt(place)
                fcntl.flock(mine, fcntl.LOCK_UN)  # closing alone would leave it with a forked child
                os.close(mine)


@contextlib.contextmanager
def _held(data_dir: Path) -> Iterator[tuple[Place, int]]:
    """The data directory, made if missing, while this process alone may start or stop its server."""
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    root = data_dir.resolve()
    place = Place(root, account_for(root))
    setup_lock = place.open("setup.lock")
    try:
        deadline = time.monotonic() + _SETUP_TIMEOUT
        while not try_lock(setup_lock):
            if time.monotonic() > deadline:
                raise EmbeddedError(f"Another process is still starting or stopping {root}: end it first.")
            time.sleep(_POLL)
        yield place, setup_lock
    finally:
        fcntl.flock(setup_lock, fcntl.LOCK_UN)  # closing alone would leave it with a child forked meanwhile
        os.close(setup_lock)


def _running(place: Place, setup_lock: int, plan: Plan) -> Embedded:
    """The server, started and made when there is none; the caller holds the setup lock."""
    _check_version(place, plan.version)
    server_lock = place.open("server.lock")
    try:
        socket_dir = _attach(place, server_lock)
        if socket_dir is None:
            open_the_way(place, plan.version)
            if not place.pgdata.exists():
                initialise(place, plan.version, setup_lock)
            socket_dir = launch(place, plan, server_lock)
    finally:
        os.close(server_lock)  # and not unlocked: a server that was started shares the lock, and keeps it
    secret = passwords(place)[PRODUCT_ROLE]
    return Embedded(socket_dir, PRODUCT_ROLE, secret, CONTROL_DATABASE, plan.version)


def _attach(place: Place, server_lock: int) -> Path | None:
    """The socket directory of the server that runs; ``None`` when none does, and then we hold
    ``server_lock``.

    One whose starter was killed may still be getting ready. One that is ready and does not answer has lost
    its socket (a cleaned temporary directory) or its first process: it is of no use to anybody, and is
    stopped. What a killed one left at work is ended.
    """
    begun, unanswered, dead = time.monotonic(), 0.0, 0.0
    while not try_lock(server_lock):
        now, found = time.monotonic(), postmaster(place.pgdata)
        if found and not is_server(found.pid, place.pgdata):
            dead = dead or now
            end_orphans(place, now - dead)
        elif found and found.ready:
            dead = 0.0
            if answers(found.socket_dir):
                return found.socket_dir
            unanswered = unanswered or now
            if now - unanswered > _SOCKET_TIMEOUT:
                halt(place)
        if now - begun > _ATTACH_TIMEOUT:
            raise EmbeddedError(f"Postgres in {place.root} does not get ready: {place.log} says why.")
        time.sleep(_POLL)
    return None


def answers(socket_dir: Path) -> bool:
    """Whether the server speaks: it answers an SSLRequest with one byte, before any sign-in (protocol 3.0).

    Connecting proves less, since the kernel accepts for a server that is just dying.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(_ANSWER_TIMEOUT)
        try:
            probe.connect(str(socket_file(socket_dir)))
            probe.sendall(_SSL_REQUEST)
            return probe.recv(1) in (b"N", b"S")
        except OSError:
            return False


def _check_version(place: Place, version: int) -> None:
    if not place.pgdata.exists():
        return
    try:
        made_by = (place.pgdata / "PG_VERSION").read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        raise EmbeddedError(damaged(place.pgdata / "PG_VERSION", place.root)) from None
    if made_by != str(version):
        raise EmbeddedError(
            f"{place.root} was made by Postgres {made_by}, and Postgres {version} cannot read it: dump it "
            f"with {made_by} and restore it into a new data directory, or move it away to begin anew."
        )


def _plan(version: int, max_connections: int, settings: Mapping[str, str] | None) -> Plan:
    for name in settings or {}:
        if not re.fullmatch(r"[a-z_][a-z0-9_.]*", name):
            raise EmbeddedError(f"{name!r} is no name of a Postgres parameter: correct it.")
    if version not in FOLDERS:
        choice = " or ".join(map(str, FOLDERS))
        raise EmbeddedError(f"There is no embedded Postgres {version}: choose {choice}.")
    return Plan(version, max_connections, dict(settings or {}))
