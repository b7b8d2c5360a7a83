"""Sign-in, sign-out, invitations and forgotten passwords: plain forms and full page loads."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Annotated, Any

import anyio
from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from workreef_app.http import joining, plain
from workreef_app.http.context import (
    THREADS,
    caller,
    drop_cookie,
    drop_ticket,
    grant_cookie,
    grant_ticket,
    perform,
    request_id,
    ticket,
)
from workreef_app.http.problems import retry_after
from workreef_app.services.access.passwords import MAXIMUM, MINIMUM
from workreef_app.services.callers import Caller
from workreef_app.services.operation import CodeNeeded, Locked, NoSession, Persona, Refusal
from workreef_app.services.process import current
from workreef_app.services.sso.steps import SIGN_ON

routes = APIRouter(include_in_schema=False)
START = "/start"
Text = Annotated[str, Form()]


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


def tenant_name(request: Request) -> str:
    """The name of the tenant at whose host the request is."""
    return caller(request).tenant.info.name


def said(refusal: Refusal) -> str:
    """What a form says of a refusal: of a password, why it was not accepted, whoever looked at it first."""
    if "password" in refusal.fields and refusal.detail.startswith("Not accepted"):
        return f"Use {MINIMUM} to {MAXIMUM} characters."
    return refusal.detail


def again(request: Request, refusal: Refusal, form: Callable[..., str], *given: str, **more: Any) -> HTMLResponse:
    """The form once more, with what was wrong; while the tenant is locked, that it is."""
    html = plain.locked(tenant_name(request)) if isinstance(refusal, Locked) else form(*given, **more)
    return HTMLResponse(html, status_code=refusal.status, headers=retry_after(refusal))


def shown(request: Request, form: Callable[..., str], *given: str, **more: Any) -> HTMLResponse:
    """A form, unless the tenant is locked."""
    tenant = caller(request).tenant
    if current().platform.locked(tenant):
        return HTMLResponse(plain.locked(tenant.info.name), status_code=Locked.status)
    return HTMLResponse(form(*given, **more))


def offered(request: Request) -> plain.Ways:
    """By what people may sign in here. To ask costs nobody their limit."""
    step = Caller(caller(request).tenant, request_id(request), system=SIGN_ON)
    found = current().perform(step, "sso.offer", {})
    if not found.enabled:
        return "password"
    return "single" if found.passwords_for_admins_only else "both"


@routes.get("/login")
def login_page(request: Request, then: str = START, ended: str = "", reset: str = "") -> HTMLResponse:
    """The sign-in form."""
    note = "You have signed out." if ended else "Your password is set. Sign in with it." if reset else ""
    if current().platform.locked(caller(request).tenant):
        return HTMLResponse(plain.locked(tenant_name(request)), status_code=Locked.status)
    return HTMLResponse(plain.sign_in(
        tenant_name(request), then=local_path(then), note=note, ways=offered(request)
    ))


@routes.post("/auth/login")
async def login(request: Request, email: Text = "", password: Text = "", then: Text = START) -> Response:
    """Signs in and goes on, by way of the second factor where there is one; or the form again, with what was wrong."""
    name = tenant_name(request)
    try:
        granted = await perform(request, "sessions.start", {"email": email, "password": password})
    except CodeNeeded as needed:
        response: Response = HTMLResponse(joining.second_factor(name, then=local_path(then)))
        grant_ticket(response, needed.ticket)
        return response
    except Refusal as refusal:
        locked = isinstance(refusal, Locked)
        return again(
            request, refusal, plain.sign_in, name, error=refusal.detail, email=email, then=local_path(then),
            ways="password" if locked else await anyio.to_thread.run_sync(offered, request, limiter=THREADS),
        )
    response = RedirectResponse(local_path(then), status_code=303)
    grant_cookie(response, request, granted.token)
    return response


@routes.post("/auth/code")
async def code(request: Request, code: Text = "", then: Text = START) -> Response:
    """The second step of signing in: takes the code; shows the form again when it is wrong."""
    name = tenant_name(request)
    try:
        granted = await perform(request, "sessions.prove", {"ticket": ticket(request), "code": code})
    except NoSession as refusal:
        response: Response = again(
            request, refusal, plain.sign_in, name, error=refusal.detail, then=local_path(then)
        )
        drop_ticket(response)
        return response
    except Refusal as refusal:
        return again(request, refusal, joining.second_factor, name, then=local_path(then), error=refusal.detail)
    response = RedirectResponse(local_path(then), status_code=303)
    grant_cookie(response, request, granted.token)
    drop_ticket(response)
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
    me = await perform(request, "me.read", {})
    return JSONResponse({"csrf_token": me.csrf_token}, headers={"Cache-Control": "no-store"})


@routes.get("/start")
async def start(request: Request) -> Response:
    """Leads to the page that the person's personas begin on; first to the second factor, where one must be set up."""
    me = await perform(request, "me.read", {})
    return RedirectResponse("/auth/factor" if me.must_enrol else landing(frozenset(me.personas)), status_code=303)


@routes.get("/invite/{token}")
def invitation_page(request: Request, token: str) -> HTMLResponse:
    """The form by which an invited person sets a password."""
    return shown(request, joining.invitation, tenant_name(request), token)


@routes.post("/invite/{token}")
async def accept(request: Request, token: str, password: Text = "") -> Response:
    """Sets the password and signs in; shows the form again with what was wrong."""
    try:
        granted = await perform(request, "invitations.accept", {"token": token, "password": password})
    except Refusal as refusal:
        return again(request, refusal, joining.invitation, tenant_name(request), token, error=said(refusal))
    response = RedirectResponse(START, status_code=303)
    grant_cookie(response, request, granted.token)
    return response


@routes.get("/forgot")
def forgot_page(request: Request) -> HTMLResponse:
    """The form that asks for a link by mail."""
    return shown(request, joining.forgot, tenant_name(request))


@routes.post("/forgot")
async def forgot(request: Request, email: Text = "") -> Response:
    """Asks for a link; says the same whoever it is."""
    name = tenant_name(request)
    try:
        found = await perform(request, "passwords.ask_reset", {"email": email})
    except Refusal as refusal:
        return again(request, refusal, joining.forgot, name, error=refusal.detail)
    return HTMLResponse(joining.asked(name, mail=found.mail))


@routes.get("/reset/{token}")
def reset_page(request: Request, token: str) -> HTMLResponse:
    """The form by which somebody sets a new password."""
    return shown(request, joining.reset, tenant_name(request), token)


@routes.post("/reset/{token}")
async def reset(request: Request, token: str, password: Text = "") -> Response:
    """Sets the new password and leads to sign-in; shows the form again with what was wrong."""
    try:
        await perform(request, "passwords.reset", {"token": token, "password": password})
    except Refusal as refusal:
        return again(request, refusal, joining.reset, tenant_name(request), token, error=said(refusal))
    response = RedirectResponse("/login?reset=1", status_code=303)
    drop_cookie(response)
    return response
