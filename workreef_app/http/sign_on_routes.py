"""Single sign-on over HTTP: to the provider, and back. Both are plain links; the flow's own state protects them.

Nothing of a query is ever shown again: what is said of a failure are sentences of ours.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any
from uuid import UUID

import anyio
from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from workreef_app.http import plain
from workreef_app.http.context import caller, grant_cookie, keep_cookie, perform, request_id
from workreef_app.http.problems import retry_after
from workreef_app.http.session_routes import START, local_path
from workreef_app.services.callers import Caller
from workreef_app.services.operation import Conflict, Limited, Locked, NoSession, Refusal, Unavailable
from workreef_app.services.process import current
from workreef_app.services.sso import signing_on
from workreef_app.services.sso.flow import LIFETIME, Place
from workreef_app.services.sso.reasons import SignOnRefused
from workreef_app.services.sso.steps import SIGN_ON
from workreef_app.settings import Settings

routes = APIRouter(include_in_schema=False)

#: Threads that wait for providers: apart from all others, so that a slow provider holds up nothing but sign-ins by one.
WAITING = anyio.CapacityLimiter(32)
#: Of these a tenant has at most so many, so that its provider holds up nobody else's.
MOST_AT_ONCE = 8
_under_way: Counter[UUID] = Counter()


def flow_cookie(settings: Settings) -> str:
    """The name of the cookie that a sign-in on its way is kept in."""
    return "__Host-workreef-sign-on" if settings.production else "workreef_sign_on"


def _place(request: Request) -> Place:
    here = caller(request)
    return Place(here.tenant.info.id, here.host, current().platform.settings.secret_key.get_secret_value())


async def _run(request: Request, function: Callable[..., Any], *arguments: Any) -> Any:
    """Runs a part of the sign-in in a thread, as the part of the system that signs people on, for this browser."""
    here, door = caller(request), current()
    step = Caller(
        here.tenant, request_id(request), host=here.host, address=here.address, agent=here.agent, system=SIGN_ON
    )
    work = partial(
        function, partial(door.perform, step), _place(request), *arguments, door.clock(),
        production=door.platform.settings.production,
    )
    tenant_id = here.tenant.info.id
    if _under_way[tenant_id] >= MOST_AT_ONCE:
        raise Unavailable("Many people are waiting for the provider at this moment. Try again in a few seconds.")
    _under_way[tenant_id] += 1
    try:
        return await anyio.to_thread.run_sync(work, limiter=WAITING)
    finally:
        _under_way[tenant_id] -= 1
        if not _under_way[tenant_id]:
            del _under_way[tenant_id]


def _keep(response: Response, value: str) -> None:
    """Sets the flow's cookie: HttpOnly, this host only, sent along when the provider leads back. Empty removes it."""
    seconds = int(LIFETIME.total_seconds()) if value else 0
    keep_cookie(response, flow_cookie(current().platform.settings), value, seconds)


def _refused(request: Request, refusal: Refusal) -> Response:
    name = caller(request).tenant.info.name
    html = plain.locked(name) if isinstance(refusal, Locked) else plain.message(
        "Not signed in", [refusal.detail], request_id=request_id(request)
    )
    return HTMLResponse(html, status_code=refusal.status, headers=retry_after(refusal))


@routes.get("/auth/oidc/start")
async def start(request: Request, then: str = START) -> Response:
    """Sends the browser to the provider."""
    try:
        begun = await _run(request, signing_on.begin, local_path(then))
    except (SignOnRefused, Locked, Limited) as refusal:
        return _refused(request, refusal)
    response = RedirectResponse(begun.location, status_code=303)
    _keep(response, begun.cookie)
    return response


@routes.get("/auth/oidc/callback")
async def callback(request: Request) -> Response:
    """Takes the provider's answer, and signs in whoever it vouches for. The flow is over, however it ends."""
    cookie = request.cookies.get(flow_cookie(current().platform.settings), "")
    answer = request.query_params.multi_items()
    try:
        ended = await _run(request, signing_on.finish, cookie, answer)
    except (SignOnRefused, Locked, Limited, Conflict) as refusal:
        response = _refused(request, refusal)
    else:
        with suppress(NoSession):  # the one that this browser had, whosever it was
            await perform(request, "sessions.end", {})
        response = RedirectResponse(local_path(ended.then), status_code=303)
        grant_cookie(response, request, ended.granted.token)
    _keep(response, "")
    return response
