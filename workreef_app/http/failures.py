"""What is answered when something fails that no operation foresaw: a sentence and the request's id, no internals."""

from __future__ import annotations

import logging

from fastapi.responses import HTMLResponse, Response

from workreef_app.http import plain
from workreef_app.http.problems import for_programs, problem, retry_after
from workreef_app.services.operation import Refusal, Unavailable
from workreef_app.services.process import refusal_of
from workreef_app.services.tenancy.errors import SchemaNotCurrent
from workreef_app.services.vault.errors import KeyUnavailable

log = logging.getLogger("workreef.http")

#: Failures that pass and are none of the database's: what was wrong, by the kind of the error.
UNAVAILABLE: dict[type[Exception], str] = {
    SchemaNotCurrent: "This organisation's data is being brought up to date. Try again in a few minutes.",
    KeyUnavailable: "A key that is needed here does not answer. Try again in a moment.",
}
HTTP_ERRORS = {
    404: ("not_found", "There is no such page."),
    405: ("not_allowed", "This address does not take that kind of request."),
    413: ("too_large", "The request is larger than this address takes."),
}


def said(
    status: int, code: str, title: str, sentence: str, path: str, request_id: str, headers: dict[str, str] | None = None
) -> Response:
    """A failure as a problem for programs, as a page for people."""
    if for_programs(path):
        return problem(status, code, sentence, request_id, headers=headers)
    html = plain.message(title, [sentence, "Give this number to an admin if it happens again."], request_id=request_id)
    return HTMLResponse(html, status_code=status, headers=headers)


def _refusal(error: Exception) -> Refusal | None:
    """What is to be said of a failure that passes; None for a fault of ours."""
    for kind, sentence in UNAVAILABLE.items():
        if isinstance(error, kind):
            return Unavailable(sentence)
    return refusal_of(error)


def refused(refusal: Refusal, path: str, request_id: str) -> Response:
    """The answer to what was not done because of the database or its disk."""
    title = "Not available now" if isinstance(refusal, Unavailable) else "Not done"
    return said(refusal.status, refusal.code, title, refusal.detail, path, request_id, retry_after(refusal))


def failure(error: Exception, path: str, request_id: str) -> Response:
    """The answer to an exception; logs its kind and where it came from, never its text, which may quote data."""
    log.error("failed", extra={"request": request_id, "error": type(error).__name__}, exc_info=error)
    refusal = _refusal(error)
    if refusal is not None:
        return refused(refusal, path, request_id)
    sentence = "Something went wrong on our side. Nothing was changed."
    return said(500, "failed", "Something went wrong", sentence, path, request_id)


def http_error(status: int, path: str, request_id: str) -> Response:
    """The answer to a request that reaches no function of ours."""
    code, sentence = HTTP_ERRORS.get(status, ("refused", "The request is not in the form that is expected here."))
    return said(status, code, "Not done", sentence, path, request_id)
