"""Sign-in, sign-out and invitations: plain forms and full page loads."""

from __future__ import annotations

from contextlib import suppress
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from workreef_app.http import csrf, plain
from workreef_app.http.context import caller, drop_cookie, grant_cookie, perform
from workreef_app.http.problems import retry_after
from workreef_app.services.access.passwords import MINIMUM
from workreef_app.services.operation import Locked, NoSession, Persona, Refusal
from workreef_app.services.process import current

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


@routes.get("/login")
def login_page(request: Request, then: str = START, ended: str = "") -> HTMLResponse:
    """The sign-in form."""
    tenant = caller(request).tenant
    if current().platform.locked(tenant):
        return HTMLResponse(plain.locked(tenant.info.name), status_code=Locked.status)
    note = "You have signed out." if ended else ""
    token = csrf.form_token(request, caller(request))
    response = HTMLResponse(plain.sign_in(tenant.info.name, token, then=local_path(then), note=note))
    csrf.keep(response, token)
    return response


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
            name, csrf.form_token(request, caller(request)), error=refusal.detail, email=email, then=local_path(then)
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


@routes.get("/auth/csrf")
async def csrf_token(request: Request) -> JSONResponse:
    """The token that writes with this session's cookie send along."""
    await perform(request, "me.read", {})
    return JSONResponse({"csrf_token": csrf.token_of(caller(request))}, headers={"Cache-Control": "no-store"})


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
    form_token = csrf.form_token(request, caller(request))
    response = HTMLResponse(plain.invitation(tenant.info.name, token, MINIMUM, form_token))
    csrf.keep(response, form_token)
    return response


@routes.post("/invite/{token}")
async def accept(request: Request, token: str, password: Annotated[str, Form()] = "") -> Response:
    """Sets the password and signs in; shows the form again with what was wrong."""
    try:
        granted = await perform(request, "invitations.accept", {"token": token, "password": password})
    except Refusal as refusal:
        said = refusal.detail if "password" not in refusal.fields else f"Use at least {MINIMUM} characters."
        name = caller(request).tenant.info.name
        html = plain.locked(name) if isinstance(refusal, Locked) else plain.invitation(
            name, token, MINIMUM, csrf.form_token(request, caller(request)), error=said
        )
        return HTMLResponse(html, status_code=refusal.status, headers=retry_after(refusal))
    response = RedirectResponse(START, status_code=303)
    grant_cookie(response, request, granted.token)
    return response
