"""`POST /api/v1/<operation>`: one route for each registered operation, JSON or form in, JSON out."""

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import APIRouter, Request
from fastapi.encoders import jsonable_encoder
from fastapi.responses import FileResponse, JSONResponse, Response
from pydantic import BaseModel
from starlette.background import BackgroundTask
from starlette.types import Receive, Scope, Send

from workreef_app.http.context import drop_cookie, grant_cookie, perform
from workreef_app.http.csrf import FORMS
from workreef_app.http.form_tokens import FIELD
from workreef_app.services.access.operations import SessionGranted
from workreef_app.services.access.tokens import grantable
from workreef_app.services.operation import REGISTRY, FileResult, Invalid, Operation

JSON_DEPTH = 32


class Problem(BaseModel):
    """How every refusal is answered."""

    status: int
    code: str
    detail: str
    request_id: str
    fields: dict[str, str]


#: What an operation may answer instead of its result.
STATUSES = (401, 402, 403, 404, 409, 413, 422, 423, 429, 500, 503, 507)
PROBLEM = {
    "description": "It was not done.",
    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
}
#: How the caller stands with its limit after the call, and with a refusal for it when to try again.
HEADERS: dict[str, dict[str, Any]] = {
    "RateLimit-Limit": {"description": "Calls in the window.", "schema": {"type": "integer"}},
    "RateLimit-Remaining": {"description": "Calls that are left in it.", "schema": {"type": "integer"}},
    "RateLimit-Reset": {"description": "Seconds until it is over, or there is room.", "schema": {"type": "integer"}},
    "RateLimit-Policy": {"description": "Calls and window, as `60;w=60`.", "schema": {"type": "string"}},
    "Retry-After": {"description": "Seconds to wait before another try.", "schema": {"type": "integer"}},
}


class ZipResponse(Response):
    """How a file is described in the OpenAPI document."""

    media_type = "application/zip"


def _sound(value: Any, room: int = JSON_DEPTH) -> bool:
    """Whether a value is not nested too deep, and every text in it can be written as UTF-8."""
    if isinstance(value, str):
        return not any("\ud800" <= character <= "\udfff" for character in value)
    if isinstance(value, dict):
        return room > 0 and all(_sound(key) and _sound(item, room - 1) for key, item in value.items())
    if isinstance(value, list):
        return room > 0 and all(_sound(item, room - 1) for item in value)
    return True


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object; a name given twice is ambiguous, and refused."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name is given twice")
    return found


async def body_of(request: Request, spec: Operation) -> dict[str, Any]:
    """The fields of a JSON or form body; an empty body is no fields. Raises Invalid."""
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if kind in FORMS:
        return await _form(request, spec)
    raw = await request.body()
    if not raw:
        return {}
    try:
        value = json.loads(raw, object_pairs_hook=_once)
    except (ValueError, RecursionError):
        raise Invalid("The body is not JSON, or names a field twice.") from None
    if not isinstance(value, dict) or not _sound(value):
        raise Invalid(f"The body must be a JSON object of valid text, nested at most {JSON_DEPTH} deep.")
    return value


async def _form(request: Request, spec: Operation) -> dict[str, Any]:
    """The fields of a form: a list by repeating its name, anything else once. Raises Invalid."""
    shapes = form_shapes(spec)
    if shapes is None:
        raise Invalid("This operation takes a JSON body only.")
    fields: dict[str, Any] = {}
    form = await request.form()
    for name in form.keys() - {FIELD}:
        values = form.getlist(name)
        if any(not isinstance(value, str) for value in values):
            raise Invalid("Files are not accepted here.", fields={name: "is a file"})
        if shapes.get(name) == "array":
            fields[name] = values
        elif len(values) > 1:
            raise Invalid("A field is given twice.", fields={name: "is given more than once"})
        else:
            fields[name] = values[0]
    return fields


def form_shapes(spec: Operation) -> dict[str, str] | None:
    """The JSON type of each field, where a form can carry them all; None where one holds objects."""
    schema = spec.command.model_json_schema()
    shapes = {name: _shape(field, schema.get("$defs", {})) for name, field in schema.get("properties", {}).items()}
    return None if "object" in shapes.values() else shapes


