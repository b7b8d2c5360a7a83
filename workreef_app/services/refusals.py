"""How an operation says no: each with a stable code, a status and a sentence for whoever asked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from workreef_app.services.events import Event


class Refusal(Exception):
    """An operation was not done. `detail` is shown to the caller; nothing internal goes in it.

    `kept` says that what the operation wrote stays all the same, as the count of wrong codes does.
    """

    status = 400
    code = "refused"
    event: Event | None = None
    kept = False

    def __init__(self, detail: str, *, fields: Mapping[str, str] | None = None, **facts: Any) -> None:
        super().__init__(detail)
        self.detail = detail
        self.fields = dict(fields or {})
        self.facts = facts


class NoSession(Refusal):
    status, code = 401, "no_session"


class SignInRefused(NoSession):
    """Wrong email or password: one answer for both."""

    code, event = "sign_in_refused", Event.SESSION_REFUSED


class CodeNeeded(NoSession):
    """The password is right, and a code is asked for before there is a session. `ticket` goes into a cookie."""

    code, event = "code_needed", Event.PASSWORD_PROVEN

    def __init__(self, ticket: str, **facts: Any) -> None:
        super().__init__("Give the code of your second factor.", **facts)
        self.ticket = ticket


class TokenRefused(NoSession):
    """The API token is none of ours, has expired or was revoked, or its owner may not sign in: one answer for all."""

    code = "token_refused"

    def __init__(self) -> None:
        super().__init__("This API token does not hold. Ask an admin for a new one.")


class TokenScope(Refusal):
    """The API token does not list the operation."""

    status, code, event = 403, "token_scope", Event.SCOPE_DENIED


class WrongPersona(Refusal):
    status, code, event = 403, "wrong_persona", Event.SCOPE_DENIED


class SignInAgain(Refusal):
    """What is asked for is dangerous, and it is too long ago that the person proved who they are."""

    status, code = 403, "sign_in_again"


class FactorRequired(Refusal):
    """An admin without a second factor may do nothing here but set one up."""

    status, code = 403, "factor_required"


class NotFound(Refusal):
    """The row does not exist, or is outside the actor's scope: the same answer for both."""

    status, code = 404, "not_found"

    def __init__(self, kind: str, row_id: UUID | str) -> None:
        super().__init__(f"There is no such {kind}.", kind=kind, id=str(row_id))


class UnknownHost(Refusal):
    """The host belongs to no tenant."""

    status, code = 404, "unknown_host"


class Conflict(Refusal):
    status, code = 409, "conflict"


class Invalid(Refusal):
    status, code = 422, "invalid"


class WrongPassword(Invalid):
    """A signed-in person gave a password that is not theirs."""

    code, event = "wrong_password", Event.SESSION_REFUSED


class CodeRefused(Invalid):
    """A wrong code, or one that was used: one answer for both. The attempt counts."""

    code, event, kept = "code_refused", Event.FACTOR_REFUSED, True


class Locked(Refusal):
    """The tenant's key does not answer, so its data cannot be read."""

    status, code = 423, "locked"


class Unavailable(Refusal):
    """Not now, because the database does not answer or is busy: nothing was changed, and the same call may be repeated.

    `retry_after` is in seconds.
    """

    status, code = 503, "unavailable"
    retry_after: int | None = 5


class OutcomeUnknown(Unavailable):
    """The database went away while the change was being committed: nobody knows yet whether it was kept.

    No time is given to try again: a program that repeats by itself might do it twice.
    """

    code = "outcome_unknown"
    retry_after = None


class DiskFull(Refusal):
    """There is no room left to write to."""

    status, code = 507, "disk_full"

    def __init__(self) -> None:
        super().__init__("The disk is full, so nothing was changed. An admin must free some space; then try again.")


class Limited(Refusal):
    status, code = 429, "limited"

    def __init__(self, detail: str, retry_after: int) -> None:
        super().__init__(detail)
        self.retry_after = retry_after
