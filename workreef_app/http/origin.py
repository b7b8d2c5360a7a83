"""Whether a request comes from our own pages: its Host, its Origin, and what the browser says about the site."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any
from urllib.parse import urlsplit

from workreef_app.settings import Settings

Scope = MutableMapping[str, Any]
SAFE = frozenset({"GET", "HEAD"})


def peer_of(scope: Scope) -> str:
    """The address at the other end of the connection; empty where it has none."""
    return str((scope.get("client") or ("", 0))[0])


def headers_of(scope: Scope) -> dict[str, str]:
    """Headers by lower-case name; a repeated Host is none at all."""
    found: dict[str, str] = {}
    for name, value in scope.get("headers", []):
        key = name.decode("latin-1").lower()
        found[key] = "" if key == "host" and key in found else value.decode("latin-1")
    return found


def same_origin(origin: str, host: str, settings: Settings) -> bool:
    """Whether an Origin is that of this very host: scheme of the public address, host and port as asked for."""
    return origin == f"{urlsplit(settings.public_url).scheme}://{host}"


def refused_by_origin(scope: Scope, headers: dict[str, str], host: str, settings: Settings) -> str:
    """Why a request may not pass, as a sentence; empty when it may."""
    origin = headers.get("origin")
    if scope["type"] == "websocket":
        return "" if origin and same_origin(origin, host, settings) else "This socket was opened from another site."
    if scope["method"] not in SAFE:
        if origin is None:
            return "A request with a cookie must say where it comes from." if "cookie" in headers else ""
        return "" if same_origin(origin, host, settings) else "This request comes from another site."
    site = headers.get("sec-fetch-site", "none")
    is_page = headers.get("sec-fetch-mode") == "navigate" and not scope["path"].startswith(("/export/", "/api/"))
    return "" if site in {"same-origin", "none"} or is_page else "This request comes from another site."
