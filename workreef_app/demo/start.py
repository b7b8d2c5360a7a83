"""`workreef demo`: from nothing to a served sign-in page, a progress line for every step."""

from __future__ import annotations

import http.client
import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from io import BytesIO
from pathlib import Path

from rich.console import Console
from rich.table import Table
from uuid_utils.compat import uuid7

from workreef_app.commands import importing, serving, supervising
from workreef_app.commands.frame import Failed, caller, open_door, user
from workreef_app.commands.input import pieces
from workreef_app.demo import logs
from workreef_app.demo.logs import SampleFile
from workreef_app.demo.memory import LOG_FILE, Memory, claimed, place_of, remembered, reset, settings_of
from workreef_app.demo.world import TENANTS, SamplePerson, SampleTenant
from workreef_app.http.frontend import Pages
from workreef_app.services.access.operations import SessionGranted
from workreef_app.services.access.people_operations import Invited
from workreef_app.services.door import Caller, Door
from workreef_app.services.jobs.kinds import Queue
from workreef_app.services.operation import Conflict
from workreef_app.services.process import database_url
from workreef_app.services.signals.models import RunStatus, SourceKind
from workreef_app.services.signals.receiving import StartImport
from workreef_app.services.tenancy.tenants import create_tenant, migrate_tenant
from workreef_app.services.workers.process import helping
from workreef_app.settings import Settings

HOST = "127.0.0.1"
POLL_SECONDS = 0.1
screen = Console(highlight=False, soft_wrap=True)


def run(*, anew: bool, port: int | None, data_dir: Path | None) -> None:
    """Starts the demo and serves until Ctrl-C. Raises Failed and what the steps raise."""
    place = place_of(data_dir, os.environ)
    try:
        with claimed(place):
            _begin(place, port, anew=anew)
    except KeyboardInterrupt:
        pass
    screen.print("\nStopped; the data stays where it is.")


def _begin(place: Path, port: int | None, *, anew: bool) -> None:
    if anew:
        with step("Removing the old sample data"):
            reset(place)
    settings = settings_of(place, port, os.environ)
    serving.need_port(settings, HOST)
    screen.print(f"WorkReef demo, data in {place}")
    with ExitStack() as stack:
        with step("Starting Postgres"):
            stack.enter_context(database_url(settings))
        memory = remembered(place)
        with open_door(settings) as door:
            fill(door, memory)
        built = _pages(settings)
        stack.enter_context(supervising.workers(settings))
        _serve(settings, built, memory)


@contextmanager
def step(what: str) -> Iterator[None]:
    """A progress line: what is being done, and how long it took."""
    begun = time.monotonic()
    screen.print(f"  {what:<44}", end="")
    sys.stdout.flush()
    try:
        yield
    except BaseException:
        screen.print()
        raise
    screen.print(f"{time.monotonic() - begun:6.1f} s")


def fill(door: Door, memory: Memory) -> None:
    """Makes what is missing of the sample tenants, their people and their logs."""
    there = {row.slug: row for row in door.platform.tenants()}
    for sample in TENANTS:
        if sample.slug in there:
            migrate_tenant(door.platform, there[sample.slug])
        else:
            with step(f"Making the tenant {sample.name}"):
                create_tenant(
                    door.platform,
                    slug=sample.slug,
                    name=sample.name,
                    hipaa=sample.hipaa,
                    demo=True,
                    actor=f"cli:{user()}",
                )
        if not all(memory.person(sample.slug, person.email).get("ready") for person in sample.people):
            with step(f"Making the people of {sample.name}"):
                _people(door, sample, memory)
        for department in sample.departments:
            if f"{sample.slug}/{department.slug}" not in memory.logs:
                with step(f"Importing the logs of {department.name}"):
                    _logs(door, sample.slug, department.slug, memory)


def _people(door: Door, sample: SampleTenant, memory: Memory) -> None:
    for department in sample.departments:
        with suppress(Conflict):  # made by a start that was cut off
            door.perform(
                caller(door, sample.slug), "departments.create", {"slug": department.slug, "name": department.name}
            )
    for person in sample.people:
        if not memory.person(sample.slug, person.email).get("ready"):
            _person(door, sample.slug, person, memory)


