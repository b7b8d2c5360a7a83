"""Connections: to a checked address, within a deadline, knowing whether anything was sent."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import httpcore
import httpx

from workreef_app.services.outbound import addresses
from workreef_app.services.outbound.policy import Client, Policy

_backend = httpcore.SyncBackend()
#: What a step raises when the time for the whole call is over.
OUT_OF_TIME = httpcore.ReadTimeout


@lru_cache(maxsize=1)
def trust() -> ssl.SSLContext:
    """TLS that verifies. Built once, since reading the authorities takes some 20 ms."""
    return httpx.create_ssl_context()


@dataclass(slots=True)
class Meter:
    """What is known of one attempt: when it must end, and whether any of the request has left."""

    clock: Callable[[], float]
    deadline: float
    sent: bool = False

    def left(self, seconds: float | None) -> float:
        """Seconds that a step may take. Raises httpcore.ReadTimeout when there is no time left."""
        left = self.deadline - self.clock()
        if left <= 0:
            raise httpcore.ReadTimeout("the time for the whole call is over")
        return left if seconds is None else min(seconds, left)


class _Stream(httpcore.NetworkStream):
    """A connection whose every step ends with the whole call's deadline."""

    def __init__(self, inner: httpcore.NetworkStream, meter: Meter) -> None:
        self._inner, self._meter = inner, meter

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, self._meter.left(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        seconds = self._meter.left(timeout)
        self._meter.sent = True
        self._inner.write(buffer, seconds)

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        return _Stream(self._inner.start_tls(ssl_context, server_hostname, self._meter.left(timeout)), self._meter)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


class Backend(httpcore.NetworkBackend):
    """Looks a host up, checks every address, and connects to the one that was checked, never to the name again."""

    def __init__(self, meter: Meter, policy: Policy, client: Client) -> None:
        self._meter, self._policy, self._client = meter, policy, client

    def connect_tcp(
        self, host: str, port: int, timeout: float | None = None, local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        resolve = self._client.resolve or addresses.resolve
        found = resolve(host, port, self._meter.left(timeout))
        last: Exception = httpcore.ConnectError("the host has no address")
        for address in addresses.checked(found, public_only=self._policy.public_only):
            try:
                stream = _backend.connect_tcp(address, port, self._meter.left(timeout), local_address, socket_options)
                return _Stream(stream, self._meter)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                last = error
        raise last


class Transport(httpx.HTTPTransport):
    """httpx over `Backend`: no proxy, no retries of its own. SDKs that take an httpx client are given one of these."""

    def __init__(self, meter: Meter, policy: Policy, client: Client) -> None:
        tls = client.tls or trust()
        super().__init__(verify=tls, trust_env=False)
        self._pool = httpcore.ConnectionPool(
            ssl_context=tls, network_backend=Backend(meter, policy, client), max_keepalive_connections=0,
        )
