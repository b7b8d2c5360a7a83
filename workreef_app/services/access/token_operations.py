"""Operations on API tokens: making one for oneself, the list, and revoking one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import Field, StringConstraints
from sqlalchemy import Select, select
from sqlmodel import col
from uuid_utils.compat import uuid7

from workreef_app.services import paging
from workreef_app.services.access import people, tokens
from workreef_app.services.access.operations import Done
from workreef_app.services.access.sessions import token_hash
from workreef_app.services.access.token_models import DAYS, OPERATION_PATTERN, ApiToken, ApiTokenOperation
from workreef_app.services.operation import (
    REGISTRY,
    Command,
    Conflict,
    Event,
    Invalid,
    NotFound,
    Persona,
    Result,
    Work,
    operation,
)

ADMINS = frozenset({Persona.ADMIN})
PAGE = 50
#: Tokens that may hold at once in a tenant.
MOST = 200
OperationName = Annotated[str, StringConstraints(pattern=OPERATION_PATTERN)]


class TokenStatus(StrEnum):
    """Whether a token holds."""

    ACTIVE = "active"
    EXPIRED = "expired"
    REVOKED = "revoked"


class CreateToken(Command):
    name: Annotated[str, StringConstraints(min_length=1, max_length=80, strip_whitespace=True)]
    operations: Annotated[list[OperationName], Field(min_length=1, max_length=64)]
    days: int = Field(ge=1, le=DAYS, description="For how many days the token holds.")


class TokenMade(Result):
    """A token was made. Its text is shown here, once, and kept nowhere."""

    id: UUID
    token: str = Field(repr=False)
    expires_at: datetime


@operation("tokens.create", by=ADMINS, limit="20/minute", audit=Event.TOKEN_CREATED)
def create_token(work: Work, command: CreateToken) -> TokenMade:
    """Makes an API token that acts for the person who asks, within the operations given."""
    if work.actor.person_id is None:
        raise Invalid("Only a person owns a token. Sign in as the one for whom it shall act.")
    wanted = sorted(set(command.operations))
    refused = [name for name in wanted if name not in REGISTRY or not tokens.grantable(REGISTRY[name])]
    if refused:
        raise Invalid(
            "A token cannot be given this.", fields={"operations": f"not for tokens: {', '.join(refused)}"[:500]}
        )
    if paging.total(work.session, _holding(work.now)) >= MOST:
        raise Conflict(f"{MOST} tokens hold already. Revoke those that nobody uses.")
    text, row_id = tokens.new(), uuid7()
    row = ApiToken(
        id=row_id, person_id=work.actor.person_id, name=command.name, token_hash=token_hash(text),
        created_at=work.now, expires_at=work.now + timedelta(days=command.days),
    )
    work.session.add(row)
    work.session.flush()
    work.session.add_all(ApiTokenOperation(token_id=row_id, operation=name) for name in wanted)
    work.note(target=f"token:{row_id}", operations=wanted, days=command.days)
    return TokenMade(id=row_id, token=text, expires_at=row.expires_at)


def _holding(now: datetime) -> Select[ApiToken]:
    return select(ApiToken).where(col(ApiToken.revoked_at).is_(None), col(ApiToken.expires_at) > now)


class ListTokens(Command):
    after: str = Field("", max_length=100)
    limit: int = Field(PAGE, ge=1, le=200)


class TokenRow(Result):
    """A token as the list shows it: never the token itself."""

    id: UUID
    name: str
    owner: str
    operations: list[str]
    status: TokenStatus
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None


class TokenList(Result):
    """A page of tokens, newest first. `holding` counts those that hold; `next` is empty on the last page."""

    rows: list[TokenRow]
    count: int
    holding: int
    next: str


@operation("tokens.list", by=ADMINS, limit="120/minute", audit=Event.DATA_READ)
def list_tokens(work: Work, command: ListTokens) -> TokenList:
    """Lists the tenant's API tokens, those that ended among them, newest first."""
    everything = select(ApiToken)
    ordered = paging.newest_first(everything, col(ApiToken.created_at), col(ApiToken.id), command.after)
    found = list(work.session.scalars(ordered.limit(command.limit + 1)))
    page = found[: command.limit]
    work.note(target="token", rows=len(page))
    return TokenList(
        rows=_rows(work, page), count=paging.total(work.session, everything),
        holding=paging.total(work.session, _holding(work.now)),
        next=paging.encode(page[-1].created_at, page[-1].id) if len(found) > command.limit else "",
    )


def _rows(work: Work, page: Sequence[ApiToken]) -> list[TokenRow]:
    names = people.names(work, [row.person_id for row in page])
    query = select(ApiTokenOperation).where(col(ApiTokenOperation.token_id).in_([row.id for row in page]))
    lists: dict[UUID, list[str]] = {}
    for given in work.session.scalars(query.order_by(col(ApiTokenOperation.operation))):
        lists.setdefault(given.token_id, []).append(given.operation)
    return [
        TokenRow(
            id=row.id, name=row.name, owner=names.get(row.person_id, ""), operations=lists.get(row.id, []),
            status=status_of(row, work.now), created_at=row.created_at, expires_at=row.expires_at,
            last_used_at=row.last_used_at,
        )
        for row in page
    ]


def status_of(row: ApiToken, now: datetime) -> TokenStatus:
    """Whether a token holds at `now`."""
    if row.revoked_at is not None:
        return TokenStatus.REVOKED
    return TokenStatus.ACTIVE if now < row.expires_at else TokenStatus.EXPIRED


class RevokeToken(Command):
    token_id: UUID


@operation("tokens.revoke", by=ADMINS, limit="60/minute", audit=Event.TOKEN_REVOKED)
def revoke_token(work: Work, command: RevokeToken) -> Done:
    """Ends an API token at once; one that has been revoked already stays so."""
    row = work.session.get(ApiToken, command.token_id)
    if row is None:
        raise NotFound("token", command.token_id)
    if row.revoked_at is None:
        row.revoked_at = work.now
    work.note(target=f"token:{row.id}")
    return Done()
