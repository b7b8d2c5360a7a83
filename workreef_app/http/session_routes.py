"""Sign-in, sign-out and invitations: plain forms and full page loads."""

from __future__ import annotations

from contextlib import suppress
from typing import Annotated

import anyio
from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from workreef_app.http import plain
from workreef_app.http.context import THREADS, caller, drop_cookie, grant_cookie, perform, request_id
from workreef_app.http.problems import retry_after
from workreef_app.services.access.passwords import MINIMUM
from workreef_app.services.callers import Caller
from workreef_app.services.operation import Locked, NoSession, Persona, Refusal
from workreef_app.services.process import current
from workreef_app.services.sso.steps import SIGN_ON

routes = APIRouter(include_in_schema=False)
START = "/start"


def local_path(then: str) -> str:
    """A path of this host to go to; the start page for anything else, so that sign-in redirects nowhere foreign."""
    local = then.startswith("/") and not then.startswith("//") and "\\" not in then and then.isprintable()
    return then if local else START


def landing(personas: frozenset[Persona]) -> str:
    """Where people with these personas begin."""
    if personas & {Persona.OPERATOR, Persona.DEPT_LEAD, Persona.CHANGE_LEADER}:
        return "/"
    if Persona.ADMIN in personas:
        return "/admin/status"
    return "/audit" if Persona.SECURITY_REVIEWER in personas else "/me"


def offered(request: Request) -> plain.Ways:
    """By what people may sign in here. To ask costs nobody their limit."""
    step = Caller(caller(request).tenant, request_id(request), system=SIGN_ON)
    found = current().perform(step, "sso.offer", {})
    if not found.enabled:
        return "password"
    return "single" if found.passwords_for_admins_only else "both"


@routes.get("/login")
def login_page(request: Request, then: str = START, ended: str = "") -> HTMLResponse:
    """The sign-in form."""
    tenant = caller(request).tenant
    if current().platform.locked(tenant):
        return HTMLResponse(plain.locked(tenant.info.name), status_code=Locked.status)
    note = "You have signed out." if ended else ""
    return HTMLResponse(plain.sign_in(tenant.info.name, then=local_path(then), note=note, ways=offered(request)))


@routes.post("/auth/login")
async def login(
    request: Request, email: Annotated[str, Form()] = "", password: Annotated[str, Form()] = "",
    then: Annotated[str, Form()] = START,
) -> Response:
    """Signs in and goes on; shows the form again with what was wrong."""
    try:
        granted = await perform(request, "sessions.start", {"email": email, "password": password})
    except Refusal as refusal:
        name = caller(request).tenant.info.name
        html = plain.locked(name) if isinstance(refusal, Locked) else plain.sign_in(
            name, error=refusal.detail, email=email, then=local_path(then),
            ways=await anyio.to_thread.run_sync(offered, request, limiter=THREADS),
        )
        return HTMLResponse(html, status_code=refusal.status, headers=retry_after(refusal))
    response = RedirectResponse(local_path(then), status_code=303)
    grant_cookie(response, request, granted.token)
    return response


@routes.post("/auth/logout")
async def logout(request: Request) -> Response:
    """Ends the session; a session that has ended already is no error."""
    response = RedirectResponse("/login?ended=1", status_code=303)
    with suppress(NoSession):
        await perform(request, "sessions.end", {})
    drop_cookie(response)
    return response


@routes.get("/start")
async def start(request: Request) -> Response:
    """Leads to the page that the person's personas begin on."""
    me = await perform(request, "me.read", {})
    return RedirectResponse(landing(frozenset(me.personas)), status_code=303)


@routes.get("/invite/{token}")
def invitation_page(request: Request, token: str) -> HTMLResponse:
    """The form by which an invited person sets a password."""
    tenant = caller(request).tenant
    if current().platform.locked(tenant):
        return HTMLResponse(plain.locked(tenant.info.name), status_code=Locked.status)
    return HTMLResponse(plain.invitation(tenant.info.name, token, MINIMUM))


@routes.post("/invite/{token}")
async def accept(request: Request, token: str, password: Annotated[str, Form()] = "") -> Response:
    """Sets the password and signs in; shows the form again with what was wrong."""
    try:
        granted = await perform(request, "invitations.accept", {"token": token, "password": password})
    except Refusal as refusal:
        said = refusal.detail if "password" not in refusal.fields else f"Use at least {MINIMUM} characters."
        name = caller(request).tenant.info.name
        html = plain.locked(name) if isinstance(refusal, Locked) else plain.invitation(
            name, token, MINIMUM, error=said
        )
        return HTMLResponse(html, status_code=refusal.status, headers=retry_after(refusal))
    response = RedirectResponse(START, status_code=303)
    grant_cookie(response, request, granted.token)
    return response
