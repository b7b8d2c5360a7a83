"""Files sent from a page: streamed through, never held, each byte kept once, and every ending accounted for."""

from __future__ import annotations

import asyncio
import gzip
import itertools
import tracemalloc
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import quote, urlencode
from uuid import UUID

import httpx
import pytest
from sqlalchemy import select
from sqlmodel import col

from tests.conftest import PASSWORD
from tests.http.test_parts import KIND, field
from tests.web import Chain, Site, end_session
from workreef_app.http import bounds, sending
from workreef_app.services.door import Caller, Door
from workreef_app.services.operation import Actor, Limited, OutcomeUnknown, Persona, Reach, Unavailable
from workreef_app.services.signals import spool
from workreef_app.services.signals.models import CHUNK_BYTES, ImportRun, RunStatus
from workreef_app.services.tenancy.platform import Tenant
from workreef_app.services.tenancy.tenants import create_tenant
from workreef_app.services.vault.errors import KeyUnavailable

LOG = b"2026-11-14 21:19:07 disk full on web-1\n"
READER = Actor(id="test", extra_reach=frozenset({Reach.ALL_WORK}))
FIELDS = {"kind": "log_file", "file_name": "a.log"}
END = b"--edge--\r\n"
_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def tenant(door: Door) -> Tenant:
    """One tenant for all tests here, with the department `claims`, a person of each persona, and four more admins."""
    create_tenant(door.platform, slug="upload", name="Upload & Sons")
    tenant = door.platform.tenant("upload")
    clerk = Caller(tenant, "test", cli_user="tester")
    door.perform(clerk, "departments.create", {"slug": "claims", "name": "Claims"})
    for number, persona in [*((0, persona) for persona in Persona), *((n, Persona.ADMIN) for n in range(1, 5))]:
        invited = door.perform(clerk, "people.create", {
            "email": f"{persona.value}{number}@example.com", "name": "N", "personas": [persona],
            "departments": ["claims"],
        })
        browser = Caller(tenant, "test", host="upload.localhost", address=f"10.6.{next(_numbers)}.1")
        door.perform(browser, "invitations.accept", {"token": invited.invitation_token, "password": PASSWORD})
    return tenant


def signed_in(door: Door, tenant: Tenant, persona: Persona, number: int = 0) -> Caller:
    """A new session of a person with a persona."""
    browser = Caller(tenant, "test", host="upload.localhost", address=f"10.6.{next(_numbers)}.1")
    granted = door.perform(
        browser, "sessions.start", {"email": f"{persona.value}{number}@example.com", "password": PASSWORD}
    )
    return replace(browser, token=granted.token)


@pytest.fixture(scope="module")
def admins(door: Door, tenant: Tenant) -> Iterator[Caller]:
    """Signed-in admins in turn, so that the tests together stay under the limit of one."""
    return itertools.cycle([signed_in(door, tenant, Persona.ADMIN, number) for number in range(3)])


@pytest.fixture
def admin(admins: Iterator[Caller]) -> Caller:
    """A signed-in admin."""
    return next(admins)


class Runs:
    """The tenant's imports from now on, as the database holds them."""

    def __init__(self, door: Door, tenant: Tenant) -> None:
        self._door, self._tenant, self._before = door, tenant, set[UUID]()
        self._before = {run.id for run in self.all()}

    def all(self) -> list[ImportRun]:
        with self._door.platform.unit_of_work(self._tenant, READER) as session:
            found = list(session.scalars(select(ImportRun).order_by(col(ImportRun.id))))
            session.expunge_all()
            return [run for run in found if run.id not in self._before]

    def one(self) -> ImportRun:
        (run,) = self.all()
        return run

    def content(self, run: ImportRun) -> list[bytes | None]:
        """The chunks that are kept of a file."""
        with self._door.platform.unit_of_work(self._tenant, READER) as session:
            return [spool.content(session, run.id, number) for number in range(run.chunks)]


@pytest.fixture
def runs(door: Door, tenant: Tenant) -> Runs:
    return Runs(door, tenant)


