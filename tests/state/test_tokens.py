"""API tokens as their page shows them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from uuid_utils.compat import uuid7

from workreef_app.services.access.token_operations import TokenRow, TokenStatus
from workreef_app.state.tokens import STANDINGS, choices, token_line
from workreef_app.state.words import lately

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)


def row(status: TokenStatus, used: datetime | None = None) -> TokenRow:
    return TokenRow(
        id=uuid7(), name="Night report", owner="Ann", operations=["me.read", "tasks.list"], status=status,
        created_at=NOW - timedelta(days=1), expires_at=NOW + timedelta(days=29), last_used_at=used,
    )


@pytest.mark.parametrize("status", list(TokenStatus))
def test_a_token_says_how_it_stands_and_only_one_that_holds_can_be_revoked(status: TokenStatus) -> None:
    line = token_line(row(status), NOW, UTC)
    assert (line.state, line.standing) == STANDINGS[status.value]
    assert line.active == (status is TokenStatus.ACTIVE)
    shown = (line.name, line.owner, line.operations, line.used)
    assert shown == ("Night report", "Ann", "me.read, tasks.list", "Never")


def test_the_last_use_is_told() -> None:
    used = NOW - timedelta(minutes=5)
    assert token_line(row(TokenStatus.ACTIVE, used), NOW, UTC).used == lately(used, NOW, UTC)


def test_only_what_the_person_may_do_and_a_token_may_ever_do_is_offered() -> None:
    offered = [choice.name for choice in choices(["contributor"])]
    assert "my_work.read" in offered
    assert not {"settings.read", "sessions.end", "tokens.create"} & set(offered)
    assert all(choice.summary for choice in choices(["admin"]))
