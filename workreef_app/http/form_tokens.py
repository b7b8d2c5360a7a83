"""The token that the forms of a plain page carry: known from the page's request until it is answered.

A form that stands before there is a session carries a token that a short-lived cookie holds too; any other one carries
the session's.
"""

from __future__ import annotations

import re
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from workreef_app.http.context import keep_cookie
from workreef_app.http.origin import Scope
from workreef_app.services.access import csrf
from workreef_app.services.access.sessions import token_hash
from workreef_app.services.callers import Caller
from workreef_app.settings import Settings

FIELD: Final = "csrf_token"
#: What is posted before there is a session, or whether there is one or not.
BEFORE: Final = re.compile(r"/auth/(?:login|code)|/forgot|/(?:invite|reset)/[^/]+|/signup(?:/[^/]+)?")
_COOKIE: Final = "workreef_form"


@dataclass(slots=True)
class Page:
    """What the forms of one page carry. `held` is the browser's token, empty without one that still holds; `given` is
    a new one, which the browser is to hold.
    """

    host: str
    session: str
    held: str
    settings: Settings = field(repr=False)
    given: str = ""

    def before(self) -> str:
        """The token of forms before there is a session."""
        if not self.held:
            self.held = self.given = csrf.new_form(self.host, _secret(self.settings))
        return self.held

    def keep(self) -> list[tuple[bytes, bytes]]:
        """The header by which the browser holds a new token, in a cookie that only this host gets."""
        if not self.given:
            return []
        response = Response()
        keep_cookie(response, _cookie(self.settings), self.given, csrf.FORM_SECONDS, strict=True)
        return [(name, value) for name, value in response.raw_headers if name == b"set-cookie"]


_page: ContextVar[Page | None] = ContextVar("workreef_page", default=None)


def begin(scope: Scope, caller: Caller | None, settings: Settings) -> Page:
    """The page that answers this request."""
    host = caller.host if caller is not None else settings.public_host
    kept = Request(scope).cookies.get(_cookie(settings), "")
    held = kept if csrf.form_holds(kept, host, _secret(settings)) else ""
    page = Page(host, of_session(caller, settings), held, settings)
    _page.set(page)
    return page


def of_session(caller: Caller | None, settings: Settings) -> str:
    """What the pages of the caller's session send; empty without one."""
    if caller is None or caller.token is None:
        return ""
    return csrf.of_session(token_hash(caller.token), caller.host, _secret(settings))


def token_for(action: str) -> str:
    """The token that a form of the page under way carries; empty where no page is."""
    page = _page.get()
    if page is None:
        return ""
    return page.before() if BEFORE.fullmatch(action) else page.session


def _cookie(settings: Settings) -> str:
    return f"__Host-{_COOKIE}" if settings.production else _COOKIE


def _secret(settings: Settings) -> str:
    return settings.secret_key.get_secret_value()
