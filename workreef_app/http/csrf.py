"""Whether a write comes from one of our own pages: a token that only they hold, beside the Origin.

A session's pages send the session's token, as the header `X-CSRF-Token` or the form field `csrf_token`. The forms that
stand before there is a session carry a token that a short-lived cookie holds too. Programs with an API token, which no
browser adds by itself, need none.
"""

from __future__ import annotations

import re
from typing import Any, Final

from fastapi import Request
from fastapi.responses import Response
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException

from workreef_app.http import exempt
from workreef_app.http.failures import http_error, said
from workreef_app.http.origin import SAFE, Scope
from workreef_app.services.access import csrf
from workreef_app.services.access.sessions import token_hash
from workreef_app.services.callers import Caller
from workreef_app.services.operation import Refusal
from workreef_app.services.process import current

HEADER: Final = "x-csrf-token"
FIELD: Final = "csrf_token"
FORMS: Final = frozenset({"application/x-www-form-urlencoded", "multipart/form-data"})
#: Forms that stand before there is a session, and carry a token of their own.
BEFORE: Final = re.compile(r"/auth/login|/invite/[^/]+")
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
    if caller.token is None:
        return ""
    return csrf.of_session(token_hash(caller.token), caller.host, _secret())


def form_token(request: Request, caller: Caller) -> str:
    """The token for a form before there is a session: that of the browser's cookie while it holds, or a new one."""
    kept = request.cookies.get(_cookie(), "")
    return kept if csrf.form_holds(kept, caller.host, _secret()) else csrf.new_form(caller.host, _secret())


def keep(response: Response, token: str) -> None:
    """Has the browser hold a form's token in a cookie that only this host gets."""
    response.set_cookie(
        _cookie(), token, max_age=csrf.FORM_SECONDS, path="/", secure=current().platform.settings.production,
        httponly=True, samesite="strict",
    )


def verify(caller: Caller, given: str) -> None:
    """Raises NotOurPage unless this is the token of the caller's session; nothing is asked without a session."""
    if caller.token is not None and not csrf.same(given, token_of(caller)):
        raise NotOurPage


def needs_token(scope: Scope, caller: Caller) -> bool:
    """Whether a request must show a token: a write with what a browser adds by itself, or a form before a session."""
    if scope["method"] in SAFE or caller.bearer is not None or scope["path"] in exempt.PATHS:
        return False
    return caller.token is not None or BEFORE.fullmatch(scope["path"]) is not None


async def checked(scope: Scope, receive: Any, headers: dict[str, str], caller: Caller) -> tuple[Response | None, Any]:
    """An answer that refuses, or None to go on; and what the application reads the body from."""
    if not needs_token(scope, caller):
        return None, receive
    path, request_id = scope["path"], scope["state"]["request_id"]
    before = BEFORE.fullmatch(path) is not None
    given, is_form = headers.get(HEADER, ""), headers.get("content-type", "").split(";")[0].strip().lower() in FORMS
    if not given and is_form and path == STREAMED:
        return None, receive
    if not given and is_form:
        try:
            given, receive = await _field(scope, receive)
        except HTTPException as error:
            return http_error(error.status_code, path, request_id), receive
    if _holds(scope, caller, given) if before else csrf.same(given, token_of(caller)):
        return None, receive
    return said(NotOurPage.status, NotOurPage.code, "Not done", WHY, path, request_id), receive


def _holds(scope: Scope, caller: Caller, given: str) -> bool:
    kept = Request(scope).cookies.get(_cookie(), "")
    return csrf.same(given, kept) and csrf.form_holds(kept, caller.host, _secret())


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


def _cookie() -> str:
    return "__Host-workreef_form" if current().platform.settings.production else "workreef_form"


def _secret() -> str:
    return current().platform.settings.secret_key.get_secret_value()
