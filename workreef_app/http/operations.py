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

from workreef_app.http.context import drop_cookie, grant_cookie, perform
from workreef_app.services.access.operations import SessionGranted
from workreef_app.services.operation import REGISTRY, FileResult, Invalid, Operation

JSON_DEPTH = 32


class Problem(BaseModel):
    """How every refusal is answered."""

    status: int
    code: str
    detail: str
    request_id: str
    fields: dict[str, str]


def _depth(value: Any, room: int = JSON_DEPTH) -> bool:
    if isinstance(value, dict):
        return room > 0 and all(_depth(item, room - 1) for item in value.values())
    if isinstance(value, list):
        return room > 0 and all(_depth(item, room - 1) for item in value)
    return True


async def body_of(request: Request) -> dict[str, Any]:
    """The fields of a JSON or form body; an empty body is no fields. Raises Invalid."""
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if kind in {"application/x-www-form-urlencoded", "multipart/form-data"}:
        form = await request.form()
        if any(not isinstance(value, str) for value in form.values()):
            raise Invalid("Files are not accepted here.")
        return dict(form)
    raw = await request.body()
    if not raw:
        return {}
    try:
        value = json.loads(raw)
    except (ValueError, RecursionError):
        raise Invalid("The body is not JSON.") from None
    if not isinstance(value, dict) or not _depth(value):
        raise Invalid(f"The body must be a JSON object, nested at most {JSON_DEPTH} deep.")
    return value


def file_response(result: FileResult) -> FileResponse:
    """The file, removed once it is sent."""
    return FileResponse(
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
        return answer(request, spec, await perform(request, spec.name, await body_of(request)))

    return endpoint


def _schema(spec: Operation) -> dict[str, Any]:
    reference = {"$ref": f"#/components/schemas/{spec.command.__name__}"}
    kinds = ("application/json", "application/x-www-form-urlencoded")
    return {"requestBody": {"required": False, "content": {kind: {"schema": reference} for kind in kinds}}}


def router() -> APIRouter:
    """The routes of all registered operations."""
    routes = APIRouter(prefix="/api/v1")
    problems: dict[int | str, dict[str, Any]] = {code: {"model": Problem} for code in (401, 402, 403, 404, 409, 422, 423, 429)}
    for spec in REGISTRY.values():
        is_file = spec.result is FileResult
        routes.add_api_route(
            f"/{spec.name}", _endpoint(spec), methods=["POST"], name=spec.name, operation_id=spec.name,
            summary=spec.summary, tags=[spec.name.partition(".")[0]], openapi_extra=_schema(spec),
            response_model=None if is_file else spec.result,
            responses={**problems, **({200: {"content": {"application/zip": {}}}} if is_file else {})},
        )
    return routes


def command_schemas() -> dict[str, Any]:
    """The schemas of all commands, for the OpenAPI document."""
    schemas: dict[str, Any] = {}
    for spec in REGISTRY.values():
        schema = spec.command.model_json_schema(ref_template="#/components/schemas/{model}")
        schemas.update(schema.pop("$defs", {}))
        schemas[spec.command.__name__] = schema
    return schemas
