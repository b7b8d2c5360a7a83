"""Sign-up at the platform's own host: plain forms."""

from __future__ import annotations

from functools import partial
from html import escape
from typing import Annotated, Any

import anyio
from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, Response
from pydantic import ValidationError
from starlette.exceptions import HTTPException

from workreef_app.http.context import THREADS, request_id
from workreef_app.http.plain import field, form, heading, message, page
from workreef_app.http.problems import retry_after
from workreef_app.services import signup
from workreef_app.services.browser import address_of
from workreef_app.services.operation import Refusal
from workreef_app.services.process import current

routes = APIRouter(include_in_schema=False)
Text = Annotated[str, Form()]
LABELS = {
    "organisation": "Name of your organisation", "slug": "Its address", "name": "Your name", "email": "Your email",
}


def _form(given: dict[str, str], *, error: str = "") -> str:
    host = current().platform.settings.public_host
    return page("Sign up", heading("Sign up", "An organisation of your own", error=error) + form(
        "/signup", "Sign up",
        field("organisation", LABELS["organisation"], complete="organization", value=given.get("organisation", ""),
              focus=True, more=' maxlength="80"'),
        field("slug", LABELS["slug"], value=given.get("slug", ""), more=' maxlength="40"',
              rule=f"Lower-case letters, digits and hyphens. It stands before .{host}"),
        field("name", LABELS["name"], complete="name", value=given.get("name", ""), more=' maxlength="120"'),
        field("email", LABELS["email"], kind="email", complete="email", value=given.get("email", "")),
    ))


def _here(request: Request) -> str:
    """The address of whoever asks, at the platform's own host; at a tenant's there is no such page."""
    if request.scope["state"].get("caller") is not None:
        raise HTTPException(404)
    peer = request.client.host if request.client else ""
    return address_of(dict(request.headers), peer, current().platform.settings)


def _closed() -> HTMLResponse:
    refusal = signup.SignUpClosed()
    return HTMLResponse(message("Sign-up is closed", [refusal.detail], home=False), status_code=refusal.status)


@routes.get("/signup")
def form_page(request: Request) -> HTMLResponse:
    """The form, or that there is none."""
    _here(request)
    return HTMLResponse(_form({})) if signup.is_open(current().platform.settings) else _closed()


def _wrong(error: ValidationError) -> str:
    """What is wrong with the form, in a sentence for each field."""
    found = {str(item["loc"][0]): item["msg"].removeprefix("Value error, ") for item in error.errors()}
    return " ".join(f"{LABELS.get(name, name)} {why.lower()}." for name, why in found.items())


async def _in_thread(function: Any, *arguments: Any) -> Any:
    return await anyio.to_thread.run_sync(partial(function, *arguments), limiter=THREADS)


@routes.post("/signup")
async def ask(
    request: Request, organisation: Text = "", slug: Text = "", name: Text = "", email: Text = "",
) -> Response:
    """Takes a sign-up: mails its link, or shows it where no mail is set up."""
    address = _here(request)
    given = {"organisation": organisation.strip(), "slug": slug.strip().lower(), "name": name, "email": email}
    try:
        asked = await _in_thread(signup.ask, current(), signup.SignUp.model_validate(given), address)
    except ValidationError as error:
        return HTMLResponse(_form(given, error=_wrong(error)), status_code=422)
    except signup.SignUpClosed:
        return _closed()
    except Refusal as refusal:
        return HTMLResponse(
            _form(given, error=refusal.detail), status_code=refusal.status, headers=retry_after(refusal)
        )
    if asked.link is None:
        return HTMLResponse(message("Look at your mail", [
            "A link is on its way to you. Open it within 24 hours to make your organisation.",
        ], home=False))
    return HTMLResponse(page("Confirm", heading("Confirm your sign-up", "WorkReef sends no mail here.")
                             + "<p>In its place, this is your link. It works once.</p>"
                             + f'<p class="more"><a href="{escape(asked.link)}">Go on with your sign-up</a></p>'))


@routes.get("/signup/{token}")
def confirm_page(request: Request, token: str) -> HTMLResponse:
    """Asks for the last word: a link that is only looked at makes nothing."""
    _here(request)
    if not signup.is_open(current().platform.settings):
        return _closed()
    return HTMLResponse(page("Confirm", heading("Make your organisation", "One click, and it is there.")
                             + form(f"/signup/{token}", "Make it")))


@routes.post("/signup/{token}")
async def confirm(request: Request, token: str) -> Response:
    """Makes the organisation, and leads its first admin to a password."""
    address = _here(request)
    try:
        link = await _in_thread(signup.confirm, current(), token, address, request_id(request))
    except signup.SignUpClosed:
        return _closed()
    except Refusal as refusal:
        return HTMLResponse(message("Not done", [refusal.detail], home=False), status_code=refusal.status,
                            headers=retry_after(refusal))
    return HTMLResponse(page("Ready", heading("Your organisation is ready", "One thing is left.")
                             + f'<p class="more"><a href="{escape(link)}">Set your password</a></p>'),
                        headers={"Cache-Control": "no-store"})
