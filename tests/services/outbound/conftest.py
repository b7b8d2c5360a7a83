"""Servers with faults: HTTP and mail on this host, certificates of our own, and time that is turned by hand."""

from __future__ import annotations

import ipaddress
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from random import Random
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from workreef_app.services.outbound.policy import Client, Policy

#: Nothing that is tested here leaves this host.
LOCAL = Policy(public_only=False)
Reply = Callable[[BaseHTTPRequestHandler], None]


@dataclass
class Timeline:
    """A clock that only waiting turns. `waits` holds every wait, in seconds."""

    at: float = 1000.0
    waits: list[float] = field(default_factory=list)
    chance: Random = field(default_factory=lambda: Random(7))
    resolve: Any = None
    tls: ssl.SSLContext | None = None

    def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.at += seconds

    def client(self) -> Client:
        return Client(
            resolve=self.resolve, tls=self.tls, clock=lambda: self.at, sleep=self.sleep, chance=self.chance,
            now=lambda: datetime(2026, 11, 23, 9, 0, tzinfo=UTC),
        )


@pytest.fixture
def timeline() -> Timeline:
    return Timeline()


def answer(status: int = 200, body: bytes = b"", **headers: str) -> Reply:
    """A complete answer; header names are written with `_` for `-`."""

    def reply(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        if "Content_Length" not in headers:
            handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return reply


def reset(handler: BaseHTTPRequestHandler) -> None:
    """Ends the connection with a reset, without an answer."""
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.connection.close()


@dataclass
class Web:
    """A web server that answers by a script; the last reply is given to whoever comes after."""

    port: int
    server: Any
    script: list[Reply] = field(default_factory=lambda: [answer()])
    seen: list[tuple[str, str, dict[str, str], bytes]] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    def url(self, path: str = "/", host: str = "127.0.0.1", scheme: str = "http") -> str:
        return f"{scheme}://{host}:{self.port}{path}"

    def replies(self, *replies: Reply) -> None:
        self.script = list(replies)

    def stall(self, handler: BaseHTTPRequestHandler) -> None:
        """Says nothing until the test is over."""
        self.over.wait(30)

    def drip(self, first: bytes) -> Reply:
        """Sends `first`, then a byte a tenth of a second."""

        def reply(handler: BaseHTTPRequestHandler) -> None:
            handler.wfile.write(first)
            try:
                while not self.over.wait(0.1):
                    handler.wfile.write(b"x")
            except OSError:
                return

        return reply


def _handler(web: list[Web]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_any(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            web[0].seen.append((self.command, self.path, headers, body))
            reply = web[0].script.pop(0) if len(web[0].script) > 1 else web[0].script[0]
            self.close_connection = True
            reply(self)

        do_GET = do_POST = do_PUT = do_HEAD = handle_any

        def log_message(self, format: str, *args: Any) -> None:
            pass

    return Handler


class _Quiet(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that go away are what is tested."""


def serve(tls: ssl.SSLContext | None = None) -> Iterator[Web]:
    """A web server while the generator is open."""
    holder: list[Web] = []
    server = _Quiet(("127.0.0.1", 0), _handler(holder))
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    web = Web(server.server_address[1], server)
    holder.append(web)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield web
    web.over.set()
    server.shutdown()
    server.server_close()
    thread.join(5)


@pytest.fixture
def web() -> Iterator[Web]:
    yield from serve()


@pytest.fixture
def closed_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


@dataclass(frozen=True)
class Certificates:
    """TLS of a server called `localhost`, and of a client that trusts it."""

    server: ssl.SSLContext
    client: ssl.SSLContext


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    folder: Path = tmp_path_factory.mktemp("tls")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    names: list[x509.GeneralName] = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    certificate = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(x509.random_serial_number()).not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1)).add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = folder / "both.pem"
    file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ) + certificate.public_bytes(serialization.Encoding.PEM)
    )
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(file)
    return Certificates(server, ssl.create_default_context(cafile=str(file)))
