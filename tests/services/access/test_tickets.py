"""The ticket between password and second factor."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from workreef_app.services.access import tickets

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
PERSON, HOST, SECRET, HASH = UUID(int=7), "acme.localhost", "s" * 40, "$argon2id$one"
TICKET = tickets.issue(PERSON, HASH, HOST, SECRET, NOW)


def test_it_holds_for_five_minutes_here_for_this_person_and_password() -> None:
    found = tickets.read(TICKET, HOST, SECRET, NOW + timedelta(minutes=4, seconds=59))
    assert found is not None
    assert found[0] == PERSON
    assert tickets.holds(found[1], HASH, SECRET)
    assert not tickets.holds(found[1], "$argon2id$another", SECRET)
    assert not tickets.holds(found[1], None, SECRET)
    assert HASH not in TICKET


@pytest.mark.parametrize(("ticket", "host", "secret", "later"), [
    (TICKET, HOST, SECRET, 300), (TICKET, HOST, SECRET, -2), (TICKET, "other.localhost", SECRET, 0),
    (TICKET, HOST, "t" * 40, 0), (TICKET[:-2] + "AA", HOST, SECRET, 0), ("A" + TICKET, HOST, SECRET, 0),
    (TICKET.replace(str(PERSON), str(UUID(int=8))), HOST, SECRET, 0), ("", HOST, SECRET, 0), ("a.b", HOST, SECRET, 0),
    ("é.ü", HOST, SECRET, 0), (tickets._signer(HOST, SECRET).sign("a|b|c").decode(), HOST, SECRET, 0),
    (tickets._signer(HOST, SECRET).sign("a|b").decode(), HOST, SECRET, 0),
])
def test_any_other_is_none(ticket: str, host: str, secret: str, later: int) -> None:
    assert tickets.read(ticket, host, secret, NOW + timedelta(seconds=later)) is None
