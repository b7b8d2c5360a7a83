"""Mail to the outside, by the operator's own mail server, within the same policy as any call."""

from __future__ import annotations

import logging
import smtplib
import ssl
from dataclasses import dataclass, field
from email.errors import MessageError
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from workreef_app.services.outbound import addresses, retrying, wire
from workreef_app.services.outbound.policy import Client, Failure, Outcome, Policy
from workreef_app.services.outbound.retrying import Try
from workreef_app.services.outbound.smtp import MailServer, NoTls, Session

log = logging.getLogger("workreef.outbound")


@dataclass(frozen=True, slots=True)
class Mail:
    """A plain-text mail. `message_id` stays the same when it is sent again, so that a reader sees it once."""

    sender: str
    recipients: tuple[str, ...] = field(repr=False)
    subject: str = field(repr=False)
    text: str = field(repr=False)
    message_id: str


def composed(mail: Mail, client: Client) -> bytes:
    """The mail as it goes over the wire. Raises ValueError for a line break in a header, or what is no address."""
    for address in (mail.sender, *mail.recipients):
        local, _, domain = address.rpartition("@")
        if not local or not domain or not address.isascii() or any(c in address for c in ' \t\r\n<>,;"'):
            raise ValueError("not a mail address")
    message = EmailMessage(policy=SMTP)
    message["From"], message["To"] = mail.sender, ", ".join(mail.recipients)
    message["Subject"], message["Message-ID"] = mail.subject, mail.message_id
    message["Date"] = format_datetime(client.now())
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(mail.text)
    return message.as_bytes()


def send(mail: Mail, server: MailServer, policy: Policy | None = None, *, client: Client | None = None) -> Outcome:
    """Hands a mail in. Every failure is in the outcome; nothing is raised.

    Mail is not idempotent unless the policy says so: a second hand-in may arrive as a second mail.
    """
    policy, client = policy or Policy(), client or Client()
    try:
        content = composed(mail, client)
    except (ValueError, MessageError):
        return Outcome(Failure.INVALID, attempts=0)
    try:
        return retrying.run(
            lambda deadline: _attempt(mail, content, server, policy, client, wire.Meter(client.clock, deadline)),
            policy, client, idempotent=bool(policy.idempotent), safe=False,
        )
    except Exception as error:
        log.error("a mail failed by a fault of ours", extra={"error": type(error).__name__})
        return Outcome(Failure.FAULT, uncertain=True)


def reachable(server: MailServer, policy: Policy | None = None, *, client: Client | None = None) -> Outcome:
    """Whether the mail server answers, encrypts as asked and takes our sign-in. No mail is handed in."""
    policy, client = policy or Policy(), client or Client()
    session: Session | None = None
    try:
        session = Session(server, "localhost", policy, client, wire.Meter(client.clock, client.clock() + policy.total))
        if server.user:
            session.login(server.user, server.password)
        return Outcome(None, 250)
    except Exception as error:
        return Outcome(*failure_of(error))
    finally:
        if session is not None:
            session.close()


def _attempt(
    mail: Mail, content: bytes, server: MailServer, policy: Policy, client: Client, meter: wire.Meter
) -> Try:
    session: Session | None = None
    try:
        session = Session(server, mail.sender.rpartition("@")[2], policy, client, meter)
        if server.user:
            session.login(server.user, server.password)
        refused = session.hand_in(mail.sender, mail.recipients, content)
        if refused:
            return Try(Outcome(Failure.RECIPIENT, next(iter(refused.values()))[0]), meter.sent)
        return Try(Outcome(None, 250), meter.sent)
    except Exception as error:
        failure, status = failure_of(error)
        if failure is Failure.FAULT:
            log.error("a mail failed by a fault of ours", extra={"error": type(error).__name__})
        return Try(Outcome(failure, status), meter.sent)
    finally:
        if session is not None:
            session.close()


def failure_of(error: BaseException) -> tuple[Failure, int | None]:
    """The code of what went wrong with a mail, and the server's own number where it gave one."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return Failure.RECIPIENT, int(next(iter(error.recipients.values()))[0])
    if isinstance(error, smtplib.SMTPAuthenticationError):
        passing = 400 <= error.smtp_code < 500
        return (Failure.UNAVAILABLE if passing else Failure.SIGN_IN), error.smtp_code
    if isinstance(error, smtplib.SMTPResponseException):
        code = int(error.smtp_code)
        passing = 400 <= code < 500 or code < 200
        return (Failure.UNAVAILABLE if passing else Failure.REFUSED), code
    if isinstance(error, NoTls | ssl.SSLCertVerificationError):
        return Failure.TLS, None
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return Failure.SIGN_IN, None
    if isinstance(error, smtplib.SMTPServerDisconnected):
        # smtplib says so of a time-out too.
        return (Failure.TIMEOUT if isinstance(error.__context__, TimeoutError) else Failure.BROKEN), None
    if isinstance(error, addresses.Unresolved):
        return Failure.UNRESOLVED, None
    if isinstance(error, TimeoutError | wire.OUT_OF_TIME):
        return Failure.TIMEOUT, None
    if isinstance(error, ConnectionRefusedError):
        return Failure.CONNECT, None
    if isinstance(error, OSError | smtplib.SMTPException):
        return Failure.BROKEN, None
    return Failure.FAULT, None
