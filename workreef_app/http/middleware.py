"""What stands before everything: host, origin, size, session for pages, security headers, the access log.

It sees HTTP requests and sockets alike, before a socket is accepted.
"""

from __future__ import annotations

import logging
import math
import re
import time
from collections.abc import Awaitable, Callable
from functools import partial
from urllib.parse import parse_qs, quote
from uuid import UUID

import anyio
from starlette.responses import HTMLResponse, RedirectResponse, Response
from uuid_utils.compat import uuid7

from workreef_app.http import bounds, csrf, exempt, form_tokens, plain
from workreef_app.http.bounds import Message, Receive
from workreef_app.http.context import THREADS
from workreef_app.http.failures import failure, http_error
from workreef_app.http.origin import SAFE, Scope, headers_of, peer_of, refused_by_origin
from workreef_app.http.problems import for_programs, problem
from workreef_app.services.browser import TOKEN_PATHS, bearer_of, browser_caller, host_of
from workreef_app.services.door import Caller
from workreef_app.services.process import current
from workreef_app.services.signup import is_open
from workreef_app.services.tenancy.errors import UnknownTenant

Send = Callable[[Message], Awaitable[None]]
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]
TabOwner = Callable[[str], UUID | None]

log = logging.getLogger("workreef.access")

SOCKET = "/_event"
#: What a page asks of a browser's devices: nothing.
PERMISSIONS = ", ".join(f"{name}=()" for name in (
    "accelerometer", "autoplay", "camera", "display-capture", "encrypted-media", "geolocation", "gyroscope",
    "magnetometer", "microphone", "midi", "payment", "publickey-credentials-get", "screen-wake-lock", "serial", "usb",
    "xr-spatial-tracking",
))
#: What follows these is a secret.
LINKS = ("/invite/", "/reset/", "/signup/")
#: Built-in endpoints of the page framework that nobody needs.
CLOSED = re.compile(r"/(ping|_health|_upload|_all_routes|auth-codespace)(/.*)?")
#: Served on the platform's own host, and without a session everywhere.
OPEN = re.compile(r"/(healthz|readyz|\.well-known/security\.txt)")
#: Served on the platform's own host alone.
SIGN_UP = re.compile(r"/signup(/[A-Za-z0-9_-]{1,100})?")
UNGUARDED = re.compile(
    r"/(login$|forgot$|auth/(?:login|logout|code|csrf)$|auth/oidc/(?:start|callback)$|invite/|reset/|api/|v1/|"
    r"audit/verify\.py|assets/|[^/]+\.(?:css|js|json|ico|png|svg|txt)$)"
)