class Wire:
    """A request whose body comes in pieces, under the test's control; `asked` counts how often the server asked."""

    def __init__(
        self, site: Site, caller: Caller | None, path: str, pieces: Iterable[bytes], *, method: str = "PUT",
        headers: dict[str, str] | None = None, then: str = "end",
    ) -> None:
        self._site, self._pieces, self._then, self.asked = site, iter(pieces), then, 0
        host = site.host(caller.tenant) if caller else ""
        address, _, query = path.partition("?")
        given = {"host": host, "origin": site.origin(host), "cookie": site.cookie(caller) if caller else "",
                 **site.token(caller), **(headers or {})}
        self._scope = {
            "type": "http", "method": method, "path": address, "raw_path": address.encode(), "headers": [
                (name.encode(), value.encode()) for name, value in given.items()
            ], "query_string": query.encode(), "client": ("10.9.9.9", 4000), "server": ("test", 80), "scheme": "http",
            "http_version": "1.1", "asgi": {"version": "3.0"},
        }
        self.status, self.body, self.stalled = 0, b"", asyncio.Event()
        self.headers: dict[str, str] = {}

    async def _receive(self) -> dict[str, Any]:
        self.asked += 1
        for piece in self._pieces:
            return {"type": "http.request", "body": piece, "more_body": True}
        if self._then == "cut":
            return {"type": "http.disconnect"}
        if self._then == "stall":
            self.stalled.set()
            await asyncio.Event().wait()
        return {"type": "http.request", "body": b"", "more_body": False}

    async def _send(self, message: Any) -> None:
        self.status = message.get("status", self.status)
        self.headers |= {name.decode(): value.decode() for name, value in message.get("headers", [])}
        self.body += message.get("body", b"")

    def go(self) -> Wire:
        self._site._loop.run_until_complete(self._site.app(self._scope, self._receive, self._send))
        return self


def put(site: Site, tenant: Tenant, caller: Caller | None, content: Any = LOG, **fields: str) -> httpx.Response:
    """A file as the page's script sends it."""
    host = site.host(tenant)
    headers = {"origin": site.origin(host), **({"cookie": site.cookie(caller)} if caller else {})}
    return site.send("PUT", f"/upload/imports?{urlencode({**FIELDS, **fields})}", host, headers, content=content)


