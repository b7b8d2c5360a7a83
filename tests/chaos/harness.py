"""Real processes, and what can happen to them: the harness of the chaos suites.

A `World` is a data directory of its own with the embedded Postgres and one tenant. Its product processes (`web`,
`worker`, `writer`) are started as a customer starts them, each in a session of its own. The harness itself holds no
lease on the server and keeps nothing up: what comes back after a fault came back by the product's own doing.

Contract, for whoever writes a suite:

- `World(disk_mib=…)` puts the data directory on a disk of that size, a tmpfs: it takes root and leave to mount, which
  `can_mount()` tells. What was tried beside it: RLIMIT_FSIZE gives EFBIG (SQLSTATE 58030 and not 53100); a mount in a
  private namespace (`unshare -m`) works too, but hides the socket from this process.
- `strike(fault, chance)` does one `Fault` to something alive, drawn by `chance`, and says what it hit. A pause ends by
  itself after `PAUSE_SECONDS`; a full disk lasts until `relieve()`. Nothing is started again by it, except by `mend()`,
  which is the operator: it frees the disk, wakes up what is paused, and starts what was killed with its own arguments.
- `harass(seed, faults, until)` strikes at seeded random moments until `until()` is true, mending before each strike.
  The same seed gives the same faults after the same waits.
- `settled()` ends a case: mends, waits until the database answers, and verifies the whole audit chain with the
  customer's verifier on a real export. It returns the verifier's facts, and raises AssertionError when that fails.
- `lost()` is what a writer was told is done and is not in the database: it must always be empty.
- `table(rows)` prints fault × outcome.
- Leaving the `with` block kills everything it started, unmounts, and removes the directory.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from tests import serving
from tests.chaos.disk import can_mount, mount, unmount
from workreef_app.http import frontend
from workreef_app.services.audit import verify
from workreef_app.services.door import Caller, Door
from workreef_app.services.operation import Actor, FileResult, Reach, Unavailable
from workreef_app.services.process import opened
from workreef_app.services.tenancy import embedded
from workreef_app.services.tenancy.embedded_files import is_server, postmaster
from workreef_app.services.tenancy.platform import Platform
from workreef_app.services.tenancy.tenants import create_tenant
from workreef_app.settings import Settings

__all__ = ["Fault", "Row", "Running", "Strike", "World", "can_mount", "table"]

SLUG = "chaos"
PAUSE_SECONDS = 3.0
PATIENCE = 60.0
#: Reads every department.
READER = Actor(id="chaos", extra_reach=frozenset({Reach.SETTINGS}))
_POLL = 0.02
_NOSPACE = frozenset({errno.ENOSPC, errno.EDQUOT})


class Fault(StrEnum):
    """What can happen. Those of one process hit one that is alive, drawn by chance."""

    KILL_WORKER = "kill -9 a worker"
    TERM_WORKER = "SIGTERM to a worker"
    PAUSE_WORKER = "a worker stands still"
    KILL_WEB = "kill -9 the web process"
    TERM_WEB = "SIGTERM to the web process"
    KILL_POSTGRES = "kill -9 Postgres' first process"
    KILL_BACKEND = "kill -9 a backend of Postgres"
    KILL_POSTGRES_ALL = "kill -9 all of Postgres"
    FILL_DISK = "the disk is full"


@dataclass(frozen=True)
class Strike:
    """One fault that was done: to whom (a process id; 0 for the disk), and when, in seconds since the world began."""

    fault: Fault
    pid: int
    at: float


@dataclass(frozen=True)
class Row:
    """One line of the table: what was done, what came of it, how long until all was well again."""

    fault: str
    outcome: str
    seconds: float


def table(rows: Sequence[Row]) -> str:
    """Fault × outcome, to be printed."""
    wide = max([len("fault"), *(len(row.fault) for row in rows)])
    lines = [f"{'fault':<{wide}}  {'well after':>10}  outcome"]
    lines += [f"{row.fault:<{wide}}  {row.seconds:>8.1f} s  {row.outcome}" for row in rows]
    return "\n".join(lines)


@dataclass
class Running:
    """A product process that the harness started, and how to start it again."""

    role: str
    begin: Callable[[], subprocess.Popen[Any]]
    process: subprocess.Popen[Any]
    log: Path
    paused: bool = False

    @property
    def alive(self) -> bool:
        return self.process.poll() is None

    def send(self, number: int) -> None:
        """A signal to the process and all that it started; it leads a session of its own."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, number)


