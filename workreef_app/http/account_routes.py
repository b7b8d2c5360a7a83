"""What somebody who is signed in does about how they sign in: plain forms, since each may set a new session cookie."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from workreef_app.http import joining
from workreef_app.http.context import grant_cookie, perform
from workreef_app.http.qr import picture
from workreef_app.http.session_routes import START, Text, again, local_path, said, tenant_name
from workreef_app.services.operation import Refusal, SignInAgain

routes = APIRouter(include_in_schema=False)
FACTOR = "/auth/factor"
ACCOUNT = "/account"


async def _proof(request: Request, then: str, *, error: str = "") -> str:
    """The form that asks for a fresh proof, and leads back."""
    factor = (await perform(request, "factors.read", {})).enrolled
    return joining.prove(tenant_name(request), then=then, factor=factor, error=error)


async def _prove_first(request: Request, then: str, status: int) -> HTMLResponse:
    return HTMLResponse(await _proof(request, then), status_code=status)


@routes.get("/auth/prove")
async def prove_page(request: Request, then: str = START) -> HTMLResponse:
    """The form by which somebody proves anew who they are."""
    return await _prove_first(request, local_path(then), 200)


@routes.post("/auth/prove")
async def prove(request: Request, password: Text = "", code: Text = "", then: Text = START) -> Response:
    """Takes the proof and goes on; shows the form again with what was wrong."""
    try:
        await perform(request, "sessions.refresh", {"password": password, "code": code})
    except Refusal as refusal:
        html = await _proof(request, local_path(then), error=refusal.detail)
        return again(request, refusal, lambda: html)
    return RedirectResponse(local_path(then), status_code=303)


@routes.get("/auth/password")
async def password_page(request: Request) -> HTMLResponse:
    """The form by which somebody changes their password."""
    return HTMLResponse(joining.password(tenant_name(request)))


@routes.post("/auth/password")
async def password(request: Request, current: Text = "", password: Text = "") -> Response:
    """Changes the password and goes on with a new session; shows the form again with what was wrong."""
    try:
        granted = await perform(request, "passwords.change", {"current": current, "password": password})
    except Refusal as refusal:
        return again(request, refusal, joining.password, tenant_name(request), error=said(refusal))
    response = RedirectResponse(ACCOUNT, status_code=303)
    grant_cookie(response, request, granted.token)
    return response


async def _factor(request: Request, *, error: str = "") -> str:
    """The second factor as it stands: what can be done about it, or its set-up. Raises SignInAgain."""
    name, standing = tenant_name(request), await perform(request, "factors.read", {})
    if standing.enrolled:
        left = "1 recovery code is" if standing.codes_left == 1 else f"{standing.codes_left} recovery codes are"
        return joining.enrolled(name, f"It is on. {left} left.", error=error, required=standing.required)
    begun = await perform(request, "factors.begin", {})
    return joining.enrol(name, begun.secret, picture(begun.uri), error=error)


@routes.get(FACTOR)
async def factor_page(request: Request) -> HTMLResponse:
    """The second factor as it stands."""
    try:
        return HTMLResponse(await _factor(request), headers={"Cache-Control": "no-store"})
    except SignInAgain as refusal:
        return await _prove_first(request, FACTOR, refusal.status)


async def _codes(request: Request, operation: str, payload: dict[str, str]) -> Response:
    """Does something that gives recovery codes, and shows them; else the page as it stands, with what was wrong."""
    try:
        done = await perform(request, operation, payload)
    except SignInAgain as refusal:
        return await _prove_first(request, FACTOR, refusal.status)
    except Refusal as refusal:
        html = await _factor(request, error=refusal.detail)
        return again(request, refusal, lambda: html)
    response = HTMLResponse(
        joining.recovery_codes(tenant_name(request), done.recovery_codes), headers={"Cache-Control": "no-store"}
    )
    if operation == "factors.confirm":
        grant_cookie(response, request, done.token)
    return response


@routes.post(FACTOR)
async def confirm_factor(request: Request, code: Text = "") -> Response:
    """Switches the second factor on by its first code, and shows the recovery codes."""
    return await _codes(request, "factors.confirm", {"code": code})


@routes.post(FACTOR + "/codes")
async def renew_codes(request: Request) -> Response:
    """Makes new recovery codes, and shows them."""
    return await _codes(request, "factors.renew_codes", {})


@routes.post(FACTOR + "/remove")
async def remove_factor(request: Request, code: Text = "") -> Response:
    """Takes the second factor away."""
    try:
        granted = await perform(request, "factors.remove", {"code": code})
    except SignInAgain as refusal:
        return await _prove_first(request, FACTOR, refusal.status)
    except Refusal as refusal:
        html = await _factor(request, error=refusal.detail)
        return again(request, refusal, lambda: html)
    response = RedirectResponse(ACCOUNT, status_code=303)
    grant_cookie(response, request, granted.token)
    return response
