"""A file that a browser uploads while its web process dies, or is told to stop."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from uuid import UUID

import httpx
from sqlalchemy import text

from tests import serving
from tests.chaos.faults import department_of, staffed
from tests.chaos.harness import SLUG, Fault, Row, World
from tests.chaos.imports import AUDITOR, ENDED, Log, concluded, job_of, log_of, read, until
from tests.serving import Served
from workreef_app.services.operation import Conflict
from workreef_app.services.signals.models import CHUNK_BYTES, RunStatus, StopReason

LINES = 120_000


def served_by(world: World) -> Served:
    return Served(world.port, world.settings, world.door, world.logs / "web.log")


def signed_in(world: World) -> dict[str, str]:
    """The cookie of an admin's new session; the admin is made at the first call."""
    served = served_by(world)
    with suppress(Conflict):  # there is one already
        invited = world.door.perform(world.admin, "people.create", {
            "email": served.email(SLUG, "admin"), "name": "Admin", "personas": ["admin"], "departments": [],
        })
        world.door.perform(
            served.browser(SLUG), "invitations.accept",
            {"token": invited.invitation_token, "password": serving.PASSWORD},
        )
    return served.sign_in(SLUG, "admin")


class Upload:
    """An upload whose body stops after `share` of it until `go` is called, or for ever."""

    def __init__(self, world: World, name: str, department: str, log: Log, share: float) -> None:
        self._world, self._name, self._department, self._log = world, name, department, log
        self._part = int(len(log.content) * share)
        self._cookie, self._go = signed_in(world), threading.Event()
        self._token = served_by(world).token(self._cookie, SLUG)
        self.answer: httpx.Response | httpx.TransportError | None = None
        self._thread = threading.Thread(target=self._put, name="upload", daemon=True)
        self._thread.start()

    def _body(self) -> Iterator[bytes]:
        yield self._log.content[: self._part]
        self._go.wait()
        yield self._log.content[self._part :]

    def _put(self) -> None:
        host = f"{SLUG}.localhost:{self._world.port}"
        try:
            self.answer = httpx.put(
                f"http://127.0.0.1:{self._world.port}/upload/imports", content=self._body(), cookies=self._cookie,
                headers={"Host": host, "Origin": f"http://{host}", **self._token}, timeout=60.0, params={
                    "kind": "log_file", "file_name": f"{self._name}.log", "department": self._department,
                },
            )
        except httpx.TransportError as error:
            self.answer = error

    def finish(self) -> None:
        """The browser tries to send the rest."""
        self._go.set()
        self._thread.join()


def import_of(world: World, department: str) -> UUID:
    """The one import into the department's source."""
    found: list[UUID] = []

    def there() -> bool:
        with world.door.platform.unit_of_work(world.admin.tenant, AUDITOR) as session:
            found[:] = session.execute(text(
                "SELECT r.id FROM import_run r JOIN department d ON d.id = r.department_id WHERE d.slug = :slug"
            ), {"slug": department}).scalars()
        return bool(found)

    until(world, there)
    return found[0]


def cut(world: World, seed: int, fault: Fault) -> Row:
    """The web process ends in the middle of an upload. An import that it leaves open is closed by whoever sent the
    file; nobody does it for them within the hour. What came is counted up to its last whole line."""
    begun, name = time.monotonic(), f"{fault.value} during an upload {seed}"
    chance = random.Random(name)
    staffed(world, 1)
    if not any(one.role == "web" for one in world.running):
        world.web()
    department, log = department_of(world, name), log_of(name, LINES)
    upload = Upload(world, name, department, log, chance.uniform(0.3, 0.9))
    import_id = import_of(world, department)
    chunks = int(upload._part / CHUNK_BYTES)
    until(world, lambda: read(world, import_id).chunks >= chunks)
    assert world.strike(fault, chance) is not None
    upload.finish()
    assert not isinstance(upload.answer, httpx.Response) or upload.answer.status_code >= 400, upload.answer
    run = read(world, import_id)
    left_open = run.status is RunStatus.RECEIVING
    if left_open:
        assert (run.chunks, run.bytes_received, run.lines) == (chunks, chunks * CHUNK_BYTES, 0), run
        world.door.perform(world.admin, "imports.close", {"import_id": import_id, "whole": False})
    until(world, lambda: read(world, import_id).status in ENDED)
    run = read(world, import_id)
    assert (run.status, run.reason) == (RunStatus.STOPPED, StopReason.INTERRUPTED), run
    assert job_of(world, import_id).crashes == 0
    kept = log.content[: run.bytes_received]
    assert run.lines == kept.count(b"\n"), f"{run.lines} of {kept.count(bytes([10]))} whole lines were counted"
    outcome = ("left open; " if left_open else "") + concluded(world, import_id, name, department, log)
    return Row(f"{fault.value}, uploading", outcome, time.monotonic() - begun)


KILLED = partial(cut, fault=Fault.KILL_WEB)
STOPPED = partial(cut, fault=Fault.TERM_WEB)
