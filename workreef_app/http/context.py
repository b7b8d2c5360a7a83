"""What a request knows: its id, its caller, and the door, all put there by the middleware."""

from __future__ import annotations

from functools import partial
from typing import Any

import anyio
from fastapi import Request
from fastapi.responses import Response

from workreef_app.services.access import tickets
from workreef_app.services.browser import cookie_name, cookie_value, cookies, ticket_name
from workreef_app.services.door import Caller
from workreef_app.services.operation import Limited, UnknownHost
from workreef_app.services.process import current

#: Blocking work of HTTP requests runs in this many threads at once.
THREADS = anyio.CapacityLimiter(16)


def request_id(request: Request) -> str:
    """The id that the middleware gave the request."""
    return str(request.scope["state"]["request_id"])


def caller(request: Request) -> Caller:
    """The caller at a tenant's host. Raises UnknownHost at the platform's own host."""
    found = request.scope["state"].get("caller")
    if not isinstance(found, Caller):
        raise UnknownHost("This address belongs to no tenant.")
    return found


async def perform(request: Request, name: str, payload: Any) -> Any:
    """Runs an operation for the request, in a thread. Raises a Refusal."""
    work = partial(current().perform, caller(request), name, payload)
    return await anyio.to_thread.run_sync(work, limiter=THREADS)


async def patiently(request: Request, name: str, payload: Any) -> Any:
    """Runs an operation for a page of what is being sent already, and cannot be taken back.

    Waits where the reader has used up the limit. Raises a Refusal.
    """
    while True:
        try:
            return await perform(request, name, payload)
        except Limited as limited:
            await anyio.sleep(limited.retry_after)


def keep_cookie(response: Response, name: str, value: str, seconds: int, *, strict: bool = False) -> None:
    """Sets a cookie that this host alone gets and no script reads, Secure in production; for 0 seconds removes it."""
    response.set_cookie(
        name, value, max_age=seconds, expires=None if seconds else 0, path="/",
        secure=current().platform.settings.production, httponly=True, samesite="strict" if strict else "lax",
    )


def grant_cookie(response: Response, request: Request, token: str) -> None:
    """Sets the session cookie: HttpOnly, this host only, Secure in production, for the session's lifetime."""
    settings = current().platform.settings
    keep_cookie(response, cookie_name(settings), cookie_value(token, caller(request).host, settings), 14 * 86400)


def drop_cookie(response: Response) -> None:
    """Removes the session cookie."""
    keep_cookie(response, cookie_name(current().platform.settings), "", 0)


def grant_ticket(response: Response, ticket: str) -> None:
    """Sets the cookie that stands between password and second factor; no script reads it, and it lasts five minutes."""
    keep_cookie(response, ticket_name(current().platform.settings), ticket, int(tickets.LIFETIME.total_seconds()))


def ticket(request: Request) -> str:
    """The ticket that the request brings; empty without one."""
    name = ticket_name(current().platform.settings)
    return next(cookies(request.headers.get("cookie", ""), name), "")


def drop_ticket(response: Response) -> None:
    """Removes the ticket."""
    keep_cookie(response, ticket_name(current().platform.settings), "", 0)
