"""Mail against real mail servers: encrypted, signed in, refused, silent, cut off."""

from __future__ import annotations

import email
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

from tests.services.outbound.conftest import Certificates, Timeline
from workreef_app.services.outbound.mail import Mail, composed, reachable, send
from workreef_app.services.outbound.policy import Failure, Policy
from workreef_app.services.outbound.smtp import MailServer

MAIL = Mail("workreef@acme.test", ("ops@acme.test", "lead@acme.test"), "Disk is full", "Line one\n.\nLine — two\n",
            "<alarm-1@acme.test>")
AGAIN = Policy(idempotent=True)


@dataclass
class Box:
    """What a mail server took, and what it says to whom. The last reply of `data` is given to whoever comes after."""

    taken: list[Any] = field(default_factory=list)
    recipients: dict[str, str] = field(default_factory=dict)
    data: list[str] = field(default_factory=lambda: ["250 taken"])
    tls: list[bool] = field(default_factory=list)
    users: list[bytes] = field(default_factory=list)

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        reply = self.recipients.get(address, "250 OK")
        if reply.startswith("250"):
            envelope.rcpt_tos.append(address)
        return reply

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        reply = self.data.pop(0) if len(self.data) > 1 else self.data[0]
        if reply.startswith("250"):
            self.taken.append(envelope)
            self.tls.append(session.ssl is not None)
        return reply

    def sign_in(self, server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        assert isinstance(data, LoginPassword)
        self.users.append(data.login)
        return AuthResult(success=(data.login, data.password) == (b"me@acme", b"p@ss/word"), handled=False)


Start = Callable[..., tuple[Box, int]]


@pytest.fixture
def start(closed_port: int) -> Iterator[Start]:
    """Starts a mail server: `start(tls_context=…)`; its box and port."""
    running: list[Controller] = []

    def run(**options: Any) -> tuple[Box, int]:
        box = Box()
        if options.pop("sign_in", False):
            options |= {"authenticator": box.sign_in, "auth_required": True}
        controller = Controller(box, hostname="127.0.0.1", port=closed_port, **options)
        controller.start()
        running.append(controller)
        return box, closed_port

    yield run
    for controller in running:
        controller.stop()


def test_a_mail_arrives_as_it_was_written(start: Start, timeline: Timeline) -> None:
    box, port = start()
    found = send(MAIL, MailServer("smtp", "127.0.0.1", port), client=timeline.client())
    assert (found.ok, found.status, found.attempts, found.uncertain) == (True, 250, 1, False)
    (envelope,) = box.taken
    assert (envelope.mail_from, envelope.rcpt_tos) == (MAIL.sender, list(MAIL.recipients))
    message = email.message_from_bytes(envelope.content)
    assert (message["Subject"], message["Message-ID"]) == ("Disk is full", "<alarm-1@acme.test>")
    assert message["Auto-Submitted"] == "auto-generated"
    assert message.get_payload(decode=True).decode().replace("\r\n", "\n") == MAIL.text  # type: ignore[union-attr]


@pytest.mark.parametrize("scheme", ["smtp+starttls", "smtps"])
def test_mail_goes_encrypted_and_signed_in(
    start: Start, timeline: Timeline, certificates: Certificates, scheme: str
) -> None:
    way = {"ssl_context": certificates.server, "auth_require_tls": False} if scheme == "smtps" else {
        "tls_context": certificates.server, "require_starttls": True}
    box, port = start(sign_in=True, **way)
    server = MailServer.of(f"{scheme}://me%40acme:p%40ss%2Fword@localhost:{port}")
    timeline.resolve, timeline.tls = (lambda *args: ["127.0.0.1"]), certificates.client
    found = send(MAIL, server, client=timeline.client())
    assert (found.ok, found.failure) == (True, None)
    assert box.users == [b"me@acme"]
    assert scheme == "smtps" or box.tls == [True]


@pytest.mark.parametrize("scheme", ["smtp+starttls", "smtps"])
def test_a_server_that_is_not_trusted_gets_no_mail_and_no_password(
    start: Start, timeline: Timeline, certificates: Certificates, scheme: str
) -> None:
    key = "ssl_context" if scheme == "smtps" else "tls_context"
    box, port = start(sign_in=True, auth_require_tls=False, **{key: certificates.server})
    timeline.resolve = lambda *args: ["127.0.0.1"]
    found = send(MAIL, MailServer.of(f"{scheme}://me:p@localhost:{port}"), AGAIN, client=timeline.client())
    assert (found.failure, found.attempts, found.uncertain) == (Failure.TLS, 1, False)
    assert (box.users, box.taken) == ([], [])


def test_without_the_encryption_that_is_asked_for_nothing_is_sent(start: Start, timeline: Timeline) -> None:
    box, port = start()
    found = send(MAIL, MailServer("smtp+starttls", "127.0.0.1", port), AGAIN, client=timeline.client())
    assert (found.failure, found.attempts, box.taken) == (Failure.TLS, 1, [])


def test_a_wrong_password_is_tried_once(start: Start, timeline: Timeline) -> None:
    box, port = start(sign_in=True, auth_require_tls=False)
    found = send(MAIL, MailServer("smtp", "127.0.0.1", port, "me", "wrong"), AGAIN, client=timeline.client())
    assert (found.failure, found.status, found.attempts, box.taken) == (Failure.SIGN_IN, 535, 1, [])


def test_what_passes_is_tried_again_and_what_does_not_is_not(start: Start, timeline: Timeline) -> None:
    box, port = start()
    box.data = ["451 later", "452 later", "250 taken"]
    server = MailServer("smtp", "127.0.0.1", port)
    found = send(MAIL, server, AGAIN, client=timeline.client())
    assert (found.ok, found.attempts, len(box.taken)) == (True, 3, 1)
    box.data = ["554 never"]
    found = send(MAIL, server, AGAIN, client=timeline.client())
    assert (found.failure, found.status, found.attempts) == (Failure.REFUSED, 554, 1)
    assert not found.uncertain, "the server said that it did not take it"


def test_a_server_that_says_not_now_did_not_take_it_so_it_is_asked_again(start: Start, timeline: Timeline) -> None:
    box, port = start()
    box.data = ["451 later", "250 taken"]
    assert send(MAIL, MailServer("smtp", "127.0.0.1", port), client=timeline.client()).attempts == 2


def test_a_recipient_who_is_refused_is_told(start: Start, timeline: Timeline) -> None:
    box, port = start()
    server = MailServer("smtp", "127.0.0.1", port)
    box.recipients = {"lead@acme.test": "550 nobody"}
    some = send(MAIL, server, AGAIN, client=timeline.client())
    assert (some.failure, some.status, some.attempts) == (Failure.RECIPIENT, 550, 1)
    assert box.taken[0].rcpt_tos == ["ops@acme.test"], "the others have it"
    box.recipients |= {"ops@acme.test": "550 nobody"}
    nobody = send(MAIL, server, AGAIN, client=timeline.client())
    assert (nobody.failure, nobody.uncertain, len(box.taken)) == (Failure.RECIPIENT, False, 1)


def test_a_server_that_is_not_there_is_asked_three_times(closed_port: int, timeline: Timeline) -> None:
    found = send(MAIL, MailServer("smtp", "127.0.0.1", closed_port), client=timeline.client())
    assert (found.failure, found.attempts, found.uncertain) == (Failure.CONNECT, 3, False)
    assert len(timeline.waits) == 2


@pytest.mark.parametrize("scheme", ["smtp", "smtps", "smtp+starttls"])
def test_a_silent_server_costs_no_more_than_its_time(silent_port: int, timeline: Timeline, scheme: str) -> None:
    begun = time.monotonic()
    found = send(MAIL, MailServer(scheme, "127.0.0.1", silent_port), Policy(connect=0.1, read=0.1),
                 client=timeline.client())
    assert (found.failure, found.attempts, found.uncertain) == (Failure.TIMEOUT, 3, False)
    assert time.monotonic() - begun < 3


def _talk(script: Callable[[socket.socket, Any], None]) -> Iterator[int]:
    """A server that follows the script with each client."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def loop() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection, connection.makefile("rb") as lines:
                    script(connection, lines)

        threading.Thread(target=loop, daemon=True).start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)


def _cut_off(connection: socket.socket, lines: Any) -> None:
    """Takes the whole mail, and goes away without a word."""
    connection.sendall(b"220 hello\r\n")
    for line in lines:
        word = line[:4].upper()
        if line == b".\r\n":
            return
        if word in {b"EHLO", b"MAIL", b"RCPT"}:
            connection.sendall(b"250 OK\r\n")
        elif word == b"DATA":
            connection.sendall(b"354 go on\r\n")


@pytest.fixture
def cut_off() -> Iterator[int]:
    yield from _talk(_cut_off)


def test_a_mail_whose_receipt_was_lost_is_uncertain(cut_off: int, timeline: Timeline) -> None:
    found = send(MAIL, MailServer("smtp", "127.0.0.1", cut_off), client=timeline.client())
    assert (found.failure, found.uncertain, found.attempts) == (Failure.BROKEN, True, 1)
    found = send(MAIL, MailServer("smtp", "127.0.0.1", cut_off), AGAIN, client=timeline.client())
    assert (found.failure, found.uncertain, found.attempts) == (Failure.BROKEN, True, 3)


def _drip(connection: socket.socket, lines: Any) -> None:
    over = threading.Event()
    try:
        connection.sendall(b"220 ")
        while not over.wait(0.05):
            connection.sendall(b"x")
    except OSError:
        return


@pytest.fixture
def dripping() -> Iterator[int]:
    yield from _talk(_drip)


def test_a_server_that_drips_is_cut_off_by_the_time_for_all(dripping: int) -> None:
    begun = time.monotonic()
    found = send(MAIL, MailServer("smtp", "127.0.0.1", dripping), Policy(read=0.3, total=0.5))
    assert (found.failure, found.uncertain) == (Failure.TIMEOUT, False)
    assert time.monotonic() - begun < 2


@pytest.mark.parametrize("changes", [
    {"subject": "a\r\nBcc: other@evil.test"}, {"subject": "a\nb"}, {"message_id": "<a>\r\nX-Y: z"},
    {"recipients": ("a@acme.test\r\nRCPT TO:<b@evil.test>",)}, {"recipients": ("a@b, c@d",)},
    {"recipients": ("<a@b>",)}, {"recipients": ("nobody",)}, {"sender": "x@y\nz"}, {"sender": ""},
    {"recipients": ("ö@acme.test",)},
])
def test_nothing_can_be_smuggled_into_a_mail(start: Start, changes: dict[str, Any]) -> None:
    box, port = start()
    found = send(replace(MAIL, **changes), MailServer("smtp", "127.0.0.1", port))
    assert (found.failure, found.attempts, box.taken) == (Failure.INVALID, 0, [])


def test_a_text_cannot_end_the_mail_or_add_a_header(timeline: Timeline) -> None:
    text = composed(replace(MAIL, text="\r\n.\r\nMAIL FROM:<x@evil.test>\r\nBcc: y@evil.test"), timeline.client())
    head, _, _ = text.partition(b"\r\n\r\n")
    assert b"evil" not in head


@pytest.mark.parametrize(("url", "expected"), [
    ("smtp://localhost", MailServer("smtp", "localhost", 25)),
    ("smtp+starttls://u:p@mail.acme.test", MailServer("smtp+starttls", "mail.acme.test", 587, "u", "p")),
    ("smtps://u%40acme:p%3A@mail.acme.test:2465", MailServer("smtps", "mail.acme.test", 2465, "u@acme", "p:")),
])
def test_a_mail_server_is_read_from_its_address(url: str, expected: MailServer) -> None:
    assert MailServer.of(url) == expected
    assert "password" not in repr(MailServer.of(url))


@pytest.mark.parametrize("url", ["", "http://mail.acme.test", "smtps://", "mail.acme.test:25", "smtps://a:99999"])
def test_what_is_no_mail_server_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"begins with|out of range"):
        MailServer.of(url)


def test_a_server_is_looked_at_without_a_mail(start: Start, timeline: Timeline) -> None:
    box, port = start(sign_in=True, auth_require_tls=False)
    assert reachable(MailServer("smtp", "127.0.0.1", port), client=timeline.client()).ok
    wrong = reachable(MailServer("smtp", "127.0.0.1", port, "me", "wrong"), client=timeline.client())
    assert (wrong.ok, wrong.failure, wrong.status) == (False, Failure.SIGN_IN, 535)
    plain = reachable(MailServer("smtp+starttls", "127.0.0.1", port), client=timeline.client())
    assert (plain.ok, plain.failure) == (False, Failure.TLS)
    assert box.taken == []


def test_a_server_that_is_not_there_is_told_by_the_look(closed_port: int, timeline: Timeline) -> None:
    found = reachable(MailServer("smtp", "127.0.0.1", closed_port), client=timeline.client())
    assert (found.ok, found.failure) == (False, Failure.CONNECT)
