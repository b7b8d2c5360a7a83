"""Who a browser's request comes from: its tenant by host, its session by signed cookie, its address."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from workreef_app.services.access import sessions
from workreef_app.services.door import Caller
from workreef_app.services.tenancy.platform import Platform
from workreef_app.settings import Settings

#: Where an API token is taken; nowhere else, so that it opens no page and no socket.
TOKEN_PATHS = ("/api/v1/", "/v1/")


def cookie_name(settings: Settings) -> str:
    """`__Host-` in production, where browsers then insist on Secure, path `/` and no domain."""
    return "__Host-workreef" if settings.production else "workreef_session"


def cookie_value(token: str, host: str, settings: Settings) -> str:
    """The signed value of the session cookie for this host."""
    return sessions.sign(token, host, settings.secret_key.get_secret_value())


def ticket_name(settings: Settings) -> str:
    """The cookie between password and second factor."""
    return "__Host-workreef-ticket" if settings.production else "workreef_ticket"


def cookies(cookie_header: str, name: str) -> Iterator[str]:
    """The values of the cookies of this name.

    The header is read by hand: the standard library stops at the first cookie of another program that it dislikes.
    """
    for part in cookie_header.split(";"):
        key, _, value = part.strip().partition("=")
        if key == name:
            yield value


def session_token(cookie_header: str, host: str, settings: Settings) -> str | None:
    """The session token in a Cookie header; None without one that is ours for this host."""
    secret = settings.secret_key.get_secret_value()
    for value in cookies(cookie_header, cookie_name(settings)):
        if (token := sessions.unsign(value, host, secret)) is not None:
            return token
    return None


def host_of(headers: Mapping[str, str], peer: str, settings: Settings) -> str:
    """The host asked for. Only a trusted proxy's forwarded header counts."""
    if peer in settings.proxies and headers.get("x-forwarded-host"):
        return headers["x-forwarded-host"].split(",")[-1].strip().lower()
    return headers.get("host", "").lower()


def address_of(headers: Mapping[str, str], peer: str, settings: Settings) -> str:
    """The client's address: the last one in the forwarded chain that is no trusted proxy."""
    if peer not in settings.proxies:
        return peer
    chain = [part.strip() for part in headers.get("x-forwarded-for", "").split(",") if part.strip()]
    return next((hop for hop in reversed(chain) if hop not in settings.proxies), peer)


def bearer_of(headers: Mapping[str, str], path: str) -> str | None:
    """The API token of a request to an address that takes one; None where there is none."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" and path.startswith(TOKEN_PATHS) else None


def browser_caller(
    platform: Platform, headers: Mapping[str, str], peer: str, request_id: str, bearer: str | None = None
) -> Caller | None:
    """The caller of a request to a tenant's host; None for the platform's own. Raises UnknownTenant.

    With an API token the cookie is not looked at.
    """
    host = host_of(headers, peer, platform.settings)
    slug = platform.slug_of(host)
    if slug is None:
        return None
    name = host.rsplit(":", 1)[0]
    return Caller(
        tenant=platform.tenant(slug), request_id=request_id, host=name,
        address=address_of(headers, peer, platform.settings), agent=headers.get("user-agent", "")[:400],
        token=session_token(headers.get("cookie", ""), name, platform.settings) if bearer is None else None,
        bearer=bearer,
    )
