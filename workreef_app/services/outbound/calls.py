"""HTTP calls to the outside: `call` is the only way, and never raises into what surrounds it."""

from __future__ import annotations

import logging
import ssl
from dataclasses import replace
from typing import Final

import httpcore
import httpx

from workreef_app.services.outbound import retrying, wire
from workreef_app.services.outbound.addresses import AddressRefused, Unresolved
from workreef_app.services.outbound.policy import (
    IDEMPOTENT_METHODS,
    Client,
    Failure,
    HttpRequest,
    Outcome,
    Policy,
)
from workreef_app.services.outbound.retrying import Try

log = logging.getLogger("workreef.outbound")

#: Statuses that say "not now", beside those from 500 on; and those of them that say "never".
NOT_NOW: Final = frozenset({408, 425})
NEVER: Final = frozenset({501, 505})
REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
#: What a redirect to another origin takes along; anything else may be a credential.
HARMLESS_HEADERS: Final = frozenset({"accept", "accept-language", "user-agent"})
_OURS = {"accept": "*/*", "accept-encoding": "identity", "user-agent": "WorkReef"}


class _TooLarge(Exception):
    """The answer is longer than the policy allows."""


class _BadEncoding(Exception):
    """The answer is compressed, though it was asked not to be: it could hold anything once unpacked."""


def call(request: HttpRequest, policy: Policy | None = None, *, client: Client | None = None) -> Outcome:
    """Sends a request within its policy. Every failure is in the outcome; nothing is raised.

    Success is an answer of 2xx, or 304 for who asked conditionally.
    """
    policy, client = policy or Policy(), client or Client()
    idempotent = policy.idempotent if policy.idempotent is not None else request.method.upper() in IDEMPOTENT_METHODS
    try:
        return retrying.run(
            lambda deadline: _attempt(request, policy, client, deadline), policy, client,
            idempotent=idempotent, safe=request.safe,
        )
    except Exception as error:
        log.error("a call failed by a fault of ours", extra={"error": type(error).__name__})
        return Outcome(Failure.FAULT, uncertain=not request.safe)


def _attempt(request: HttpRequest, policy: Policy, client: Client, deadline: float) -> Try:
    """One attempt, redirects included."""
    meter = wire.Meter(client.clock, deadline)
    for _ in range(policy.redirects + 1):
        outcome = _exchange(request, policy, client, meter)
        following = _followed(request, outcome)
        if following is None:
            break
        request = following
    return Try(outcome, meter.sent)


def _exchange(request: HttpRequest, policy: Policy, client: Client, meter: wire.Meter) -> Outcome:
    timeout = httpx.Timeout(policy.read, connect=policy.connect)
    answer = Outcome()
    try:
        with httpx.Client(
            transport=wire.Transport(meter, policy, client), trust_env=False, timeout=timeout, headers=_OURS
        ) as session, session.stream(
            request.method, request.url, headers=dict(request.headers), content=request.content or None
        ) as response:
            answer = _judged(response, client)
            return replace(answer, body=_body(response, policy.body_limit))
    except Exception as error:
        failure = failure_of(error)
        if failure is Failure.FAULT:
            log.error("a call failed by a fault of ours", extra={"error": type(error).__name__})
        # An answer that says no, and breaks off, has said no.
        return answer if answer.failure else replace(answer, failure=failure)


def _judged(response: httpx.Response, client: Client) -> Outcome:
    """What the head of an answer says."""
    status = response.status_code
    headers = {name.lower(): value for name, value in response.headers.items()}
    failure: Failure | None = Failure.REFUSED
    if 200 <= status < 300 or status == 304:
        failure = None
    elif status in REDIRECTS:
        failure = Failure.REDIRECT
    elif status == 429:
        failure = Failure.THROTTLED
    elif status in NOT_NOW or (status >= 500 and status not in NEVER):
        failure = Failure.UNAVAILABLE
    asked = retrying.retry_after(headers.get("retry-after"), client.now())
    return Outcome(failure, status, retry_after=asked, headers=headers)


def _body(response: httpx.Response, limit: int) -> bytes:
    """The body as it came, bounded. Raises _TooLarge, _BadEncoding."""
    if limit == 0:
        return b""
    if response.headers.get("content-encoding", "identity").lower() not in {"", "identity"}:
        raise _BadEncoding
    parts, size = [], 0
    for part in response.iter_raw():
        size += len(part)
        if size > limit:
            raise _TooLarge
        parts.append(part)
    return b"".join(parts)


def _followed(request: HttpRequest, outcome: Outcome) -> HttpRequest | None:
    """The request that a redirect leads to, if it may be followed: never one that acts, never out of TLS."""
    place = outcome.headers.get("location", "")
    if outcome.failure is not Failure.REDIRECT or not place or request.method.upper() not in {"GET", "HEAD"}:
        return None
    try:
        before = httpx.URL(request.url)
        after = before.join(place)
    except (httpx.InvalidURL, ValueError):
        return None
    if after.scheme not in {"http", "https"} or (before.scheme == "https" and after.scheme == "http"):
        return None
    headers = dict(request.headers)
    if (before.scheme, before.host, before.port) != (after.scheme, after.host, after.port):
        headers = {name: value for name, value in headers.items() if name.lower() in HARMLESS_HEADERS}
    return replace(request, url=str(after), headers=headers)


def failure_of(error: BaseException) -> Failure:
    """The code of what went wrong, by the error and what caused it."""
    kinds: tuple[tuple[type[BaseException] | tuple[type[BaseException], ...], Failure], ...] = (
        (AddressRefused, Failure.REFUSED_ADDRESS),
        (Unresolved, Failure.UNRESOLVED),
        (_TooLarge, Failure.TOO_LARGE),
        (_BadEncoding, Failure.BROKEN),
        (ssl.SSLCertVerificationError, Failure.TLS),
        ((httpx.TimeoutException, httpcore.TimeoutException, TimeoutError), Failure.TIMEOUT),
        ((httpx.ConnectError, httpcore.ConnectError), Failure.CONNECT),
        ((httpx.LocalProtocolError, httpx.UnsupportedProtocol, httpx.InvalidURL), Failure.INVALID),
        ((httpx.TransportError, httpcore.NetworkError, OSError), Failure.BROKEN),
        (ValueError, Failure.INVALID),
    )
    chain: list[BaseException] = []
    while len(chain) < 10:
        chain.append(error)
        following = error.__cause__ or error.__context__
        if following is None:
            break
        error = following
    for kind, failure in kinds:
        if any(isinstance(found, kind) for found in chain):
            return failure
    return Failure.FAULT
