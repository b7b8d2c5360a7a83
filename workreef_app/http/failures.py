"""What is answered when something fails that no operation foresaw: a sentence and the request's id, no internals."""

from __future__ import annotations

import logging

from fastapi.responses import HTMLResponse, Response
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnection

from workreef_app.http import plain
from workreef_app.http.problems import problem
from workreef_app.services.tenancy.errors import Busy, SchemaNotCurrent
from workreef_app.services.vault.errors import KeyUnavailable

log = logging.getLogger("workreef.http")

RETRY_SECONDS = 5
#: Failures that pass: what was wrong, by the kind of the error.
UNAVAILABLE: dict[type[Exception], str] = {
    Busy: "Too many requests are waiting for the database. Try again in a moment.",
    NoConnection: "Too many requests are waiting for the database. Try again in a moment.",
    SchemaNotCurrent: "This organisation's data is being brought up to date. Try again in a few minutes.",
    OperationalError: "The database does not answer. Try again in a moment.",
    InterfaceError: "The database does not answer. Try again in a moment.",
    KeyUnavailable: "A key that is needed here does not answer. Try again in a moment.",
}
HTTP_ERRORS = {
    404: ("not_found", "There is no such page."),
    405: ("not_allowed", "This address does not take that kind of request."),
    413: ("too_large", "The request is larger than this address takes."),
}


def said(status: int, code: str, title: str, sentence: str, path: str, request_id: str) -> Response:
    """A failure as a problem for programs, as a page for people."""
    headers = {"Retry-After": str(RETRY_SECONDS)} if status == 503 else None
    if path.startswith("/api/"):
        return problem(status, code, sentence, request_id, headers=headers)
    html = plain.message(title, [sentence, "Give this number to an admin if it happens again."], request_id=request_id)
    return HTMLResponse(html, status_code=status, headers=headers)


def failure(error: Exception, path: str, request_id: str) -> Response:
    """The answer to an exception; logs its kind and where it came from, never its text, which may quote data."""
    log.error("failed", extra={"request": request_id, "error": type(error).__name__}, exc_info=error)
    for kind, sentence in UNAVAILABLE.items():
        if isinstance(error, kind):
            return said(503, "unavailable", "Not available now", sentence, path, request_id)
    sentence = "Something went wrong on our side. Nothing was changed."
    return said(500, "failed", "Something went wrong", sentence, path, request_id)


def http_error(status: int, path: str, request_id: str) -> Response:
    """The answer to a request that reaches no function of ours."""
    code, sentence = HTTP_ERRORS.get(status, ("refused", "The request is not in the form that is expected here."))
    return said(status, code, "Not done", sentence, path, request_id)
