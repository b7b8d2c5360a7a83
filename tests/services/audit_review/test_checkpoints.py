"""Checkpoints, exports that end with one, and receipts, on a real log; and what its owner cannot do unseen."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import text

from tests.services.conftest import AUDITOR
from workreef_app.services.audit import verify
from workreef_app.services.audit.canonical import canonical
from workreef_app.services.door import Caller, Door
from workreef_app.services.operation import Conflict, Invalid, NotFound, WrongPersona
from workreef_app.services.tenancy.platform import Tenant
from workreef_app.services.workers.checkpointing import Checkpointer

Cli = Callable[[Tenant], Caller]


def add(door: Door, tenant: Tenant, count: int) -> None:
    """Entries of nobody's, straight by the function that adds them."""
    with door.platform.unit_of_work(tenant, AUDITOR) as session:
        content = canonical({"actor": "test", "at": "2026-11-23T09:14:07.123456Z", "event": "data.read", "detail": {}})
        query = text("SELECT audit_append(:content) FROM generate_series(1, :count)")
        session.execute(query, {"content": content, "count": count})


def export(door: Door, caller: Caller, path: Path, **asked: int) -> str:
    result = door.perform(caller, "audit.export", asked)
    result.path.replace(path)
    return str(path)


def keys_of(made: Any) -> tuple[verify.Key, ...]:
    return tuple(verify.parse_keys(made.keys_json))


def kinds(report: Any) -> list[tuple[str, int]]:
    return [(verdict.kind, verdict.seq) for verdict in report.verdicts]


def test_a_checkpoint_covers_all_entries_and_an_export_ends_with_one(
    door: Door, tenant: Tenant, cli: Cli, tmp_path: Path, log: Any
) -> None:
    add(door, tenant, 700)
    made = door.perform(cli(tenant), "audit.checkpoint", {})
    assert made.size == 701
    assert log(tenant)[-1][0] == "checkpoint.made"
    add(door, tenant, 300)
    name = export(door, cli(tenant), tmp_path / "x.zip")
    known = (verify.parse_note(made.note),)
    report = verify.verify(name, known=known, keys=keys_of(made), every=True)
    assert report["ok"], report
    assert (report["count"], report["anchored"], report["checkpoints"]) == (1002, 1002, 2)
    with zipfile.ZipFile(name) as archive:
        assert len(list(verify.read_notes(io.BytesIO(archive.read("checkpoints.txt"))))) == 2


@pytest.mark.parametrize(("first", "last"), [(1, 300), (257, 512), (300, 301), (1, 2), (600, 0)])
def test_a_range_is_exported_with_its_proof(
    door: Door, standing: list[Tenant], cli: Cli, tmp_path: Path, first: int, last: int
) -> None:
    tenant = standing[0]
    add(door, tenant, 600)
    made = door.perform(cli(tenant), "audit.checkpoint", {})
    asked = {"first": first} | ({"last": last} if last else {})
    report = verify.verify(export(door, cli(tenant), tmp_path / "x.zip", **asked), keys=keys_of(made))
    assert report["ok"], report
    end = last or report["anchored"]
    assert (report["count"], report["anchored"]) == (end - first + 1, end)


@pytest.mark.parametrize("asked", [{"first": 10**9}, {"first": 5, "last": 4}, {"last": 10**9}])
def test_there_is_no_export_of_what_is_not_there(
    door: Door, shared: Tenant, cli: Cli, asked: dict[str, int]
) -> None:
    with pytest.raises(Invalid):
        door.perform(cli(shared), "audit.export", asked)


