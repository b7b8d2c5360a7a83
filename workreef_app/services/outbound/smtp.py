"""One session with a mail server: by the language's own smtplib, with every step bounded."""

from __future__ import annotations

import smtplib
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, Protocol
from urllib.parse import unquote, urlsplit

from workreef_app.services.outbound import addresses, wire
from workreef_app.services.outbound.policy import Client, Policy

#: How each scheme encrypts, with its usual port.
PORTS: Final = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}
LONGEST_LINE: Final = 8192


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where mail is handed in. `smtp` is in plaintext, `smtp+starttls` and `smtps` never are."""

    scheme: str
    host: str
    port: int
    user: str = field(default="", repr=False)
    password: str = field(default="", repr=False)

    @classmethod
    def of(cls, url: str) -> MailServer:
        """The server of an address such as smtps://user:password@mail.example.com. Raises ValueError."""
        parts = urlsplit(url)
        if parts.scheme not in PORTS or not parts.hostname:
            raise ValueError(f"a mail server's address begins with {', '.join(f'{name}://' for name in PORTS)}")
        return cls(
            parts.scheme, parts.hostname, parts.port or PORTS[parts.scheme], unquote(parts.username or ""),
            unquote(parts.password or ""),
        )


class NoTls(Exception):
    """The server offers no encryption, and it is asked for."""


class _Readable(Protocol):
    def recv(self, size: int, /) -> bytes: ...
    def settimeout(self, value: float | None, /) -> None: ...


class _Lines:
    """A connection read by lines, each within the call's deadline, however slowly its bytes come."""

    def __init__(self, sock: _Readable, limit: Callable[[], float]) -> None:
        self._sock, self._limit, self._buffer = sock, limit, b""

    def readline(self, size: int = LONGEST_LINE) -> bytes:
        while b"\n" not in self._buffer and len(self._buffer) < min(size, LONGEST_LINE):
            self._sock.settimeout(self._limit())
            part = self._sock.recv(4096)
            if not part:
                break
            self._buffer += part
        end = min(self._buffer.find(b"\n") + 1 or len(self._buffer), size)
        line, self._buffer = self._buffer[:end], self._buffer[end:]
        return line

    def close(self) -> None:
        self._buffer = b""


class Session(smtplib.SMTP):
    """One session with a mail server, every step of it bounded."""

    def __init__(self, server: MailServer, name: str, policy: Policy, client: Client, meter: wire.Meter) -> None:
        self._server, self._policy, self._client, self._meter = server, policy, client, meter
        try:
            # Our own name is given, since smtplib would look it up without a time-out.
            super().__init__(server.host, server.port, local_hostname=name, timeout=policy.connect)
            self._greet()
        except BaseException:
            self.close()
            raise

    def _greet(self) -> None:
        self.ehlo_or_helo_if_needed()
        if self._server.scheme == "smtp+starttls":
            if not self.has_extn("starttls"):
                raise NoTls
            self.starttls(context=self._client.tls or wire.trust())
            self.ehlo_or_helo_if_needed()

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        found = (self._client.resolve or addresses.resolve)(host, port, self._meter.left(timeout))
        last: OSError = ConnectionError("the host has no address")
        for address in found:
            try:
                sock = socket.create_connection((address, port), self._meter.left(timeout))
                break
            except OSError as error:
                last = error
        else:
            raise last
        if self._server.scheme != "smtps":
            return sock
        try:
            return (self._client.tls or wire.trust()).wrap_socket(sock, server_hostname=host)
        except BaseException:
            sock.close()
            raise

    def _limit(self) -> float:
        return self._meter.left(self._policy.read)

    def getreply(self) -> tuple[int, bytes]:
        if self.file is None and self.sock is not None:
            self.file = _Lines(self.sock, self._limit)
        return super().getreply()

    def send(self, s: Any) -> None:
        if self.sock is not None:
            self.sock.settimeout(self._limit())
        super().send(s)

    def hand_in(self, sender: str, recipients: tuple[str, ...], content: bytes) -> dict[str, tuple[int, bytes]]:
        """Hands the mail in; those recipients that the server would not take. Only now it may have an effect."""
        code, said = self.mail(sender)
        if code != 250:
            raise smtplib.SMTPSenderRefused(code, said, sender)
        refused: dict[str, tuple[int, bytes]] = {}
        for recipient in recipients:
            code, said = self.rcpt(recipient)
            if code == 421 or 400 <= code < 500:
                raise smtplib.SMTPResponseException(code, said)
            if code not in {250, 251}:
                refused[recipient] = (code, said)
        if len(refused) == len(recipients):
            raise smtplib.SMTPRecipientsRefused(refused)
        self._meter.sent = True
        try:
            code, said = self.data(content)
            if code != 250:
                raise smtplib.SMTPDataError(code, said)
        except smtplib.SMTPDataError:
            # The server has answered, and has not taken it.
            self._meter.sent = False
            raise
        return refused