def _person(door: Door, slug: str, person: SamplePerson, memory: Memory) -> None:
    """Adds a person and accepts the invitation for them; what is remembered lets a start that was cut off go on."""
    known = memory.person(slug, person.email)
    if "invitation" not in known:
        try:
            invited: Invited = door.perform(
                caller(door, slug),
                "people.create",
                {
                    "email": person.email,
                    "name": person.name,
                    "personas": [person.persona],
                    "departments": person.departments,
                },
            )
        except Conflict:
            raise Failed(
                f"{person.email} was half made by an earlier start; `workreef demo --reset` begins anew."
            ) from None
        known["invitation"] = invited.invitation_token
        memory.save()
    host = f"{slug}.{door.platform.settings.public_host}"
    visitor = Caller(door.platform.tenant(slug), uuid7().hex, host=host, address=HOST)
    with suppress(Conflict):  # accepted by a start that was cut off
        granted: SessionGranted = door.perform(
            visitor, "invitations.accept", {"token": known["invitation"], "password": known["password"]}
        )
        door.perform(replace(visitor, token=granted.token), "sessions.end", {})
    del known["invitation"]
    known["ready"] = True
    memory.save()


def _logs(door: Door, tenant: str, department: str, memory: Memory) -> None:
    with helping(door, [Queue.BULK]):
        for file in logs.files(tenant, department, until=memory.began):
            _log(door, tenant, department, file)
    memory.logs.append(f"{tenant}/{department}")
    memory.save()


def _log(door: Door, tenant: str, department: str, file: SampleFile) -> None:
    command = StartImport(kind=SourceKind.LOG_FILE, file_name=file.name, department=department)
    account = importing.import_log(door, caller(door, tenant), pieces(BytesIO(file.content), lambda: None), command)
    if account.cause is not None:
        raise account.cause
    if account.run.status is not RunStatus.FINISHED:
        raise Failed(f"The log {file.name} was not counted: {account.run.told} Start again.")


def _pages(settings: Settings) -> Pages:
    begun = time.monotonic()
    built = serving.pages(settings, lambda what: screen.print(f"  {what} …"))
    screen.print(f"  {'Pages built' if built.rebuilt else 'Pages are current':<44}{time.monotonic() - begun:6.1f} s")
    return built


def _serve(settings: Settings, built: Pages, memory: Memory) -> None:
    ready, log = threading.Event(), settings.data_dir / LOG_FILE
    threading.Thread(target=_announce, args=(settings, memory, ready), daemon=True).start()
    with errors_to(log):
        serving.run(settings, built, HOST)
    if not ready.is_set():
        raise Failed(f"The server ended before it was ready; {log} says why.")


@contextmanager
def errors_to(path: Path) -> Iterator[None]:
    """Sends standard error of this process and the workers it starts to a file, which begins anew."""
    sys.stderr.flush()
    before = os.dup(2)
    with path.open("wb") as file:
        os.dup2(file.fileno(), 2)
    try:
        yield
    finally:
        sys.stderr.flush()
        os.dup2(before, 2)
        os.close(before)


def _announce(settings: Settings, memory: Memory, ready: threading.Event) -> None:
    """Prints how to sign in as soon as the server answers."""
    begun = time.monotonic()
    while not ready.wait(POLL_SECONDS):
        if _answers(settings):
            ready.set()
    screen.print(f"  {'Serving':<44}{time.monotonic() - begun:6.1f} s\n")
    for sample in TENANTS:
        screen.print(sign_ins(sample, settings.tenant_url(sample.slug), memory), soft_wrap=False)
        screen.print()
    screen.print(f"The passwords are in {memory.path}, the log is {settings.data_dir / LOG_FILE}.")
    screen.print("Ctrl-C stops everything.")


def _answers(settings: Settings) -> bool:
    connection = http.client.HTTPConnection(HOST, settings.port, timeout=5)
    try:
        connection.request("GET", "/readyz", headers={"Host": f"{settings.public_host}:{settings.port}"})
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def sign_ins(sample: SampleTenant, address: str, memory: Memory) -> Table:
    """A tenant's address, and a sign-in for each of its people."""
    names = {department.slug: department.name for department in sample.departments}
    table = Table(title=f"{sample.name}  {address}", title_justify="left", title_style="bold", box=None, pad_edge=False)
    for heading in ("Persona", "Department", "Email", "Password"):
        table.add_column(heading, no_wrap=True)
    for person in sample.people:
        departments = ", ".join(names[slug] for slug in person.departments)
        secret = memory.person(sample.slug, person.email)["password"]
        table.add_row(person.persona.value.replace("_", " "), departments, person.email, secret)
    return table