def test_checkpoints_are_copied_to_the_control_plane_those_that_a_crash_left_out_too(
    door: Door, tenant: Tenant, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lost(*_: Any) -> None:
        raise ConnectionError

    with monkeypatch.context() as away:
        away.setattr(door.platform.signer, "keep", lost)
        first = door.perform(cli(tenant), "audit.checkpoint", {})
    assert door.platform.signer.copies(tenant.info.id) == []
    second = door.perform(cli(tenant), "audit.checkpoint", {})
    assert door.platform.signer.copies(tenant.info.id) == [first.note, second.note]


def test_a_checkpoint_is_made_each_minute_in_which_something_else_was_added(
    door: Door, tenant: Tenant, cli: Cli, log: Any
) -> None:
    def made() -> int:
        return sum(event == "checkpoint.made" for event, _, _ in log(tenant))

    door.perform(cli(tenant), "departments.create", {"slug": "claims", "name": "Claims"})
    Checkpointer(door).tick()
    assert made() == 1
    Checkpointer(door).tick()
    assert made() == 1, "its own entry is no cause for another"
    door.perform(cli(tenant), "departments.create", {"slug": "yard", "name": "Yard"})
    checkpointer = Checkpointer(door)
    checkpointer.tick()
    checkpointer.tick()
    assert made() == 2, "once a minute"


def test_a_replaced_key_stays_published(door: Door, tenant: Tenant, cli: Cli, tmp_path: Path) -> None:
    before = door.perform(cli(tenant), "audit.checkpoint", {})
    door.platform.signer.rotate()
    after = door.perform(cli(tenant), "audit.checkpoint", {})
    assert after.keys[1:] == before.keys
    report = verify.verify(export(door, cli(tenant), tmp_path / "x.zip"), keys=keys_of(after), every=True)
    assert report["ok"], report


def test_a_tenant_whose_key_is_dark_has_checkpoints_exports_and_receipts(
    door: Door, tenant: Tenant, cli: Cli, tmp_path: Path
) -> None:
    name = tenant.key.reference.partition(":")[2]
    key = door.platform.settings.keys_dir / f"{name}.key"
    key.rename(key.with_suffix(".away"))
    door.platform.keyring.purge()
    try:
        assert door.platform.locked(tenant)
        made = door.perform(cli(tenant), "audit.checkpoint", {})
        assert verify.verify(export(door, cli(tenant), tmp_path / "x.zip"), keys=keys_of(made))["ok"]
        receipt = door.perform(cli(tenant), "audit.receipt", {"seq": 1}).receipt
        assert verify.verify_receipt(receipt, keys_of(made))["ok"]
    finally:
        key.with_suffix(".away").rename(key)


# --- receipts ---------------------------------------------------------------------------------------------------------


def test_a_receipt_proves_one_entry_alone(door: Door, tenant: Tenant, cli: Cli) -> None:
    add(door, tenant, 520)
    made = door.perform(cli(tenant), "audit.checkpoint", {})
    for seq in (1, 256, 257, 521):
        receipt = door.perform(cli(tenant), "audit.receipt", {"seq": seq}).receipt
        assert verify.verify_receipt(receipt, keys_of(made))["ok"], seq
        assert not verify.verify_receipt(receipt.replace("data.read", "data.reed").replace("created", "creates"))["ok"]
    with pytest.raises(Conflict):
        door.perform(cli(tenant), "audit.receipt", {"seq": 522})


def test_a_receipt_is_for_those_who_may_read_the_entry(
    door: Door, tenant: Tenant, cli: Cli, person: Any, log: Any
) -> None:
    worker = person(tenant, ["contributor"])
    door.perform(worker, "my_work.read", {})
    mine = len(log(tenant))
    door.perform(cli(tenant), "audit.checkpoint", {})
    told = json.loads(door.perform(worker, "audit.receipt", {"seq": mine}).receipt)
    assert json.loads(told["content"])["event"] == "data.read"
    with pytest.raises(NotFound):
        door.perform(worker, "audit.receipt", {"seq": 1})
    assert log(tenant)[-1][0::2] == ("scope.denied", "entry:1")


@pytest.mark.parametrize("persona", ["operator", "dept_lead", "change_leader", "contributor"])
def test_checkpoints_are_made_by_auditors_and_read_by_anyone(
    door: Door, shared: Tenant, cli: Cli, person: Any, persona: str
) -> None:
    caller = person(shared, [persona])
    with pytest.raises(WrongPersona):
        door.perform(caller, "audit.checkpoint", {})
    made = door.perform(cli(shared), "audit.checkpoint", {})
    assert door.perform(caller, "audit.read_checkpoint", {"size": made.size}).note == made.note
    with pytest.raises(NotFound):
        door.perform(caller, "audit.read_checkpoint", {"size": made.size + 10**6})


# --- what the owner of the tables does, and the page tells ---------------------------------------------------------


CHAIN_ANEW = """
DO $$ DECLARE h bytea := (SELECT chain_hash FROM audit_entry WHERE seq = {at} - 1); e record; BEGIN
  FOR e IN SELECT seq, content FROM audit_entry WHERE seq >= {at} ORDER BY seq LOOP
    h := sha256(convert_to(e.content, 'UTF8') || h);
    UPDATE audit_entry SET chain_hash = h WHERE seq = e.seq;
  END LOOP;
  UPDATE audit_head SET chain_hash = h;
END $$
"""
EDIT = "UPDATE audit_entry SET content = replace(content, 'data.read', 'data.reed') WHERE seq = {at}"
CUT = """
DELETE FROM audit_entry WHERE seq >= {at};
UPDATE audit_head SET seq = {at} - 1, chain_hash = (SELECT chain_hash FROM audit_entry WHERE seq = {at} - 1)
"""


@pytest.fixture
def watched(door: Door, tenant: Tenant, cli: Cli) -> Any:
    """A log with checkpoints at 11 and 21, and entries beyond; the last checkpoint."""
    add(door, tenant, 10)
    door.perform(cli(tenant), "audit.checkpoint", {})
    add(door, tenant, 9)
    made = door.perform(cli(tenant), "audit.checkpoint", {})
    assert made.size == 21
    return made


@pytest.mark.parametrize(("statements", "at", "expected"), [
    ([EDIT], 15, ("edited", 15)), ([EDIT, CHAIN_ANEW], 15, ("rewritten", 12)),
    ([EDIT, CHAIN_ANEW], 5, ("rewritten", 1)), ([CUT], 18, ("tail_cut", 18)),
])
def test_what_the_tables_owner_changes_is_named(
    door: Door, tenant: Tenant, cli: Cli, sql_as_owner: Any, watched: Any, statements: list[str], at: int,
    expected: tuple[str, int],
) -> None:
    sound = door.perform(cli(tenant), "audit.verify", {"known": watched.note})
    assert (sound.ok, sound.anchored, sound.anchored_at) == (True, 21, watched.made_at)
    with sql_as_owner(tenant) as owner:
        for statement in statements:
            owner.execute(statement.replace("{at}", str(at)))
    found = door.perform(cli(tenant), "audit.verify", {})
    assert not found.ok
    assert kinds(found)[0] == expected


def test_a_restored_older_database_is_told_by_the_checkpoint_that_somebody_kept(
    door: Door, tenant: Tenant, cli: Cli, sql_as_owner: Any, watched: Any, tmp_path: Path
) -> None:
    with sql_as_owner(tenant) as owner:
        owner.execute(CUT.replace("{at}", "12"))
        owner.execute("DELETE FROM audit_checkpoint WHERE size > 11")
    exported = export(door, cli(tenant), tmp_path / "older.zip")
    assert verify.verify(exported, keys=keys_of(watched))["ok"], "an older copy is whole in itself"
    known = (verify.parse_note(watched.note),)
    assert verify.verify(exported, keys=keys_of(watched), known=known)["verdicts"][0]["kind"] == "rolled_back"
    found = door.perform(cli(tenant), "audit.verify", {})
    assert kinds(found)[0][0] == "rolled_back", "here the copy in the control plane tells"


def test_a_log_that_is_shorter_than_what_was_signed_of_it_is_not_signed_anew(
    door: Door, tenant: Tenant, cli: Cli, sql_as_owner: Any, watched: Any, tmp_path: Path
) -> None:
    with sql_as_owner(tenant) as owner:
        owner.execute(CUT.replace("{at}", "18"))
    with pytest.raises(Conflict, match="shorter"):
        door.perform(cli(tenant), "audit.checkpoint", {})
    Checkpointer(door).tick()
    report = verify.verify(export(door, cli(tenant), tmp_path / "cut.zip"), keys=keys_of(watched))
    assert (report["verdicts"][0]["kind"], report["ok"]) == ("tail_cut", False)
    assert door.platform.signer.last_copy(tenant.info.id) == watched.note


@pytest.mark.parametrize("known", ["junk", "a\n\nb\n", "x" * 16_000])
def test_what_is_no_checkpoint_is_refused_by_name(door: Door, shared: Tenant, cli: Cli, known: str) -> None:
    with pytest.raises(Invalid) as refused:
        door.perform(cli(shared), "audit.verify", {"known": known})
    assert refused.value.fields == {"known": "is not a signed checkpoint"}


@pytest.mark.parametrize("statement", [
    "UPDATE audit_checkpoint SET size = size + 1", "DELETE FROM audit_checkpoint", "TRUNCATE audit_checkpoint",
    "UPDATE audit_node SET hash = sha256('')", "DELETE FROM audit_node", "TRUNCATE audit_node",
    "ALTER TABLE audit_checkpoint DISABLE TRIGGER ALL", "ALTER TABLE audit_node DISABLE ROW LEVEL SECURITY",
    "DROP TABLE audit_checkpoint", "DROP TABLE audit_node",
])
def test_checkpoints_and_nodes_are_only_added(
    standing: list[Tenant], sql_as_app: Any, scoped: Any, statement: str
) -> None:
    with sql_as_app(standing[0]) as app:
        scoped(app, actor="cli:someone", reach="all_work,all_audit,people,settings")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            app.execute(statement)
