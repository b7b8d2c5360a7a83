"""How much a request may bring, and how many an address may send, before anything else is looked at."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any, Final

from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, Response

from workreef_app.http import plain
from workreef_app.http.problems import for_programs, problem
from workreef_app.services.browser import address_of
from workreef_app.services.limiting.limiter import terms
from workreef_app.services.process import current

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]

BODY_LIMIT = 1 << 20
#: Conversations with models are longer than what operations take.
MODEL_LIMIT = 8 << 20
#: Files go through in pieces and are never held, so that only what is absurd is refused for its size.
UPLOAD_LIMIT = 20 << 30
UPLOADS = frozenset({"/upload/imports", "/upload/form"})
#: Requests of one address to one process, pages and their files included. Operations have limits of their own.
ADDRESS: Final = "30000/minute"


def crowded(headers: Mapping[str, str], peer: str) -> int:
    """Counts a request for its address, in this process's own memory; the seconds to wait, 0 where there is room."""
    settings = current().platform.settings
    amount, window = terms(ADDRESS)
    key = ("address", address_of(headers, peer, settings))
    standing = current().limits.limiter.storage.hit(key, amount, window)
    return 0 if standing.allowed else max(1, math.ceil(standing.reset))


def too_many(path: str, seconds: int, request_id: str) -> Response:
    """The answer to an address that sends too much."""
    said = f"Too many requests came from your address. Try again in {seconds} s."
    headers = {"Retry-After": str(seconds)}
    if for_programs(path):
        return problem(429, "limited", said, request_id, headers=headers)
    return HTMLResponse(plain.message("Too many requests", [said], home=False), status_code=429, headers=headers)


def limit_of(path: str) -> int:
    """How many bytes a request to this address may bring."""
    if path in UPLOADS:
        return UPLOAD_LIMIT
    return MODEL_LIMIT if path.startswith("/v1/") else BODY_LIMIT


def bounded(receive: Receive, limit: int) -> Receive:
    """Stops a body without a length that grows past the limit. Raises HTTPException 413 into whoever reads it."""
    seen = 0

    async def limited() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > limit:
            raise HTTPException(413)
        return message

    return limited
