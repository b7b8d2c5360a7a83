"""What a failure of the database means to whoever met it: with a real server's own errors."""

from __future__ import annotations

import errno
import logging
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError, PendingRollbackError

from workreef_app.services.door import Door
from workreef_app.services.operation import DiskFull, OutcomeUnknown, Refusal, Unavailable
from workreef_app.services.tenancy.errors import Busy, UnknownTenant
from workreef_app.services.tenancy.outage import Outage

NOW = datetime(2026, 11, 24, 14, 3, 10, tzinfo=UTC)


def raised(door: Door, state: str) -> DBAPIError:
    """The error that the driver makes of this SQLSTATE."""
    statement = f"DO $$ BEGIN RAISE EXCEPTION 'secret words' USING ERRCODE = '{state}'; END $$"
    with door.platform.control.connect() as connection, pytest.raises(DBAPIError) as error:
        connection.execute(text(statement))
    return error.value


def terminated(door: Door) -> DBAPIError:
    """The error of a connection that the server has just closed."""
    engine = create_engine(door.platform.url)
    with engine.connect() as connection, pytest.raises(DBAPIError) as error:
        connection.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
    engine.dispose()
    return error.value


@pytest.mark.parametrize(
    ("state", "kind", "words"),
    [
        ("53100", DiskFull, "The disk is full, so nothing was changed"),
        ("40P01", Unavailable, "Somebody else was changing the same"),
        ("40001", Unavailable, "Somebody else was changing the same"),
        ("55P03", Unavailable, "Somebody else was changing the same"),
        ("57014", Unavailable, "took too long; nothing was changed"),
        ("25006", Unavailable, "takes no changes at the moment"),
        ("53300", Unavailable, "Too many requests"),
    ],
)
@pytest.mark.parametrize("committing", [False, True])
def test_what_the_server_undid_was_not_done(
    door: Door, state: str, kind: type[Refusal], words: str, committing: bool
) -> None:
    outage = Outage()
    refusal = outage.refusal(raised(door, state), NOW, committing=committing)
    assert type(refusal) is kind
    assert words in refusal.detail
    assert "secret" not in refusal.detail
    assert outage.since is None


@pytest.mark.parametrize("state", ["57P01", "57P02", "57P03", "08006", "25P03"])
def test_a_server_that_goes_is_an_outage(door: Door, state: str) -> None:
    outage = Outage()
    refusal = outage.refusal(raised(door, state), NOW)
    assert type(refusal) is Unavailable
    assert refusal.detail == "The database does not answer since 14:03:10 UTC; nothing was lost, try again."
    assert (refusal.status, refusal.code, refusal.retry_after) == (503, "unavailable", 5)
    assert outage.since == NOW


def test_a_closed_connection_and_one_that_cannot_be_made(door: Door) -> None:
    nowhere = create_engine("postgresql+psycopg://nobody:x@127.0.0.1:1/none", connect_args={"connect_timeout": 2})
    with pytest.raises(DBAPIError) as refused:
        nowhere.connect()
    with pytest.raises(psycopg.OperationalError) as bare:
        psycopg.connect("postgresql://nobody:x@127.0.0.1:1/none?connect_timeout=2")
    for error in (refused.value, bare.value, terminated(door), PendingRollbackError("x")):
        assert type(Outage().refusal(error, NOW)) is Unavailable
        unknown = Outage().refusal(error, NOW, committing=True)
        assert type(unknown) is OutcomeUnknown
        assert (unknown.status, unknown.code, unknown.retry_after) == (503, "outcome_unknown", None)
        assert "it may or may not have been done. Look before you repeat it." in unknown.detail


def test_other_faults_are_not_the_databases(door: Door) -> None:
    outage = Outage()
    for error in (ValueError("x"), UnknownTenant("x"), OSError(errno.EACCES, "x"), raised(door, "42P01")):
        assert outage.refusal(error, NOW, committing=True) is None
    assert outage.since is None


def test_a_full_disk_of_ours_and_a_full_pool() -> None:
    refusal = Outage().refusal(OSError(errno.ENOSPC, "x"), NOW)
    assert isinstance(refusal, DiskFull)
    assert (refusal.status, refusal.code) == (507, "disk_full")
    assert type(Outage().refusal(Busy("internal words"), NOW)) is Unavailable


def test_an_outage_is_told_once_and_once_again_at_its_end(caplog: pytest.LogCaptureFixture) -> None:
    outage = Outage()
    with caplog.at_level(logging.WARNING, "workreef.database"):
        outage.over(NOW)
        assert outage.seen(NOW) == outage.seen(NOW + timedelta(seconds=9)) == NOW
        outage.over(NOW + timedelta(seconds=12))
        outage.over(NOW + timedelta(seconds=13))
    assert [record.getMessage() for record in caplog.records] == [
        "The database does not answer.", "The database answers again after 12.0 s.",
    ]
    assert outage.since is None
