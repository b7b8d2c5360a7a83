"""The files of the embedded Postgres: where they lie, its locks, its passwords, its pid file.

Everything lies in one data directory (``.workreef/postgres``), open to its owner alone:

===================  =====================================================================================
``pgdata/``          the Postgres data directory, complete from the moment it has this name
``pgdata.new/``      one being made; a left-over is thrown away at the next start
``passwords.json``   the passwords of ``postgres`` and ``workreef``, 0600
``run/``             the Unix socket, unless its path would be too long
``server.log``       what the server and its tools said
``setup.lock``       held while somebody starts, stops or makes the server
``server.lock``      held by the server's own processes for as long as one of them lives
``users.lock``       held (shared) by every process that uses the server
===================  =====================================================================================

The locks are ``flock`` locks: the kernel drops them with the process, so none is ever stale.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import tempfile
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from workreef_app.services.tenancy.embedded_account import Account, let_enter
from workreef_app.services.tenancy.embedded_errors import EmbeddedError, damaged

SUPERUSER = "postgres"
PRODUCT_ROLE = "workreef"
PORT = 5432
SOCKET_PATH_LIMIT = 103
"""Bytes in a Unix socket's path: 107 on Linux, 103 on macOS (``sun_path`` less its closing zero)."""
NO_SUCH_PID = 2**31 - 1
"""A process id above every kernel's limit (Linux ends at 2**22)."""