@dataclass
class World:
    """See the module's docstring. Use it in a `with` block."""

    disk_mib: int | None = None
    strikes: list[Strike] = field(default_factory=list)
    running: list[Running] = field(default_factory=list)
    _begun: float = field(default_factory=time.monotonic)
    _stack: ExitStack = field(default_factory=ExitStack)

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            base = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="workreef-chaos-")))
            self.data_dir = base / "data"
            self.data_dir.mkdir()
            if self.disk_mib is not None:
                mount(self.data_dir, self.disk_mib)
                stack.callback(unmount, self.data_dir)
            stack.callback(self._kill_everything)
            self.logs = base / "logs"
            self.logs.mkdir()
            self.port = serving.free_port()
            self.settings: Settings = serving._settings(self.data_dir, self.port)
            with opened(self.settings) as door:
                create_tenant(door.platform, slug=SLUG, name="Chaos", demo=True)
            self._open_door(stack)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def _open_door(self, stack: ExitStack) -> None:
        platform = Platform(self.settings, embedded.start(self.data_dir / "postgres").url())
        stack.callback(platform.close)
        self.door = Door(platform)
        self.admin = Caller(platform.tenant(SLUG), "chaos", cli_user="chaos")

    @property
    def pgdata(self) -> Path:
        return self.data_dir.resolve() / "postgres" / "pgdata"

    # Processes

    def worker(self, queue: str) -> Running:
        """`workreef worker --queue …`."""
        return self._start(f"worker {queue}", [sys.executable, "-m", "workreef_app.cli", "worker", "--queue", queue])

    def writer(self) -> Running:
        """A process of the product that makes one department after the other and tells which; see `written`."""
        return self._start("writer", [sys.executable, "-m", "tests.chaos.writer", SLUG])

    def web(self) -> Running:
        """The web server, with pages that were built for another port: for programs and not for browsers."""
        pages = self._pages()
        log = self.logs / "web.log"

        def begin() -> subprocess.Popen[Any]:
            with log.open("a") as said:
                process: subprocess.Popen[Any] = serving.launch(self.data_dir, pages, self.port, said)
            return process

        return self._keep("web", begin, log)

    def _pages(self) -> frontend.Pages:
        serving.PAGES.mkdir(parents=True, exist_ok=True)
        kept = serving.PAGES / "port"
        with serving._alone(serving.PAGES / "port.lock"):  # other runs build there too
            port = int(kept.read_text()) if kept.exists() else self.port
            return frontend.build(lambda step: None, port=port, data_dir=serving.PAGES)

    def _start(self, role: str, command: Sequence[str]) -> Running:
        log = self.logs / f"{role.replace(' ', '-')}-{len(self.running)}.log"

        def begin() -> subprocess.Popen[Any]:
            with log.open("a") as said:
                return subprocess.Popen(
                    command, cwd=frontend.ROOT, env=serving.environment(self.data_dir, self.port),
                    stdin=subprocess.DEVNULL, stdout=said, stderr=subprocess.STDOUT, start_new_session=True,
                )

        return self._keep(role, begin, log)

    def _keep(self, role: str, begin: Callable[[], subprocess.Popen[Any]], log: Path) -> Running:
        started = Running(role, begin, begin(), log)
        self.running.append(started)
        return started

    def written(self) -> set[str]:
        """What the writers were told is done."""
        logs = {one.log for one in self.running if one.role == "writer"}
        lines = (line for log in logs for line in log.read_text().splitlines())
        return {line.partition(" ")[2] for line in lines if line.startswith("done ")}

    def postgres(self) -> list[int]:
        """Postgres' processes, the first one first; empty when it is down."""
        found = postmaster(self.pgdata)
        first = found.pid if found and is_server(found.pid, self.pgdata) else 0
        numbers = (int(name) for name in os.listdir("/proc") if name.isdecimal())
        return sorted((pid for pid in numbers if is_server(pid, self.pgdata)), key=lambda pid: (pid != first, pid))

    # Faults

    def strike(self, fault: Fault, chance: random.Random) -> Strike | None:
        """Does the fault; None when there is nothing alive that it could be done to."""
        pid = self._strike(fault, chance)
        if pid is None:
            return None
        self.strikes.append(Strike(fault, pid, time.monotonic() - self._begun))
        return self.strikes[-1]

    def _strike(self, fault: Fault, chance: random.Random) -> int | None:
        if fault is Fault.FILL_DISK:
            self.fill_disk()
            return 0
        if fault in {Fault.KILL_POSTGRES, Fault.KILL_BACKEND, Fault.KILL_POSTGRES_ALL}:
            return self._strike_postgres(fault, chance)
        web = fault in {Fault.KILL_WEB, Fault.TERM_WEB}
        alive = [one for one in self.running if one.alive and not one.paused and (one.role == "web") == web]
        if not alive:
            return None
        chosen = chance.choice(alive)
        if fault is Fault.PAUSE_WORKER:
            self.pause(chosen)
        else:
            chosen.send(signal.SIGTERM if fault in {Fault.TERM_WORKER, Fault.TERM_WEB} else signal.SIGKILL)
            chosen.process.wait(PATIENCE)
        return chosen.process.pid

    def _strike_postgres(self, fault: Fault, chance: random.Random) -> int | None:
        found = self.postgres()
        if len(found) < 2:
            return None
        hit = {Fault.KILL_POSTGRES: found[:1], Fault.KILL_POSTGRES_ALL: found}.get(fault) or [chance.choice(found[1:])]
        for pid in hit:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return hit[0]

    def pause(self, one: Running, seconds: float = PAUSE_SECONDS) -> None:
        """The process stands still, as on a host that swaps or moves, and goes on as if nothing had been."""
        one.paused = True
        one.send(signal.SIGSTOP)
        timer = threading.Timer(seconds, self._wake, [one, one.process.pid])
        timer.daemon = True
        timer.start()

    def _wake(self, one: Running, pid: int) -> None:
        if one.paused and one.process.pid == pid:
            one.send(signal.SIGCONT)
            one.paused = False

    def fill_disk(self) -> None:
        """Leaves no byte on the disk. Raises ValueError in a world without a disk of its own."""
        if self.disk_mib is None:
            raise ValueError("this world has no disk of its own: World(disk_mib=…)")
        size = 1 << 24
        with (self.data_dir / "filler").open("ab") as file:
            while size >= 4096:
                try:
                    os.posix_fallocate(file.fileno(), file.seek(0, os.SEEK_END), size)
                except OSError as error:
                    if error.errno not in _NOSPACE:
                        raise
                    size //= 2

    def relieve(self) -> None:
        """Frees the disk again."""
        (self.data_dir / "filler").unlink(missing_ok=True)

    def mend(self) -> None:
        """What an operator does: frees the disk, wakes up what stands still, starts what has ended."""
        self.relieve()
        for one in self.running:
            self._wake(one, one.process.pid)
            if not one.alive:
                one.process = one.begin()

    def harass(
        self, seed: int, faults: Sequence[Fault], until: Callable[[], bool], *, gap: tuple[float, float] = (0.2, 4.0),
        overlapping: bool = False, patience: float = 10 * PATIENCE,
    ) -> list[Strike]:
        """Strikes at random moments until `until()` is true; returns what was done. See the module's docstring.

        Each strike finds a database that answers, or, `overlapping`, whatever the one before has left.
        """
        chance, done, deadline = random.Random(seed), list[Strike](), time.monotonic() + patience
        while not until():
            assert time.monotonic() < deadline, f"not over after {patience:.0f} s; seed {seed}, {done}"
            moment, fault = time.monotonic() + chance.uniform(*gap), chance.choice(faults)
            while time.monotonic() < moment and not until():
                threading.Event().wait(_POLL)
            self.mend()
            if not overlapping:
                self.wait(self.answers)
            if struck := self.strike(fault, chance):
                done.append(struck)
        self.mend()
        return done

    # What must hold

    def wait(self, what: Callable[[], Any], patience: float = PATIENCE, pace: float = _POLL) -> float:
        """Waits until it is true, whatever the database says meanwhile; returns the seconds that took."""
        begun = time.monotonic()
        while True:
            with contextlib.suppress(Unavailable, SQLAlchemyError, httpx.TransportError):
                if what():
                    return time.monotonic() - begun
            assert time.monotonic() - begun < patience, f"not within {patience:.0f} s: {self._last_words()}"
            threading.Event().wait(pace)

    def answers(self) -> bool:
        """Whether the database does its work for this process."""
        return self.door.perform(self.admin, "me.read", {}) is not None

    def settled(self) -> dict[str, Any]:
        """Mends, waits for the database, and verifies the audit chain; the verifier's facts."""
        self.mend()
        if not any(one.alive for one in self.running):
            embedded.start(self.data_dir / "postgres")
        self.wait(self.answers)
        with self._export() as export:
            ended = subprocess.run(
                [sys.executable, verify.__file__, str(export), "--json"], capture_output=True, text=True, check=False
            )
        assert ended.returncode == 0, f"the audit chain does not hold: {ended.stdout[-2000:]}{ended.stderr[-2000:]}"
        facts: dict[str, Any] = json.loads(ended.stdout)
        assert facts["ok"]
        return facts

    def lost(self) -> set[str]:
        """What writers were told is done, and is not there."""
        said = self.written()
        with self.door.platform.unit_of_work(self.admin.tenant, READER) as session:
            return said - set(session.execute(text("SELECT slug FROM department")).scalars())

    @contextmanager
    def _export(self) -> Iterator[Path]:
        result: FileResult = self.door.perform(self.admin, "audit.export", {})
        try:
            yield result.path
        finally:
            result.path.unlink()

    def _last_words(self) -> str:
        return " | ".join(f"{one.role}: {one.log.read_text()[-600:]}" for one in self.running if one.log.exists())

    def _kill_everything(self) -> None:
        for one in self.running:
            one.send(signal.SIGKILL)
            one.process.wait()
        for pid in self.postgres():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        deadline = time.monotonic() + PATIENCE
        while self.postgres() and time.monotonic() < deadline:
            threading.Event().wait(_POLL)
