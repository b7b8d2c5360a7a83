"""The platform's own log tells of its tenants and keys, verifies like any other, and shows what was done to it."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from workreef_app.services.audit import verify
from workreef_app.services.door import Door
from workreef_app.services.tenancy import platform_export, platform_log
from workreef_app.services.tenancy.platform import Tenant


def exported(door: Door, path: Path) -> Path:
    with path.open("wb") as out:
        platform_export.write(door.platform.control, door.platform.signer, out)
    return path


def told(door: Door) -> list[dict[str, Any]]:
    with Session(door.platform.control) as session:
        return [json.loads(content) for _, content, _ in platform_log.entries(session, 10**9)]


def test_tenants_and_keys_are_told(door: Door, tenant: Tenant) -> None:
    door.platform.signer.rotate("cli:somebody")
    entries = told(door)
    assert {entry["event"] for entry in entries} == {"platform_key.made", "signing_key.made", "tenant.created"}
    assert f"tenant:{tenant.info.id}" in {entry["target"] for entry in entries}
    last = next(entry for entry in reversed(entries) if entry["event"] == "signing_key.made")
    assert last["actor"] == "cli:somebody"
    assert last["detail"]["public"] == door.platform.signer.keys(platform_log.PLATFORM_ID)[0].public.hex()


def test_the_export_is_proven_by_the_same_verifier(door: Door, tenant: Tenant, tmp_path: Path) -> None:
    first = verify.verify(str(exported(door, tmp_path / "one.zip")))
    assert first["ok"], first
    assert first["anchored"] == first["count"] >= 3
    door.platform.signer.rotate()
    second = verify.verify(str(exported(door, tmp_path / "two.zip")))
    assert second["ok"], second
    assert second["count"] > first["count"]


@pytest.fixture
def unguarded(door: Door) -> Iterator[Any]:
    """A connection of the database's owner who has taken the guard away; everything is put back."""
    with door.platform.control.connect() as connection:
        connection.execute(text("ALTER TABLE platform_entry DISABLE TRIGGER platform_entry_stays"))
        yield connection
        connection.rollback()


def test_what_its_owner_changes_is_named(door: Door, tenant: Tenant, unguarded: Any) -> None:
    kept = verify.parse_note(_note(door))
    change = "UPDATE platform_entry SET content = replace(content, ':platform', ':plotform') WHERE seq = 1"
    unguarded.exec_driver_sql(change)
    session = Session(bind=unguarded)
    rows = list(platform_log.entries(session, kept.size))
    check = verify.Check(verify.genesis(str(platform_log.PLATFORM_ID)))
    for seq, content, chain_hash in rows:
        check.entry(seq, content.encode(), chain_hash, verify.canonical_fault(content))
    assert [(found.kind, found.seq) for found in check.findings] == [("edited", 1)]


def _note(door: Door) -> str:
    out = io.BytesIO()
    platform_export.write(door.platform.control, door.platform.signer, out)
    return door.platform.signer.copies(platform_log.PLATFORM_ID)[-1]


@pytest.mark.parametrize("statement", [
    "UPDATE platform_entry SET content = '{}'", "DELETE FROM platform_entry", "TRUNCATE platform_entry",
])
def test_entries_stay_as_they_are(door: Door, statement: str) -> None:
    with door.platform.control.connect() as connection, pytest.raises(DBAPIError, match="only grows"):
        connection.execute(text(statement))


def test_what_did_not_happen_is_not_told(door: Door) -> None:
    before = len(told(door))
    with Session(door.platform.control) as session:
        platform_log.append(session, platform_log.Event.TENANT_CREATED, actor="cli:x", target="tenant:none")
        session.rollback()
    assert len(told(door)) == before