class Front:
    """The outermost layer of the application.

    `tab_owner` tells which session an open tab's token belongs to. `folders` are the paths of pages that are kept
    as a folder: they are served at once, not by way of a redirect to the path with a slash.
    """

    def __init__(
        self, app: ASGIApp, policy: str, tab_owner: TabOwner = lambda _: None, folders: frozenset[str] = frozenset()
    ) -> None:
        self._app = app
        self._policy = policy
        self._tab_owner = tab_owner
        self._folders = folders

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await self._http(scope, receive, send)
        elif scope["type"] == "websocket":
            await self._socket(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        started, status, request_id = time.perf_counter(), 0, uuid7().hex
        scope.setdefault("state", {})["request_id"] = request_id
        extra = self._headers(request_id)

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                ours = [*extra, *_standing(scope)]
                message["headers"] = [*_kept(message.get("headers", []), ours), *ours]
            await send(message)

        try:
            response = await self._before(scope)
            if response is not None:
                await response(scope, receive, send_with_headers)
            else:
                if scope["path"] in self._folders:
                    scope["path"] += "/"
                await self._checked(scope, bounds.bounded(receive, bounds.limit_of(scope["path"])), send_with_headers)
        except Exception as error:
            # Kept here: a server would write its text, which may quote data, into the log. What was answered is
            # logged already.
            if not status:
                await failure(error, scope["path"], request_id)(scope, receive, send_with_headers)
        finally:
            caller = scope["state"].get("caller")
            log.info("request", extra={
                "request": request_id, "method": scope["method"], "path": shown_path(scope["path"]),
                "status": status, "tenant": caller.tenant.info.slug if caller else "",
                "ms": round((time.perf_counter() - started) * 1000, 1),
            })

    async def _checked(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The application, unless the request is a write that does not come from one of our pages."""
        caller = scope["state"].get("caller")
        page = form_tokens.begin(scope, caller, current().platform.settings)

        async def send_with_cookie(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", []), *page.keep()]
            await send(message)

        response, receive = await csrf.checked(scope, receive, headers_of(scope), caller, page)
        await (self._app if response is None else response)(scope, receive, send_with_cookie)

    async def _before(self, scope: Scope) -> Response | None:
        """An answer that makes the application needless, or None to go on."""
        path, headers = scope["path"], headers_of(scope)
        request_id = scope["state"]["request_id"]
        if OPEN.fullmatch(path):
            return None
        peer = peer_of(scope)
        if wait := bounds.crowded(headers, peer):
            return bounds.too_many(path, wait, request_id)
        if CLOSED.fullmatch(path):
            return HTMLResponse(plain.message("Not found", ["There is no such page."]), status_code=404)
        try:
            caller = await self._caller(scope, headers)
        except UnknownTenant:
            return _unknown_host(scope, request_id)
        settings = current().platform.settings
        if caller is None and not SIGN_UP.fullmatch(path):
            return _platform_page(path)
        # Only what a browser adds by itself, a cookie, can be sent by another site without its user's knowledge.
        free = path in exempt.PATHS or (caller is not None and caller.bearer is not None)
        why = "" if free else refused_by_origin(scope, headers, host_of(headers, peer, settings), settings)
        if why:
            return problem(403, "wrong_origin", why, request_id)
        length = headers.get("content-length", "0")
        if length.isdigit() and int(length) > bounds.limit_of(path):
            return http_error(413, path, request_id)
        if caller is None:
            return None
        scope["state"]["caller"] = caller
        if scope["method"] in SAFE and not UNGUARDED.match(path):
            return await _page_guard(scope, caller)
        return None

    async def _caller(self, scope: Scope, headers: dict[str, str]) -> Caller | None:
        peer = peer_of(scope)
        find = partial(
            browser_caller, current().platform, headers, peer,
            scope.get("state", {}).get("request_id", ""), bearer_of(headers, scope["path"]),
        )
        return await anyio.to_thread.run_sync(find, limiter=THREADS)

    async def _socket(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Accepts only our own page's socket with a session that holds; closing before accept answers 403."""
        try:
            fine = await self._may_open(scope)
        except Exception as error:  # whatever it was, the socket stays closed
            log.error("failed", extra={"path": SOCKET, "error": type(error).__name__})
            fine = False
        if fine:
            await self._app(scope, receive, send)
            return
        await receive()
        await send({"type": "websocket.close", "code": 1008})
        log.info("socket", extra={"path": shown_path(scope["path"]), "status": 403})

    async def _may_open(self, scope: Scope) -> bool:
        headers = headers_of(scope)
        peer = peer_of(scope)
        settings = current().platform.settings
        if not scope["path"].startswith(SOCKET) or bounds.crowded(headers, peer):
            return False
        if refused_by_origin(scope, headers, host_of(headers, peer, settings), settings):
            return False
        try:
            caller = await self._caller(scope, headers)
        except UnknownTenant:
            return False
        if caller is None:
            return False
        known = await anyio.to_thread.run_sync(current().actor, caller, limiter=THREADS)
        if known is None or known[0].session_id is None:
            return False
        # A socket is linked to the tab that its address names before any event of it is looked at.
        tabs = parse_qs(scope.get("query_string", b"").decode("latin-1")).get("token", [])
        return len(tabs) <= 1 and all(self._tab_owner(tab) in {None, known[0].session_id} for tab in tabs)

    def _headers(self, request_id: str) -> Headers:
        values = {
            "content-security-policy": self._policy,
            "referrer-policy": "same-origin",
            "x-content-type-options": "nosniff",
            "x-frame-options": "DENY",
            "permissions-policy": PERMISSIONS,
            "cross-origin-opener-policy": "same-origin",
            "cross-origin-resource-policy": "same-origin",
            "x-request-id": request_id,
        }
        if current().platform.settings.production:
            values["strict-transport-security"] = "max-age=63072000; includeSubDomains"
        return [(name.encode(), value.encode()) for name, value in values.items()]


def _standing(scope: Scope) -> Headers:
    """How the caller of an operation stands with its limit, in the fields of the IETF's draft of them."""
    caller = scope["state"].get("caller")
    if caller is None or caller.told.standing is None or not scope["path"].startswith(TOKEN_PATHS):
        return []
    told = caller.told.standing
    values = {
        "ratelimit-limit": str(told.amount), "ratelimit-remaining": str(told.remaining),
        "ratelimit-reset": str(math.ceil(told.reset)), "ratelimit-policy": f"{told.amount};w={told.window}",
    }
    return [(name.encode(), value.encode()) for name, value in values.items()]


async def _page_guard(scope: Scope, caller: Caller) -> Response | None:
    """Sends whoever has no session to sign-in, before any page is shown."""
    if await anyio.to_thread.run_sync(current().actor, caller, limiter=THREADS) is not None:
        return None
    query = scope.get("query_string", b"").decode("latin-1")
    then = scope["path"] + (f"?{query}" if query else "")
    return RedirectResponse("/login" if then == "/" else f"/login?then={quote(then, safe='')}", status_code=303)


def _unknown_host(scope: Scope, request_id: str) -> Response:
    if for_programs(scope["path"]):
        return problem(404, "unknown_host", "This address belongs to no tenant.", request_id)
    said = ["No organisation is at this address. Check the address that you were given."]
    return HTMLResponse(plain.message("Nothing here", said, home=False), status_code=404)


def _platform_page(path: str) -> Response:
    """What the platform's own host shows: where to go."""
    said = ["Sign in at your organisation's own address, which an admin gave you."]
    more = '<p class="more"><a href="/signup">Sign up</a></p>' if is_open(current().platform.settings) else ""
    return HTMLResponse(plain.message("WorkReef", said, home=False, more=more), status_code=200 if path == "/" else 404)


def _kept(given: Headers, ours: Headers) -> Headers:
    """The application's headers but for those that are ours to say, and for leave to other origins: there is none."""
    said = {name for name, _ in ours}
    return [
        (name, value) for name, value in given
        if name.lower() not in said and not name.lower().startswith(b"access-control-")
    ]


def shown_path(path: str) -> str:
    """A path as it may be logged: a one-time link's token stays out."""
    return next((f"{start}…" for start in LINKS if path.startswith(start)), path[:200])
