"""The cap on an observation is Postgres's: no INSERT by hand gets a raw text into it, of whatever length."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from workreef_app.services.door import Door
from workreef_app.services.tenancy.platform import Tenant
from workreef_app.services.vault.cipher import FORMAT, OVERHEAD, SUMMARY_SEALED, Cipher, cut_summary

EMAIL = (
    "From: ann@acme.test\nTo: bob@acme.test\nSubject: claim 4711\n\nDear Bob,\nthe claimant's lab result is attached. "
    "Please call her before Friday at +1 555 0100, and do not forward this to anybody. "
) * 3
Insert = Callable[[bytes], UUID]


@pytest.fixture
def cipher(door: Door, tenant: Tenant) -> Cipher:
    return door.platform.keyring.cipher(tenant.key)


@pytest.fixture
def app(
    tenant: Tenant, sql_as_app: Any, scoped: Callable[..., None], import_lines: Any, line: Any
) -> Iterator[psycopg.Connection[Any]]:
    """The app role, signed in by hand, in an admin's scope, in a tenant with a signal."""
    import_lines(tenant, [line("disk full", 0)])
    with sql_as_app(tenant) as connection:
        scoped(connection, actor="cli:someone", reach="all_work,all_audit,people,settings")
        yield connection


@pytest.fixture
def insert(app: psycopg.Connection[Any]) -> Insert:
    """Inserts an observation with this summary, in an hour of its own."""

    def run(summary: bytes) -> UUID:
        row_id = uuid4()
        hour = datetime(2026, 1, 1, tzinfo=UTC)
        app.execute(
            "INSERT INTO observation (id, source_id, signal_id, hour, lines, constant_tokens, total_tokens, first_at,"
            " last_at, summary) SELECT %s, source_id, id, %s, 1, 1, 1, %s, %s, %s FROM signal",
            (row_id, hour, hour, hour, summary),
        )
        return row_id

    return run


def test_a_sealed_summary_is_accepted(insert: Insert, app: psycopg.Connection[Any], cipher: Cipher) -> None:
    row_id = insert(cipher.seal("observation", "summary", cut_summary(EMAIL)))
    summary, key = app.execute("SELECT summary, summary_key FROM observation WHERE id = %s", (row_id,)).fetchone() or ()
    opened = cipher.open("observation", "summary", summary).decode()
    assert EMAIL.startswith(opened)
    assert len(opened) == 240
    assert key == cipher.key_id


@pytest.mark.parametrize("summary", [
    EMAIL.encode(), EMAIL.encode()[:SUMMARY_SEALED], EMAIL.encode()[:240], b"", b"x",
    bytes([FORMAT]) + EMAIL.encode()[: SUMMARY_SEALED - 1], bytes([FORMAT]) + os.urandom(SUMMARY_SEALED - 1),
], ids=["email", "of the very length", "of 240 bytes", "empty", "one byte", "with the format byte", "random"])
def test_raw_text_is_refused(insert: Insert, app: psycopg.Connection[Any], summary: bytes) -> None:
    before = app.execute("SELECT count(*) FROM observation").fetchone()
    with pytest.raises((psycopg.errors.IntegrityError, psycopg.errors.DataError)):
        insert(summary)
    assert app.execute("SELECT count(*) FROM observation").fetchone() == before


def test_another_key_id_is_refused(insert: Insert, cipher: Cipher) -> None:
    sealed = Cipher(cipher.tenant_id, uuid4(), bytes(32)).seal("observation", "summary", cut_summary(EMAIL))
    assert len(sealed) == SUMMARY_SEALED
    with pytest.raises(psycopg.errors.ForeignKeyViolation):
        insert(sealed)


@pytest.mark.parametrize("length", [0, 1, 239, 241, 242, 1000])
def test_a_sealed_value_of_another_length_is_refused(insert: Insert, cipher: Cipher, length: int) -> None:
    with pytest.raises(psycopg.errors.CheckViolation):
        insert(cipher.seal("observation", "summary", EMAIL.encode()[:length]))


def test_another_format_is_refused(insert: Insert, cipher: Cipher) -> None:
    sealed = cipher.seal("observation", "summary", cut_summary(EMAIL))
    with pytest.raises(psycopg.errors.CheckViolation):
        insert(bytes([FORMAT + 1]) + sealed[1:])


def test_no_key_id_can_be_registered_and_none_can_be_given(app: psycopg.Connection[Any], cipher: Cipher) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        app.execute("INSERT INTO data_key (id, created_at) VALUES (%s, now())", (uuid4(),))
    with pytest.raises(psycopg.errors.GeneratedAlways):
        app.execute("UPDATE observation SET summary_key = %s", (cipher.key_id,))


@pytest.mark.parametrize("summary", [EMAIL.encode()[:SUMMARY_SEALED], b"short"])
def test_an_update_is_held_to_the_same(app: psycopg.Connection[Any], summary: bytes) -> None:
    with pytest.raises((psycopg.errors.CheckViolation, psycopg.errors.DataError)):
        app.execute("UPDATE observation SET summary = %s", (summary,))


def test_no_other_column_of_an_observation_holds_text(app: psycopg.Connection[Any]) -> None:
    kinds = app.execute(
        "SELECT DISTINCT data_type FROM information_schema.columns WHERE table_name = 'observation'"
    ).fetchall()
    assert {kind for (kind,) in kinds} == {"uuid", "bigint", "timestamp with time zone", "bytea"}


def test_the_numbers_are_those_of_the_design() -> None:
    assert (OVERHEAD, SUMMARY_SEALED) == (45, 285)