def problem_of(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = answer.json()
    assert body["code"] == code
    return body


def test_a_file_arrives_whole_in_chunks_and_waits_to_be_counted(
    site: Site, tenant: Tenant, admin: Caller, runs: Runs, chain: Callable[[Tenant], Chain]
) -> None:
    content, watched = LOG * 60_000, chain(tenant)
    answer = put(site, tenant, admin, content, department="claims", timezone="Europe/Berlin", year="2026")
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    run, told = runs.one(), answer.json()["import"]
    assert (told["id"], told["status"], told["file_name"]) == (str(run.id), "queued", "a.log")
    assert told["bytes_received"] == run.bytes_received == len(content)
    assert (run.whole, run.gzip, run.time_zone, run.year) == (True, False, "Europe/Berlin", 2026)
    chunks = runs.content(run)
    assert b"".join(chunk or b"" for chunk in chunks) == content
    assert [len(chunk or b"") for chunk in chunks] == [CHUNK_BYTES, CHUNK_BYTES, len(content) - 2 * CHUNK_BYTES]
    entries = [entry.facts for entry in watched.new()]
    assert [fact["event"] for fact in entries] == ["import.started", *["import.received"] * 4]
    assert {fact["actor"].split(":")[0] for fact in entries} == {"person"}


def test_without_a_session_nothing_begins_and_nothing_is_read(site: Site, tenant: Tenant, runs: Runs) -> None:
    problem_of(put(site, tenant, None), 401, "no_session")
    assert runs.all() == []


@pytest.mark.parametrize("persona", [persona for persona in Persona if persona is not Persona.ADMIN])
def test_whoever_is_no_admin_is_refused_before_a_byte_is_read(
    persona: Persona, site: Site, tenant: Tenant, runs: Runs, door: Door, chain: Callable[[Tenant], Chain]
) -> None:
    caller = signed_in(door, tenant, persona)
    watched = chain(tenant)
    wire = Wire(site, caller, f"/upload/imports?{urlencode(FIELDS)}", [LOG]).go()
    assert (wire.status, wire.asked) == (403, 0)
    assert runs.all() == []
    assert [entry.facts["event"] for entry in watched.new()] == ["scope.denied"]


@pytest.mark.parametrize("path", ["/upload/imports?kind=log_file&file_name=a.log", "/upload/form"])
@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://other.localhost:3999", None])
def test_another_sites_request_is_refused(
    path: str, origin: str | None, site: Site, tenant: Tenant, admin: Caller, runs: Runs
) -> None:
    headers = {"cookie": site.cookie(admin), **({"origin": origin} if origin else {})}
    method = "POST" if path.endswith("form") else "PUT"
    problem_of(site.send(method, path, site.host(tenant), headers, content=LOG), 403, "wrong_origin")
    assert runs.all() == []


@pytest.mark.parametrize("path", ["/upload/imports", "/upload/form"])
def test_an_announced_size_over_the_limit_is_refused_unread(
    path: str, site: Site, tenant: Tenant, admin: Caller, runs: Runs
) -> None:
    length = {"content-length": str((20 << 30) + 1)}
    method = "POST" if path.endswith("form") else "PUT"
    wire = Wire(site, admin, f"{path}?{urlencode(FIELDS)}", [LOG], method=method, headers=length).go()
    assert (wire.status, wire.asked) == (413, 0)
    assert runs.all() == []


def test_a_body_that_grows_over_the_limit_is_stopped_and_what_came_is_counted(
    site: Site, admin: Caller, runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bounds, "UPLOAD_LIMIT", 3 * CHUNK_BYTES)
    wire = Wire(site, admin, f"/upload/imports?{urlencode(FIELDS)}", [LOG * 10_000] * 20).go()
    assert wire.status == 413
    assert b'"too_large"' in wire.body
    run = runs.one()
    assert (run.status, run.whole, run.chunks) == (RunStatus.QUEUED, False, 2)


def test_other_addresses_keep_their_own_limit(site: Site, tenant: Tenant, admin: Caller) -> None:
    for path in ("/upload/other", "/upload/imports/more", "/api/v1/me.read"):
        assert site.post(tenant, path, admin, content=b" " * (bounds.BODY_LIMIT + 1)).status_code == 413


@pytest.mark.parametrize("ending", ["cut", "short", "stall"])
def test_what_came_before_the_end_is_counted_and_no_more(
    ending: str, site: Site, admin: Caller, runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "STALL_SECONDS", 0.05)
    content = LOG * 40_000
    length = {"content-length": str(len(content) + 1)} if ending == "short" else {}
    wire = Wire(
        site, admin, f"/upload/imports?{urlencode(FIELDS)}", [content[:700_000], content[700_000:]], headers=length,
        then=ending,
    ).go()
    assert wire.status == 408
    assert b'"interrupted"' in wire.body
    run = runs.one()
    assert (run.status, run.whole) == (RunStatus.QUEUED, False)
    assert b"".join(chunk or b"" for chunk in runs.content(run)) == content


def test_a_server_that_stops_closes_what_it_receives(
    site: Site, admin: Caller, runs: Runs, door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    wire = Wire(site, admin, f"/upload/imports?{urlencode(FIELDS)}", [LOG * 40_000], then="stall")

    async def stopped() -> None:
        task = asyncio.ensure_future(site.app(wire._scope, wire._receive, wire._send))
        await wire.stalled.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    site._loop.run_until_complete(stopped())
    run = runs.one()
    assert (run.status, run.whole, run.chunks) == (RunStatus.QUEUED, False, 1)


def test_gzip_data_is_kept_as_it_came(site: Site, tenant: Tenant, admin: Caller, runs: Runs) -> None:
    packed = gzip.compress(LOG * 100)
    assert put(site, tenant, admin, packed, gzip="true", department="", year="").status_code == 200
    run = runs.one()
    assert (run.gzip, run.year, run.department_id) == (True, None, None)
    assert runs.content(run) == [packed]


@pytest.mark.parametrize(
    ("fields", "at_fault"),
    [
        ({"odd": "1"}, "odd"), ({"gzip": "perhaps"}, "gzip"), ({"kind": "jira"}, "kind"), ({"kind": ""}, "kind"),
        ({"file_name": ""}, "file_name"), ({"file_name": "a\x00.log"}, "file_name"),
        ({"file_name": "x" * 256}, "file_name"), ({"department": "nowhere"}, "department"),
        ({"department": "No Slug"}, "department"), ({"timezone": "Mars/Olympus"}, "timezone"),
        ({"timezone": "../../etc/passwd"}, "timezone"), ({"year": "last"}, "year"), ({"year": "12"}, "year"),
    ],
)
def test_a_field_at_fault_is_named_before_a_byte_is_read(
    fields: dict[str, str], at_fault: str, site: Site, tenant: Tenant, admin: Caller, runs: Runs
) -> None:
    assert set(problem_of(put(site, tenant, admin, **fields), 422, "invalid")["fields"]) == {at_fault}
    wire = Wire(site, admin, f"/upload/imports?{urlencode({**FIELDS, **fields})}", [LOG]).go()
    assert (wire.status, wire.asked) == (422, 0)
    assert runs.all() == []


def test_a_field_given_twice_is_refused(site: Site, admin: Caller, runs: Runs) -> None:
    wire = Wire(site, admin, f"/upload/imports?{urlencode(FIELDS)}&kind=log_file", [LOG]).go()
    assert wire.status == 422
    assert runs.all() == []


@pytest.mark.parametrize("name", ["Bücher und Ähnliches.log", "\u202egol.exe", "日志 🗒.log", "a\nb.log", "../../x.log",
                                  "<script>alert(1)</script>", "x" * 255])
def test_a_name_is_kept_as_text_whatever_it_is(
    name: str, site: Site, tenant: Tenant, admin: Caller, runs: Runs
) -> None:
    assert put(site, tenant, admin, file_name=name).json()["import"]["file_name"] == name
    assert runs.one().file_name == name


def test_a_name_that_is_no_text_is_replaced(site: Site, admin: Caller, runs: Runs) -> None:
    wire = Wire(site, admin, "/upload/imports?kind=log_file&file_name=" + quote(b"\xff\xfe.log"), [LOG]).go()
    assert wire.status == 200
    assert runs.one().file_name == "\ufffd\ufffd.log"


def test_an_empty_file_is_an_import_of_nothing(site: Site, tenant: Tenant, admin: Caller, runs: Runs) -> None:
    assert put(site, tenant, admin, b"").status_code == 200
    run = runs.one()
    assert (run.status, run.whole, run.chunks, run.bytes_received) == (RunStatus.QUEUED, True, 0, 0)


def _endless(count: int) -> Iterator[bytes]:
    piece = LOG * 840
    for _ in range(count):
        yield piece


def test_a_large_file_is_never_held(site: Site, admin: Caller, runs: Runs) -> None:
    wire = Wire(site, admin, f"/upload/imports?{urlencode(FIELDS)}", _endless(1500))
    tracemalloc.start()
    try:
        wire.go()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert wire.status == 200
    assert runs.one().bytes_received == 1500 * 840 * len(LOG)
    assert peak < 12 * CHUNK_BYTES, f"{peak / CHUNK_BYTES:.1f} MiB were held of {1500 * 840 * len(LOG) >> 20}"


def test_the_sender_waits_for_the_database(
    site: Site, admin: Caller, door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    wire = Wire(site, admin, f"/upload/imports?{urlencode(FIELDS)}", [b"x" * (CHUNK_BYTES // 4)] * 12)
    perform, asked = door.perform, []

    def watching(caller: Caller, name: str, payload: Any) -> Any:
        if name == "imports.add_chunk":
            asked.append(wire.asked)
        return perform(caller, name, payload)

    monkeypatch.setattr(door, "perform", watching)
    wire.go()
    assert asked == [4, 8, 12]


@pytest.mark.parametrize("kept", [False, True])
@pytest.mark.parametrize("failure", [Unavailable, OutcomeUnknown])
def test_a_database_that_goes_and_comes_back_gets_each_chunk_once(
    failure: type[Unavailable], kept: bool, site: Site, admin: Caller, runs: Runs, door: Door,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sending, "DELAYS", (0.0, 0.0, 0.0))
    perform, failing = door.perform, {"imports.add_chunk": 1, "imports.read": 1}

    def away(caller: Caller, name: str, payload: Any) -> Any:
        if failing.get(name, 0):
            failing[name] -= 1
            if kept and name == "imports.add_chunk":
                perform(caller, name, payload)
            raise failure("The database does not answer.")
        return perform(caller, name, payload)

    monkeypatch.setattr(door, "perform", away)
    content = LOG * 60_000
    wire = Wire(site, admin, f"/upload/imports?{urlencode(FIELDS)}", [content]).go()
    assert wire.status == 200
    assert failing == {"imports.add_chunk": 0, "imports.read": 0}
    assert b"".join(chunk or b"" for chunk in runs.content(runs.one())) == content


def test_a_database_that_stays_away_is_told(
    site: Site, admin: Caller, runs: Runs, door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "DELAYS", (0.0, 0.0))
    perform, tried = door.perform, list[str]()

    def away(caller: Caller, name: str, payload: Any) -> Any:
        if name == "imports.add_chunk":
            tried.append(name)
            raise Unavailable("The database does not answer.")
        return perform(caller, name, payload)

    monkeypatch.setattr(door, "perform", away)
    wire = Wire(site, admin, f"/upload/imports?{urlencode(FIELDS)}", [LOG * 60_000]).go()
    assert (wire.status, len(tried)) == (503, 3)
    run = runs.one()
    assert (run.status, run.whole, run.chunks) == (RunStatus.QUEUED, False, 0)


def test_an_import_that_is_cancelled_meanwhile_takes_no_more(
    site: Site, tenant: Tenant, admin: Caller, runs: Runs, door: Door
) -> None:
    def pieces() -> Iterator[bytes]:
        yield b"x" * CHUNK_BYTES
        door.perform(admin, "imports.cancel", {"import_id": runs.one().id})
        for _ in range(50):
            yield b"x" * CHUNK_BYTES

    wire = Wire(site, admin, f"/upload/imports?{urlencode(FIELDS)}", pieces()).go()
    assert wire.status == 409
    assert wire.asked < 5
    run = runs.one()
    assert (run.status, run.reason) == (RunStatus.STOPPED, "cancelled")
    assert runs.content(run) == [None] * run.chunks


def test_a_session_that_ends_meanwhile_sends_no_more(site: Site, tenant: Tenant, runs: Runs, door: Door) -> None:
    admin = signed_in(door, tenant, Persona.ADMIN, 3)

    def pieces() -> Iterator[bytes]:
        yield b"x" * CHUNK_BYTES
        end_session(door, admin)
        yield b"x" * CHUNK_BYTES
        raise AssertionError("more was asked for")

    wire = Wire(site, admin, f"/upload/imports?{urlencode(FIELDS)}", pieces()).go()
    assert wire.status == 401
    run = runs.one()
    # Left for the sweep: nobody may close it any more.
    assert (run.status, run.chunks) == (RunStatus.RECEIVING, 1)


def post(site: Site, caller: Caller, body: bytes | list[bytes], *, kind: str = KIND, then: str = "end") -> Wire:
    """The page's form as a browser sends it without the script."""
    pieces = [body] if isinstance(body, bytes) else body
    return Wire(site, caller, "/upload/form", pieces, method="POST", headers={"content-type": kind}, then=then).go()


HEAD = field("kind", b"log_file") + field("department", b"") + field("timezone", b"UTC") + field("year", b"")


def test_a_form_imports_each_of_its_files_and_leads_to_them(
    site: Site, tenant: Tenant, admin: Caller, runs: Runs
) -> None:
    large = LOG * 60_000
    body = HEAD + field("file", large, "a.log") + field("file", LOG, "b.log") + END
    headers = {"content-type": KIND}
    answer = site.post(tenant, "/upload/form", admin, content=body, headers=headers)
    assert answer.status_code == 303, answer.text
    first, second = runs.all()
    assert answer.headers["location"] == f"/sources?import={first.id}%2C{second.id}"
    assert [(run.file_name, run.whole, run.status) for run in (first, second)] == [
        ("a.log", True, RunStatus.QUEUED), ("b.log", True, RunStatus.QUEUED)
    ]
    assert b"".join(chunk or b"" for chunk in runs.content(first)) == large
    assert runs.content(second) == [LOG]


def test_a_form_that_is_cut_keeps_the_files_that_came_whole(site: Site, admin: Caller, runs: Runs) -> None:
    body = HEAD + field("file", LOG, "a.log") + field("file", LOG * 2, "b.log")[:-20]
    for then in ("cut", "end"):
        assert post(site, admin, body, then=then).status == 408
    assert [(run.file_name, run.whole, run.status) for run in runs.all()] == [
        ("a.log", True, RunStatus.QUEUED), ("b.log", False, RunStatus.QUEUED)
    ] * 2


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (HEAD + field("file", b"", "") + END, "No file was chosen"), (HEAD + END, "No file was chosen"),
        (field("odd", b"1") + HEAD + field("file", LOG, "a.log") + END, "odd"),
        (field("file", LOG, "a.log") + END, "kind"),
        (HEAD + field("kind", b"log_file") + field("file", LOG, "a.log") + END, "given twice"),
        (HEAD + field("file_name", b"b.log") + field("file", LOG, "a.log") + END, "given twice"),
        (HEAD + field("file", LOG, "a\x00.log") + END, "file_name"),
        (b"no form", "broken"),
    ],
)
def test_a_form_at_fault_is_told_on_a_page(body: bytes, said: str, site: Site, admin: Caller, runs: Runs) -> None:
    wire = post(site, admin, body)
    assert wire.status == 422
    assert wire.body.startswith(b"<!doctype html>")
    assert said in wire.body.decode()
    assert runs.all() == []


def test_a_field_behind_a_file_is_refused_and_the_file_before_it_is_kept(
    site: Site, admin: Caller, runs: Runs
) -> None:
    wire = post(site, admin, HEAD + field("file", LOG, "a.log") + field("gzip", b"true") + END)
    assert wire.status == 422
    assert runs.one().whole


def test_a_form_of_another_kind_is_refused(site: Site, admin: Caller, runs: Runs) -> None:
    wire = post(site, admin, b"kind=log_file", kind="application/x-www-form-urlencoded")
    assert wire.status == 422
    assert runs.all() == []


def test_too_many_at_once_are_told_when_to_try_again(site: Site, tenant: Tenant, runs: Runs, door: Door) -> None:
    admin = signed_in(door, tenant, Persona.ADMIN, 4)
    for _ in range(60):
        door.perform(admin, "imports.start", FIELDS)
    wire = Wire(site, admin, f"/upload/imports?{urlencode(FIELDS)}", [LOG]).go()
    assert (wire.status, wire.asked) == (429, 0)
    assert wire.headers["retry-after"].isdecimal()
    assert len(runs.all()) == 60


def test_a_sender_over_its_limit_is_slowed_down_not_cut_off(
    site: Site, admin: Caller, runs: Runs, door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    perform, left = door.perform, [1]

    def limited(caller: Caller, name: str, payload: Any) -> Any:
        if name == "imports.add_chunk" and left:
            raise Limited("Too many requests.", retry_after=left.pop() - 1)
        return perform(caller, name, payload)

    monkeypatch.setattr(door, "perform", limited)
    assert Wire(site, admin, f"/upload/imports?{urlencode(FIELDS)}", [LOG]).go().status == 200
    assert (left, runs.content(runs.one())) == ([], [LOG])


def test_a_locked_tenant_takes_no_file(
    site: Site, admin: Caller, runs: Runs, door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*_: Any) -> None:
        raise KeyUnavailable("the key does not answer")

    monkeypatch.setattr(door.platform.keyring, "cipher", gone)
    wire = Wire(site, admin, f"/upload/imports?{urlencode(FIELDS)}", [LOG]).go()
    assert (wire.status, wire.asked) == (423, 0)
    monkeypatch.undo()
    assert runs.all() == []


def test_what_is_sent_is_not_in_the_log(
    site: Site, tenant: Tenant, admin: Caller, caplog: pytest.LogCaptureFixture
) -> None:
    put(site, tenant, admin, b"pl4nted-line\n", file_name="pl4nted-name.log")
    post(site, admin, HEAD + field("file", b"pl4nted-line\n", "pl4nted-name.log") + END)
    assert "pl4nted" not in "".join(f"{record.getMessage()} {record.__dict__}" for record in caplog.records
                                    if record.name.startswith("workreef"))
