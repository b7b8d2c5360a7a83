"""What a call to the outside asks for, how far it may go, and what came of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from random import Random, SystemRandom
from ssl import SSLContext
from types import MappingProxyType
from typing import Final

#: No call is tried more often, whoever asks.
MOST_ATTEMPTS: Final = 3
SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
IDEMPOTENT_METHODS: Final = SAFE_METHODS | {"PUT", "DELETE"}


class Failure(StrEnum):
    """Why a call did not succeed. A code, never what the other side said."""

    UNCONFIGURED = "unconfigured"
    INVALID = "invalid"
    """It cannot be sent as it is."""
    REFUSED_ADDRESS = "refused_address"
    """Its host is not a public one."""
    UNRESOLVED = "unresolved"
    CONNECT = "connect"
    TLS = "tls"
    """The other side did not show a certificate to be trusted, or no encryption where it is asked for."""
    TIMEOUT = "timeout"
    BROKEN = "broken"
    """The connection ended in the middle, or what came is not the protocol."""
    TOO_LARGE = "too_large"
    REDIRECT = "redirect"
    THROTTLED = "throttled"
    REFUSED = "refused"
    """Answered: no. Asking again would not help."""
    UNAVAILABLE = "unavailable"
    """Answered: not now."""
    SIGN_IN = "sign_in"
    RECIPIENT = "recipient"
    """A mail server took the mail for some of the recipients only, or for none."""
    FAULT = "fault"
    """An error of our own."""


#: What may pass by itself, so that another attempt is worth its cost.
PASSING: Final = frozenset({
    Failure.UNRESOLVED, Failure.CONNECT, Failure.TIMEOUT, Failure.BROKEN, Failure.THROTTLED, Failure.UNAVAILABLE,
})


@dataclass(frozen=True, slots=True)
class Policy:
    """How far a call may go. Times are in seconds; `total` is for everything, waits between attempts included.

    `idempotent` None goes by the method. `body_limit` is in bytes; 0 leaves the body of the answer unread.
    `redirects` is how many are followed, of GET and HEAD only. `public_only` refuses every address that is not on
    the public internet.
    """

    attempts: int = MOST_ATTEMPTS
    connect: float = 5.0
    read: float = 10.0
    total: float = 30.0
    first_wait: float = 0.5
    longest_wait: float = 8.0
    body_limit: int = 1024 * 1024
    redirects: int = 0
    idempotent: bool | None = None
    public_only: bool = True

    def __post_init__(self) -> None:
        if not 1 <= self.attempts <= MOST_ATTEMPTS:
            raise ValueError(f"attempts must be 1 to {MOST_ATTEMPTS}")
        if min(self.connect, self.read, self.total) <= 0:
            raise ValueError("times must be above 0")


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """A request as it is to be sent. Headers and content are kept out of logs."""

    method: str
    url: str = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}), repr=False)
    content: bytes = field(default=b"", repr=False)

    @property
    def safe(self) -> bool:
        """Whether it changes nothing, so that there is nothing to ask about when its answer is lost."""
        return self.method.upper() in SAFE_METHODS


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a call. `status` is the last answer's, of HTTP or SMTP; None when there was none.

    `uncertain` says that the call failed and may have had its effect: ask the other side before it is repeated.
    `retry_after` is in how many seconds the other side wants to be asked again.
    """

    failure: Failure | None = None
    status: int | None = None
    attempts: int = 1
    uncertain: bool = False
    retry_after: float | None = None
    headers: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}), repr=False)
    body: bytes = field(default=b"", repr=False)

    @property
    def ok(self) -> bool:
        return self.failure is None

    @property
    def passing(self) -> bool:
        """Whether the failure may pass by itself."""
        return self.failure in PASSING


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Client:
    """What calls use of the world, so that tests can hold it still. `resolve` gives the addresses of a host and port.

    `tls` None trusts the usual certificate authorities, or those of SSL_CERT_FILE.
    """

    resolve: Callable[[str, int, float], list[str]] | None = None
    tls: SSLContext | None = None
    clock: Callable[[], float] = time.monotonic
    now: Callable[[], datetime] = utc_now
    sleep: Callable[[float], None] = time.sleep
    chance: Random = field(default_factory=SystemRandom)
