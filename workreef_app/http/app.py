"""The HTTP application beside the pages: sessions, operations, downloads, health."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import anyio
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.utils import get_openapi
from fastapi.responses import (
    HTMLResponse,
    JSONResponse,
    PlainTextResponse,
    Response,
)
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException

from workreef_app.http import (
    account_routes,
    audit_routes,
    csv_routes,
    plain,
    session_routes,
    sign_on_routes,
    signup_routes,
    upload_routes,
    version,
)
from workreef_app.http.context import THREADS, grant_ticket, request_id
from workreef_app.http.failures import failure, http_error, refused
from workreef_app.http.operations import HEADERS, SCHEMES, command_schemas, router
from workreef_app.http.problems import for_programs, of_refusal, problem
from workreef_app.services.door import utc_now
from workreef_app.services.operation import CodeNeeded, DiskFull, Refusal, Unavailable
from workreef_app.services.process import current, trouble

#: For how long what security.txt says holds from when it is read.
SECURITY_TXT = timedelta(days=90)


async def _refused(request: Request, error: Exception) -> Response:
    if not isinstance(error, Refusal):
        raise error
    if for_programs(request.url.path):
        answer = of_refusal(error, request_id(request))
        if isinstance(error, CodeNeeded):
            grant_ticket(answer, error.ticket)
        return answer
    if isinstance(error, Unavailable | DiskFull):
        return refused(error, request.url.path, request_id(request))
    html = plain.message("Not done", [error.detail], request_id=request_id(request))
    return HTMLResponse(html, status_code=error.status)


async def _invalid(request: Request, error: Exception) -> Response:
    return problem(422, "invalid", "The request is not in the form that is expected here.", request_id(request))


async def _failed(request: Request, error: Exception) -> Response:
    return failure(error, request.url.path, request_id(request))


async def _http_error(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    return http_error(error.status_code, request.url.path, request_id(request))


def _readiness() -> dict[str, Any]:
    """Whether the database answers; if not, since when, and how often it was started again in vain."""
    try:
        door = current()
        with door.platform.control.connect() as connection:
            connection.execute(text("SELECT 1"))
    except IndexError:
        return {"ready": False, "database": "does not answer"}
    except SQLAlchemyError:
        since, down = door.outage.seen(utc_now()), trouble()
        body: dict[str, Any] = {"ready": False, "database": "does not answer"}
        body["since"] = (min(since, down.since) if down else since).isoformat(timespec="seconds")
        return body | ({"restarts_failed": down.attempts} if down else {})
    door.outage.over(utc_now())
    return {"ready": True, "database": "answers"}


async def healthz() -> PlainTextResponse:
    """The process runs."""
    return PlainTextResponse("ok\n")


async def readyz() -> Response:
    """The process can serve: its database answers."""
    body = await anyio.to_thread.run_sync(_readiness, limiter=THREADS)
    return JSONResponse(body, status_code=200 if body["ready"] else 503)


async def security_txt() -> Response:
    """Where weaknesses are reported (RFC 9116); there is none unless a contact is set."""
    contact = current().platform.settings.security_contact
    if not contact:
        raise HTTPException(404)
    expires = (utc_now() + SECURITY_TXT).replace(microsecond=0, tzinfo=None).isoformat()
    return PlainTextResponse(f"Contact: {contact}\nExpires: {expires}Z\nPreferred-Languages: en\n")


async def _no_such_api(request: Request) -> Response:
    return problem(404, "not_found", "There is no such operation.", request_id(request))


def _openapi(app: FastAPI) -> dict[str, Any]:
    if app.openapi_schema is None:
        schema = get_openapi(title="WorkReef", version="1", routes=app.routes)
        components = schema.setdefault("components", {})
        components.setdefault("schemas", {}).update(command_schemas())
        components["securitySchemes"], components["headers"] = SCHEMES, HEADERS
        app.openapi_schema = schema
    return app.openapi_schema


def create() -> FastAPI:
    """The HTTP application. Its lifespan is the server's, not its own."""
    app = FastAPI(title="WorkReef", docs_url=None, redoc_url=None, openapi_url="/api/v1/openapi.json")
    app.add_exception_handler(Refusal, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(Exception, _failed)
    app.include_router(router())
    app.include_router(session_routes.routes)
    app.include_router(account_routes.routes)
    app.include_router(signup_routes.routes)
    app.include_router(sign_on_routes.routes)
    app.include_router(csv_routes.routes)
    app.include_router(audit_routes.routes)
    app.include_router(upload_routes.routes)
    for path, endpoint in (
        ("/healthz", healthz), ("/readyz", readyz), ("/version.json", version.version_json),
        ("/.well-known/security.txt", security_txt),
    ):
        app.add_api_route(path, endpoint, methods=["GET"], include_in_schema=False, response_model=None)
    app.add_api_route("/api/{rest:path}", _no_such_api, include_in_schema=False, response_model=None,
                      methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
    app.openapi = lambda: _openapi(app)  # type: ignore[method-assign]
    return app