@dataclass(frozen=True)
class Place:
    """One data directory, with the account that Postgres runs under (``None``: the caller's own)."""

    root: Path
    account: Account | None

    @property
    def pgdata(self) -> Path:
        return self.root / "pgdata"

    @property
    def building(self) -> Path:
        return self.root / "pgdata.new"

    @property
    def log(self) -> Path:
        return self.root / "server.log"

    @property
    def passwords(self) -> Path:
        return self.root / "passwords.json"

    def open(self, name: str, flags: int = os.O_RDWR) -> int:
        """A descriptor of a file here, made 0600 when missing; the caller closes it. No child inherits it."""
        descriptor = os.open(self.root / name, flags | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        if keeper := self.keeper:
            os.fchown(descriptor, keeper.uid, keeper.gid)
        return descriptor

    @property
    def keeper(self) -> Account | None:
        """The account to give new files to, when root uses the data directory of somebody who has no root."""
        return self.account if self.account and self.account.uid == self.root.stat().st_uid else None


def try_lock(descriptor: int, *, shared: bool = False) -> bool:
    """Take the lock if it is free, without waiting; says whether it was taken."""
    try:
        fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def own_directory(path: Path, account: Account | None) -> Path:
    """Make ``path`` a directory that only ``account`` may enter; one that another made is refused."""
    path.mkdir(mode=0o700, exist_ok=True)
    found = path.lstat()
    wanted = account.uid if account else os.geteuid()
    if path.is_symlink() or found.st_uid not in (wanted, os.geteuid()) or found.st_mode & 0o077:
        raise EmbeddedError(f"{path} was made by somebody else: remove it, then start again.")
    if account:
        os.chown(path, account.uid, account.gid)
    return path


def socket_directory(place: Place) -> Path:
    """The directory for the server's socket: ``run`` in the data directory, or a short one when it is too
    long.

    The short one is in ``XDG_RUNTIME_DIR`` or the temporary directory, named by a hash of the data directory.
    Clients read the path from the running server's pid file, so a process with another ``TMPDIR`` finds it.
    A comma would be read by libpq as a list of hosts.
    """
    name = cluster_name(place.root)
    bases = [tempfile.gettempdir(), "/tmp"]  # nosec B108: the directory in it is checked to be ours alone
    if place.account is None and (runtime := os.environ.get("XDG_RUNTIME_DIR")):
        bases.insert(0, runtime)
    for path in [place.root / "run", *(Path(base) / name for base in bases)]:
        fits = len(os.fsencode(socket_file(path))) <= SOCKET_PATH_LIMIT and not {",", '"'} & set(str(path))
        if fits and os.access(path.parent, os.W_OK | os.X_OK):
            if place.account:
                let_enter(path.parent, place.account)
            return own_directory(path, place.account)
    raise EmbeddedError(f"No path is short enough for the socket of {place.root}: set TMPDIR to a short one.")


def socket_file(directory: Path) -> Path:
    """The socket that Postgres makes in ``directory``."""
    return directory / f".s.PGSQL.{PORT}"


def write_file(path: Path, text: str, account: Account | None = None) -> None:
    """Write a 0600 file whole or not at all, owned by ``account``; a link in its place is replaced, not
    followed."""
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            if account:
                os.fchown(file.fileno(), account.uid, account.gid)
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def sync_directory(path: Path) -> None:
    """Make a rename in ``path`` survive a power cut."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def passwords(place: Place) -> dict[str, str]:
    """The passwords by role. Made at the first start, before the server that they are for; kept ever
    after."""
    try:
        kept = json.loads(place.passwords.read_text(encoding="utf-8"))
        return {role: str(kept[role]) for role in (SUPERUSER, PRODUCT_ROLE)}
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        if place.pgdata.exists():
            raise EmbeddedError(damaged(place.passwords, place.root)) from None
    made = {role: secrets.token_urlsafe(24) for role in (SUPERUSER, PRODUCT_ROLE)}
    write_file(place.passwords, json.dumps(made), place.keeper)
    sync_directory(place.root)
    return made


@dataclass(frozen=True)
class Postmaster:
    """What a running server writes into ``postmaster.pid`` (its lines 1, 5 and 8; Postgres ``pidfile.h``)."""

    pid: int
    socket_dir: Path
    ready: bool


def postmaster(pgdata: Path) -> Postmaster | None:
    """The server that the pid file tells of, or ``None`` without one, or with one not yet written to its
    end."""
    try:
        lines = (pgdata / "postmaster.pid").read_text(encoding="utf-8").splitlines()
        return Postmaster(int(lines[0]), Path(lines[4]), lines[7].strip() == "ready")
    except (FileNotFoundError, IndexError, ValueError):
        return None


def cluster_name(root: Path) -> str:
    """The server's name, which its backends show in their titles."""
    return "workreef-" + sha256(os.fsencode(root)).hexdigest()[:12]


def _title(root: Path) -> bytes:
    return f"postgres: {cluster_name(root)}: ".encode()


def is_server(pid: int, pgdata: Path) -> bool:
    """Whether ``pid`` is a live server of ``pgdata`` or a backend of one: it works there, or was told to.

    Root in a container may not see where another account's process works (that takes CAP_SYS_PTRACE), only
    what it was started with or calls itself. Without ``/proc`` (macOS) a live process of ours counts.
    """
    process = Path(f"/proc/{pid}")
    try:
        if not Path("/proc/self").exists():
            os.kill(pid, 0)
            return True
        try:
            return os.path.samefile(process / "cwd", pgdata)
        except PermissionError:
            told = (process / "cmdline").read_bytes()
            return os.fsencode(pgdata) in told.split(b"\0") or told.startswith(_title(pgdata.parent))
    except OSError:
        return False


def mend_pid_file(place: Place) -> None:
    """Make a pid file that a killed server left behind harmless. The caller holds ``server.lock``.

    Postgres judges such a file by its process id, and is wrong when a reboot gave the number to another
    process or a zombie still has it. A number that no process has leaves its second check, the shared memory,
    in force. Raises `EmbeddedError` when a server that somebody else started lives in the directory.
    """
    path = place.pgdata / "postmaster.pid"
    try:
        first, _, rest = path.read_text(encoding="utf-8").partition("\n")
    except FileNotFoundError:
        return
    if not first.strip().isdecimal() or int(first) == 0:  # its disk was full, or the power went
        path.unlink()
    elif is_server(int(first), place.pgdata):
        raise EmbeddedError(
            f"A Postgres not started by WorkReef (process {first}) uses {place.pgdata}: stop it first."
        )
    elif Path("/proc/self").exists():
        write_file(path, f"{NO_SUCH_PID}\n{rest}", place.account)
