"""Refusals as `application/problem+json` (RFC 9457), the same for every operation."""

from __future__ import annotations

from fastapi.responses import JSONResponse

from workreef_app.services.operation import Limited, Refusal, TokenRefused, Unavailable


def problem(
    status: int, code: str, detail: str, request_id: str, fields: dict[str, str] | None = None,
    headers: dict[str, str] | None = None,
) -> JSONResponse:
    """An error body: a stable code, a sentence, the request's id, and the fields at fault."""
    body = {"status": status, "code": code, "detail": detail, "request_id": request_id, "fields": fields or {}}
    return JSONResponse(body, status_code=status, media_type="application/problem+json", headers=headers)


def for_programs(path: str) -> bool:
    """Whether failures at an address are told to a program, as a problem, rather than to a person, as a page."""
    return path.startswith(("/api/", "/v1/")) or path in {"/upload/imports", "/auth/csrf"}


def retry_after(refusal: Refusal) -> dict[str, str] | None:
    """The header that says when to try again, where a refusal knows it."""
    seconds = refusal.retry_after if isinstance(refusal, Limited | Unavailable) else None
    return {"Retry-After": str(seconds)} if seconds is not None else None


def of_refusal(refusal: Refusal, request_id: str) -> JSONResponse:
    """A refusal as it is answered."""
    headers = retry_after(refusal) or {}
    if isinstance(refusal, TokenRefused):
        headers["WWW-Authenticate"] = 'Bearer error="invalid_token"'
    return problem(refusal.status, refusal.code, refusal.detail, request_id, refusal.fields, headers)