def _shape(field: dict[str, Any], definitions: dict[str, Any]) -> str:
    if "$ref" in field:
        field = definitions[field["$ref"].rsplit("/", 1)[-1]]
    given = [kind for kind in field.get("anyOf", []) if kind.get("type") != "null"]
    if len(given) == 1:
        return _shape(given[0], definitions)  # may be left out, and is of one type otherwise
    if field.get("type") == "array":
        return "object" if _shape(field["items"], definitions) in {"object", "array"} else "array"
    return str(field.get("type", "any"))


class OneTimeFile(FileResponse):
    """A file that is removed once it is sent: its bytes go by way of this process.

    With the server's `http.response.pathsend` only its path would, and the server opens that after the file is gone.
    """

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        extensions = {
            name: value for name, value in scope.get("extensions", {}).items() if name != "http.response.pathsend"
        }
        await super().__call__({**scope, "extensions": extensions}, receive, send)


def file_response(result: FileResult) -> OneTimeFile:
    """The file, removed once it is sent."""
    return OneTimeFile(
        result.path, media_type=result.media_type, filename=result.name,
        background=BackgroundTask(result.path.unlink, missing_ok=True), headers={"Cache-Control": "no-store"},
    )


def answer(request: Request, spec: Operation, result: Any) -> Response:
    """An operation's result over HTTP."""
    if isinstance(result, FileResult):
        return file_response(result)
    response = JSONResponse(jsonable_encoder(result, by_alias=True), headers={"Cache-Control": "no-store"})
    if isinstance(result, SessionGranted):
        grant_cookie(response, request, result.token)
    elif spec.name == "sessions.end":
        drop_cookie(response)
    return response


def _endpoint(spec: Operation) -> Callable[[Request], Coroutine[Any, Any, Response]]:
    async def endpoint(request: Request) -> Response:
        return answer(request, spec, await perform(request, spec.name, await body_of(request, spec)))

    return endpoint


#: How a caller shows who it is.
SCHEMES = {
    "session": {
        "type": "apiKey", "in": "cookie", "name": "workreef_session",
        "description": "A signed-in browser; the cookie is `__Host-workreef` in production.",
    },
    "page": {
        "type": "apiKey", "in": "header", "name": "X-CSRF-Token",
        "description": "With the cookie: the session's token, as `GET /auth/csrf` gives it. A form may send it as the"
                       " field `csrf_token` instead.",
    },
    "token": {"type": "http", "scheme": "bearer", "description": "An API token that lists the operation."},
}


def security_of(spec: Operation) -> list[dict[str, list[str]]]:
    """The ways by which an operation may be called: any one of them; none is needed where it is public."""
    if spec.public:
        return [{}]
    ways: list[dict[str, list[str]]] = [{"session": [], "page": []}]
    return [*ways, {"token": []}] if grantable(spec) else ways


def _schema(spec: Operation) -> dict[str, Any]:
    reference = {"$ref": f"#/components/schemas/{spec.command.__name__}"}
    kinds = ["application/json", *(sorted(FORMS) if form_shapes(spec) is not None else [])]
    needed = any(field.is_required() for field in spec.command.model_fields.values())
    content = {kind: {"schema": reference} for kind in kinds}
    return {"requestBody": {"required": needed, "content": content}, "security": security_of(spec)}


def router() -> APIRouter:
    """The routes of all registered operations."""
    routes = APIRouter(prefix="/api/v1")
    problems: dict[int | str, dict[str, Any]] = dict.fromkeys(STATUSES, PROBLEM)
    headers = {name: {"$ref": f"#/components/headers/{name}"} for name in HEADERS}
    problems[429] = {**PROBLEM, "headers": headers}
    problems[200] = {"headers": {name: at for name, at in headers.items() if name != "Retry-After"}}
    for spec in REGISTRY.values():
        is_file = spec.result is FileResult
        routes.add_api_route(
            f"/{spec.name}", _endpoint(spec), methods=["POST"], name=spec.name, operation_id=spec.name,
            summary=spec.summary, tags=[spec.name.partition(".")[0]], openapi_extra=_schema(spec),
            response_model=None if is_file else spec.result,
            responses=problems, response_class=ZipResponse if is_file else JSONResponse,
        )
    return routes


def command_schemas() -> dict[str, Any]:
    """The schemas of all commands, for the OpenAPI document."""
    schemas: dict[str, Any] = {"Problem": Problem.model_json_schema()}
    for spec in REGISTRY.values():
        schema = spec.command.model_json_schema(ref_template="#/components/schemas/{model}")
        schemas.update(schema.pop("$defs", {}))
        schemas[spec.command.__name__] = schema
    return schemas
