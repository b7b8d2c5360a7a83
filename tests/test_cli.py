"""The `workreef` command as its users meet it: what it prints, where, and its exit status."""

from __future__ import annotations

import gzip
import io
import itertools
import json
import os
import signal
import socket
import sys
import threading
import zipfile
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from workreef_app import cli
from workreef_app.commands import source
from workreef_app.commands.input import pieces
from workreef_app.services.door import Caller, Door
from workreef_app.services.operation import Persona
from workreef_app.services.tenancy.platform import Tenant
from workreef_app.settings import Settings

LINES = [f"2026-11-0{day} 09:0{minute}:00 disk full on node {day}" for day in range(1, 8) for minute in range(3)]


@dataclass(frozen=True)
class Ran:
    """What a run of the command came to."""

    status: int
    out: str
    err: str

    @property
    def facts(self) -> Any:
        return json.loads(self.out)


Run = Callable[..., Ran]


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An empty data directory, and no other setting."""
    for name in Settings.model_fields:
        monkeypatch.delenv(f"WORKREEF_{name.upper()}", raising=False)
    monkeypatch.setenv("WORKREEF_DATA_DIR", str(tmp_path / "data"))
    return tmp_path / "data"


@pytest.fixture
def configured(bare: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment of this test process's own installation."""
    monkeypatch.setenv("WORKREEF_DATA_DIR", str(settings.data_dir))
    monkeypatch.setenv("WORKREEF_ENV", settings.env.value)
    monkeypatch.setenv("WORKREEF_PUBLIC_URL", settings.public_url)
    monkeypatch.setenv("WORKREEF_SECRET_KEY", settings.secret_key.get_secret_value())


