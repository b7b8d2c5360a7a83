"""Whether a write comes from one of our own pages: a token that only they hold, beside the Origin.

A session's pages send the session's token, as the header `X-CSRF-Token` or the form field `csrf_token`. The forms that
stand before there is a session carry a token that a short-lived cookie holds too. Programs with an API token, which no
browser adds by itself, need none.
"""

from __future__ import annotations

from typing import Any, Final

from fastapi import Request
from fastapi.responses import Response
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException

from workreef_app.http import exempt, form_tokens
from workreef_app.http.failures import http_error, said
from workreef_app.http.form_tokens import BEFORE, FIELD, Page
from workreef_app.http.origin import SAFE, Scope
from workreef_app.services.access import csrf
from workreef_app.services.callers import Caller
from workreef_app.services.operation import Refusal
from workreef_app.services.process import current

HEADER: Final = "x-csrf-token"
FORMS: Final = frozenset({"application/x-www-form-urlencoded", "multipart/form-data"})
#: It is read as it comes and never held, so that it looks at its token itself, before any file of it.
STREAMED: Final = "/upload/form"
WHY: Final = "This page is out of date, or the request is not from it. Load the page again, then send it once more."


class NotOurPage(Refusal):
    """A write with a cookie, and without the token of a page of ours."""

    status, code = 403, "csrf"

    def __init__(self) -> None:
        super().__init__(WHY)


def token_of(caller: Caller) -> str:
    """What the pages of the caller's session send; empty without one."""
    return form_tokens.of_session(caller, current().platform.settings)


def verify(caller: Caller, given: str) -> None:
    """Raises NotOurPage unless this is the token of the caller's session; nothing is asked without a session."""
    if caller.token is not None and not csrf.same(given, token_of(caller)):
        raise NotOurPage


def needs_token(scope: Scope, caller: Caller | None) -> bool:
    """Whether a request must show a token: a write with what a browser adds by itself, or a form before a session."""
    if scope["method"] in SAFE or scope["path"] in exempt.PATHS or (caller is not None and caller.bearer is not None):
        return False
    return (caller is not None and caller.token is not None) or BEFORE.fullmatch(scope["path"]) is not None


async def checked(
    scope: Scope, receive: Any, headers: dict[str, str], caller: Caller | None, page: Page
) -> tuple[Response | None, Any]:
    """An answer that refuses, or None to go on; and what the application reads the body from."""
    if not needs_token(scope, caller):
        return None, receive
    path, request_id = scope["path"], scope["state"]["request_id"]
    given, is_form = headers.get(HEADER, ""), headers.get("content-type", "").split(";")[0].strip().lower() in FORMS
    if not given and is_form and path == STREAMED:
        return None, receive
    if not given and is_form:
        try:
            given, receive = await _field(scope, receive)
        except HTTPException as error:
            return http_error(error.status_code, path, request_id), receive
    if csrf.same(given, page.held if BEFORE.fullmatch(path) else page.session):
        return None, receive
    return said(NotOurPage.status, NotOurPage.code, "Not done", WHY, path, request_id), receive


async def _field(scope: Scope, receive: Any) -> tuple[str, Any]:
    """The token in a form's body, empty where there is none, and the same body again. Raises HTTPException 413."""
    parts = []
    more = True
    while more:
        message = await receive()
        parts.append(message)
        more = message["type"] == "http.request" and message.get("more_body", False)
    try:
        form = await Request(scope, _again(parts, receive)).form()
        found = form.getlist(FIELD)
        await form.close()
    except (MultiPartException, HTTPException, ValueError):
        found = []
    return (found[0] if len(found) == 1 and isinstance(found[0], str) else ""), _again(parts, receive)


def _again(parts: list[Any], receive: Any) -> Any:
    left = iter(parts)

    async def replay() -> Any:
        message = next(left, None)
        return await receive() if message is None else message

    return replay