@pytest.fixture
def workreef(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs the command in this process."""

    def run(*arguments: str, stdin: bytes = b"") -> Ran:
        monkeypatch.setattr(sys, "argv", ["workreef", *arguments])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        before = signal.getsignal(signal.SIGTERM)
        try:
            with pytest.raises(SystemExit) as ended:
                cli.main()
        finally:
            signal.signal(signal.SIGTERM, before)
        out, err = capsys.readouterr()
        code = ended.value.code
        return Ran(code if isinstance(code, int) else 0, out, err)

    return run


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "app.log"
    path.write_text("\n".join(LINES) + "\n")
    return path


def imported(ran: Ran) -> tuple[int, int, int]:
    """Lines, new ones, and those known before."""
    assert ran.status == 0, ran.err
    run = ran.facts["import"]
    return run["lines"], run["added"], run["repeated"]


def into(tenant: Tenant, file: Path | str, *more: str) -> tuple[str, ...]:
    return ("source", "import", "--tenant", tenant.info.slug, "--kind", "log_file", str(file), "--json", *more)


@pytest.mark.parametrize(
    "arguments",
    [
        ("nonsense",),
        ("tenant", "create", "--slug", "a"),
        ("source", "import", "--tenant", "a", "--kind", "log_file"),
        ("source", "import", "--tenant", "a", "--kind", "jira", "-"),
        ("source", "import", "--tenant", "a", "--kind", "log_file", "-", "--timezone", "Europe/Nowhere"),
        ("source", "import", "--tenant", "a", "--kind", "log_file", "-", "--year", "20"),
        ("tenant", "create", "--slug", "a", "--name", "A", "--admin-name", "Ada"),
        ("audit", "verify", "/no/such/export.zip"),
    ],
)
def test_wrong_usage_is_two(workreef: Run, configured: None, arguments: tuple[str, ...]) -> None:
    ran = workreef(*arguments)
    assert ran.status == 2
    assert "Traceback" not in ran.err


@pytest.mark.parametrize(
    "arguments",
    [
        ("serve",),
        ("tenant", "list"),
        ("tenant", "migrate"),
        ("tenant", "create", "--slug", "a", "--name", "A"),
        ("source", "import", "--tenant", "a", "--kind", "log_file", "-"),
        ("audit", "export", "--tenant", "a", "--out", "a.zip"),
    ],
)
def test_an_unset_environment_is_refused_with_every_fault_at_once(
    workreef: Run, bare: Path, arguments: tuple[str, ...]
) -> None:
    ran = workreef(*arguments)
    assert ran.status == 78
    for fault in ("WORKREEF_SECRET_KEY", "WORKREEF_PUBLIC_URL", "embedded Postgres", "WORKREEF_PLATFORM_KEY"):
        assert fault in ran.err
    assert ran.out == ""
    assert not bare.exists()


def test_a_demo_tenant_and_its_people_refuse_production(
    workreef: Run,
    configured: None,
    settings: Settings,
    make_tenant: Callable[..., Tenant],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    slug = make_tenant(demo=True).info.slug
    (settings.data_dir / "demo.json").write_text("{}")
    monkeypatch.setenv("WORKREEF_ENV", "production")
    try:
        ran = workreef("tenant", "list")
    finally:
        (settings.data_dir / "demo.json").unlink()
    assert ran.status == 78
    assert "sign-ins of a demo" in ran.err
    assert "Sample tenants are present" in ran.err
    assert slug in ran.err
    assert "WORKREEF_PUBLIC_URL is not https" in ran.err


def test_settings_that_cannot_be_read_are_one_sentence(
    workreef: Run, bare: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORKREEF_PORT", "many")
    ran = workreef("tenant", "list")
    assert ran.status == 78
    assert ran.err.startswith("Settings cannot be read: WORKREEF_PORT")
    assert ran.err.count("\n") == 1


def test_a_database_that_does_not_answer_is_one_sentence(
    workreef: Run, bare: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORKREEF_ENV", "development")
    monkeypatch.setenv("WORKREEF_DATABASE_URL", f"postgresql://nobody@/x?host={bare}")
    ran = workreef("tenant", "list")
    assert ran.status == 1
    assert ran.err.startswith("The database does not answer (")
    assert ran.err.count("\n") == 1


def test_text_is_imported_and_counted(workreef: Run, configured: None, tenant: Tenant, log: Path) -> None:
    ran = workreef(*into(tenant, log))
    assert imported(ran) == (21, 21, 0)
    assert ran.facts["signals"] == 1
    assert ran.facts["new_tasks"] == 1
    assert "Only admins see these rows" in ran.err


def test_a_file_adds_only_what_is_new(workreef: Run, configured: None, tenant: Tenant, log: Path) -> None:
    workreef(*into(tenant, log))
    assert imported(workreef(*into(tenant, log))) == (21, 0, 21)
    renamed = log.rename(log.with_name("renamed.log"))
    renamed.write_text(renamed.read_text() + "2026-11-08 09:00:00 disk full on node 8\n")
    assert imported(workreef(*into(tenant, renamed))) == (22, 1, 21)


def test_json_lines_from_standard_input(workreef: Run, configured: None, tenant: Tenant) -> None:
    lines = [
        {"timestamp": "2026-11-01T10:00:00Z", "message": "queue full"},
        {"@timestamp": "2026-11-01T10:00:01Z", "msg": "queue full"},
        {"time": 1793527202, "log": "queue full"},
        {"ts": 1793527203000, "message": "queue full"},
        {"ts": 1793527204000, "message": "half a pair \ud800"},
        {"ts": 1793527204000, "message": "a NUL \x00"},
        {"message": "no time"},
    ]
    ran = workreef(*into(tenant, "-"), stdin="".join(json.dumps(line) + "\n" for line in lines).encode())
    assert imported(ran) == (7, 4, 0)
    assert sum(ran.facts["import"]["skipped"].values()) == 3


def test_a_department_maps_the_file_to_its_people(
    workreef: Run, configured: None, door: Door, tenant: Tenant, log: Path, person: Callable[..., Caller]
) -> None:
    operator = person(tenant, [Persona.OPERATOR], ["claims"])
    ran = workreef(*into(tenant, log, "--department", "claims"))
    assert imported(ran) == (21, 21, 0)
    assert "Only admins" not in ran.err
    assert door.perform(operator, "tasks.list", {}).count == 1


def test_the_account_is_in_words(workreef: Run, configured: None, tenant: Tenant, log: Path) -> None:
    log.write_text(log.read_text() + "no time\n\n\n")
    ran = workreef("source", "import", "--tenant", tenant.info.slug, "--kind", "log_file", str(log))
    assert ran.status == 0
    assert "app.log: 24 lines" in ran.out
    assert "21 new, 0 known before, 3 skipped (2 empty, 1 without a time that is recognised)" in ran.out
    assert f"http://{tenant.info.slug}.localhost:3999/" in ran.out


def test_an_older_log_is_measured_over_its_own_month(
    workreef: Run, configured: None, tenant: Tenant, log: Path
) -> None:
    workreef(*into(tenant, log))
    log.write_text("".join(f"2019-01-0{day} 10:00:00 certificate of web expired\n" for day in range(1, 8)))
    ran = workreef(*into(tenant, log))
    assert imported(ran) == (7, 7, 0)
    assert ran.facts["new_tasks"] == 1


def test_zone_and_year_date_the_lines_that_lack_them(
    workreef: Run, configured: None, door: Door, tenant: Tenant, cli: Callable[[Tenant], Caller], log: Path
) -> None:
    log.write_text("Jan  1 00:30:00 host app: disk full\n")
    assert imported(workreef(*into(tenant, log, "--timezone", "Europe/Berlin", "--year", "2020"))) == (1, 1, 0)
    source = door.perform(cli(tenant), "sources.list", {}).sources[0]
    assert source.as_of.isoformat() == "2019-12-31T23:30:00+00:00"


@pytest.mark.parametrize(
    ("file", "said"),
    [("/no/such.log", "cannot be read"), ("/", "is a directory"), ("binary", "gzip"), ("department", "no department")],
)
def test_what_cannot_be_imported_is_one_sentence(
    workreef: Run,
    configured: None,
    door: Door,
    tenant: Tenant,
    cli: Callable[[Tenant], Caller],
    tmp_path: Path,
    log: Path,
    file: str,
    said: str,
) -> None:
    (tmp_path / "binary").write_bytes(b"\x1f\x8b\x08\x00")
    more = ["--department", "nowhere"] if file == "department" else []
    path = {"binary": tmp_path / "binary", "department": log}.get(file, Path(file))
    ran = workreef(*into(tenant, path, *more))
    assert ran.status == 1
    assert said in ran.err
    assert ran.err.count("\n") == 1
    assert door.perform(cli(tenant), "sources.list", {}).sources == []


def test_an_unknown_tenant_is_one_sentence(workreef: Run, configured: None, door: Door, log: Path) -> None:
    ran = workreef("source", "import", "--tenant", "nobody", "--kind", "log_file", str(log))
    assert (ran.status, ran.err) == (1, "There is no tenant 'nobody'.\n")


def test_gzip_is_read_where_it_is_said_to_be(workreef: Run, configured: None, tenant: Tenant, log: Path) -> None:
    packed = log.with_suffix(".gz")
    packed.write_bytes(gzip.compress(log.read_bytes()))
    refused = workreef(*into(tenant, packed))
    assert (refused.status, refused.err.count("\n")) == (1, 1)
    assert "--gzip" in refused.err
    assert imported(workreef(*into(tenant, packed, "--gzip"))) == (21, 21, 0)
    wrong = workreef(*into(tenant, log, "--gzip"))
    assert (wrong.status, "without --gzip" in wrong.err) == (1, True)


def interrupting(name: str, times: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C comes in this thread when the operation of that name has been done so many times."""
    perform, count, main = Door.perform, itertools.count(1), threading.current_thread()

    def performed(self: Door, caller: Caller, operation: str, payload: Any) -> Any:
        result = perform(self, caller, operation, payload)
        if operation == name and threading.current_thread() is main and next(count) == times:
            raise KeyboardInterrupt
        return result

    monkeypatch.setattr(Door, "perform", performed)


def test_ctrl_c_while_sending_counts_what_came(
    workreef: Run, configured: None, tenant: Tenant, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workreef_app.commands.input.CHUNK_BYTES", 430)
    with monkeypatch.context() as interrupted:
        interrupting("imports.add_chunk", 1, interrupted)
        ran = workreef(*into(tenant, log))
    assert ran.status == 1
    assert "The import was stopped. The file stopped coming before its end." in ran.err
    assert "Import the file again to add the rest." in ran.err
    run = ran.facts["import"]
    assert (run["status"], run["reason"], run["bytes_received"]) == ("stopped", "interrupted", 430)
    assert 0 < run["added"] < 21
    assert f"Kept: {run['added']} new" in ran.err
    assert imported(workreef(*into(tenant, log))) == (21, 21 - run["added"], run["added"])


def test_ctrl_c_while_counting_cancels_and_says_what_was_kept(
    workreef: Run, configured: None, tenant: Tenant, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as interrupted:
        interrupting("imports.read", 1, interrupted)
        # No worker helps, so that it is not counted before it is cancelled.
        interrupted.setattr(source, "helping", lambda *arguments: nullcontext())
        ran = workreef(*into(tenant, log))
    assert ran.status == 1
    assert "The import was stopped. It was cancelled." in ran.err
    assert "Kept: 0 new" in ran.err
    assert ran.facts["import"]["reason"] == "cancelled"
    assert imported(workreef(*into(tenant, log))) == (21, 21, 0)


def test_a_pipe_that_stalls_is_told_of_and_read_to_its_end() -> None:
    reader, writer = os.pipe()
    told: list[str] = []

    def stalled() -> None:
        told.append("stalled")
        os.write(writer, b"late\n")
        os.close(writer)

    with os.fdopen(reader, "rb") as stream:
        assert list(pieces(stream, stalled, seconds=0.01)) == [b"late\n"]
    assert told == ["stalled"]


def test_what_came_before_ctrl_c_is_given_up_to_it() -> None:
    reader, writer = os.pipe()
    os.write(writer, b"half a li")

    def interrupt() -> None:
        raise KeyboardInterrupt

    with os.fdopen(reader, "rb") as stream:
        waiting = pieces(stream, interrupt, seconds=0.01)
        assert next(waiting) == b"half a li"
        with pytest.raises(KeyboardInterrupt):
            next(waiting)
    os.close(writer)


def test_a_tenant_is_created_with_its_first_admin(
    workreef: Run, configured: None, door: Door, browser: Callable[[Tenant], Caller]
) -> None:
    ran = workreef("tenant", "create", "--slug", "acme", "--name", "Acme", "--admin-email", "a@acme.test", "--json")
    assert ran.status == 0, ran.err
    assert ran.facts["tenant"] | {"id": ""} == {"id": "", "slug": "acme", "host": "acme.localhost", "status": "active"}
    address, _, token = ran.facts["invitation"].rpartition("/")
    assert address == "http://acme.localhost:3999/invite"
    visitor = browser(door.platform.tenant("acme"))
    door.perform(visitor, "invitations.accept", {"token": token, "password": "a long enough password"})
    assert ran.facts["tenant"] in workreef("tenant", "list", "--json").facts["tenants"]
    again = workreef("tenant", "create", "--slug", "acme", "--name", "Acme")
    assert (again.status, again.err.count("\n")) == (1, 1)


def test_a_wrong_email_creates_nothing(workreef: Run, configured: None, door: Door) -> None:
    ran = workreef("tenant", "create", "--slug", "halfway", "--name", "Half", "--admin-email", "nobody")
    assert ran.status == 1
    assert "email" in ran.err
    assert "halfway" not in {row.slug for row in door.platform.tenants()}


def test_a_schema_goes_down_and_up(workreef: Run, configured: None, tenant: Tenant) -> None:
    slug = tenant.info.slug
    head = workreef("tenant", "migrate", "--slug", slug, "--json").facts["tenants"][0]["after"]
    unconfirmed = workreef("tenant", "migrate", "--slug", slug, "--revision", "base")
    assert unconfirmed.status == 1
    assert "--drop" in unconfirmed.err
    down = workreef("tenant", "migrate", "--slug", slug, "--revision", "base", "--drop", "--json")
    assert down.facts == {"tenants": [{"slug": slug, "before": head, "after": None}]}
    refused = workreef("audit", "export", "--tenant", slug, "--out", "/tmp/never.zip")
    assert refused.status == 1
    assert "workreef tenant migrate" in refused.err
    up = workreef("tenant", "migrate", "--slug", slug, "--json")
    assert up.facts == {"tenants": [{"slug": slug, "before": None, "after": head}]}
    assert workreef("tenant", "migrate", "--slug", slug, "--revision", "none such", "--drop").status == 1


def test_an_export_verifies_without_any_configuration(
    workreef: Run, configured: None, tenant: Tenant, log: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workreef(*into(tenant, log))
    out = tmp_path / "audit.zip"
    exported = workreef("audit", "export", "--tenant", tenant.info.slug, "--out", str(out), "--json")
    assert exported.facts == {"tenant": tenant.info.slug, "file": str(out), "bytes": out.stat().st_size}
    monkeypatch.setenv("WORKREEF_ENV", "production")
    monkeypatch.setenv("WORKREEF_PORT", "many")
    verified = workreef("audit", "verify", str(out), "--json")
    assert verified.status == 0
    assert (verified.facts["ok"], verified.facts["tenant"]) == (True, str(tenant.info.id))
    with zipfile.ZipFile(out) as archive:
        lines = archive.read("audit.jsonl").decode().splitlines(keepends=True)
    lines[1] = lines[1].replace("import.started", "import.started"[::-1])
    changed = tmp_path / "audit.jsonl"
    changed.write_text("".join(lines))
    refused = workreef("audit", "verify", str(changed), "--json")
    assert refused.status == 1
    assert refused.facts["verdicts"][0]["seq"] == 2


def test_the_platforms_own_log_is_exported_and_verified(
    workreef: Run, configured: None, tenant: Tenant, tmp_path: Path
) -> None:
    out = tmp_path / "platform.zip"
    assert workreef("audit", "export", "--platform", "--out", str(out), "--json").facts["tenant"] is None
    verified = workreef("audit", "verify", str(out), "--json")
    assert (verified.status, verified.facts["ok"], verified.facts["tenant"]) == (0, True, str(UUID(int=0)))
    now = workreef("audit", "verify", "--platform", "--json")
    assert (now.status, now.facts["ok"]) == (0, True)
    assert now.facts["count"] == now.facts["anchored"] >= verified.facts["count"]


@pytest.mark.parametrize("command", [
    ("export", "--out", "a.zip"), ("export", "--out", "a.zip", "--platform", "--tenant", "a"),
    ("verify",), ("verify", "a.zip", "--platform"),
])
def test_a_log_is_a_tenants_or_the_platforms(workreef: Run, command: tuple[str, ...]) -> None:
    assert workreef("audit", *command).status == 2


def test_an_export_needs_a_place(workreef: Run, configured: None, tenant: Tenant, tmp_path: Path) -> None:
    for out in (tmp_path, tmp_path / "none" / "a.zip"):
        ran = workreef("audit", "export", "--tenant", tenant.info.slug, "--out", str(out))
        assert (ran.status, ran.err.count("\n")) == (1, 1)


def test_the_doctor_looks_at_what_there_is(workreef: Run, configured: None, tenant: Tenant) -> None:
    ran = workreef("doctor", "--json")
    found = {check["name"]: check["ok"] for check in ran.facts["checks"]}
    assert ran.facts["environment"] == "development"
    assert ran.facts["faults"] == []
    later = {fault["check"] for fault in ran.facts["production_would_refuse"]}
    assert later == {"public_url", "database_url", "platform_key"}
    assert found.keys() >= {
        "disk", "node", "npm", "port", "database", "control_schema", "tenant_schema", "ownership", "database_roles",
        "isolation_grants", "isolation_matrix", "redis", "mail", "platform_key", "clock", f"key {tenant.info.slug}",
    }
    assert all(found[name] for name in ("database", "database_roles", "isolation_matrix", "redis", "mail", "clock"))
    assert found[f"key {tenant.info.slug}"]


def test_the_doctor_works_on_a_configuration_that_production_refuses(workreef: Run, bare: Path) -> None:
    ran = workreef("doctor", "--json")
    assert ran.status == 1
    assert {fault["check"] for fault in ran.facts["faults"]} == {
        "secret_key",
        "public_url",
        "database_url",
        "platform_key",
    }
    assert not bare.exists()


def test_the_doctor_works_on_settings_that_cannot_be_read(
    workreef: Run, bare: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORKREEF_PORT", "many")
    ran = workreef("doctor")
    assert ran.status == 1
    assert "WORKREEF_PORT" in ran.out


def test_the_doctor_tells_all_that_does_not_answer_at_once(
    workreef: Run, configured: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORKREEF_REDIS_URL", "redis://127.0.0.1:1/0")
    monkeypatch.setenv("WORKREEF_SMTP_URL", "smtp://127.0.0.1:1")
    monkeypatch.setenv("WORKREEF_DATABASE_URL", "postgresql://a@127.0.0.1:1/a")
    ran = workreef("doctor", "--json")
    assert ran.status == 1
    wrong = {check["name"] for check in ran.facts["checks"] if not check["ok"]}
    assert wrong >= {"redis", "mail", "database"}


@pytest.mark.parametrize(("name", "value"), [
    ("REDIS_URL", "http://redis.example"), ("SECURITY_CONTACT", "call us"), ("SMTP_URL", "http://mail.example"),
])
def test_a_setting_that_is_no_address_is_told_by_its_name(
    name: str, value: str, workreef: Run, configured: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"WORKREEF_{name}", value)
    ran = workreef("doctor", "--json")
    assert f"WORKREEF_{name}" in ran.facts["faults"][0]["wrong"]


def test_a_taken_port_is_one_sentence(workreef: Run, configured: None, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        monkeypatch.setenv("WORKREEF_PORT", str(taken.getsockname()[1]))
        ran = workreef("serve")
    assert ran.status == 1
    assert "is taken" in ran.err
    assert ran.err.count("\n") == 1
