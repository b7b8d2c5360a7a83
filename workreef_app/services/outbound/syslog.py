"""Syslog over TLS (RFC 5425): frames to a collector. The protocol has no answer: what TLS took counts as taken."""

from __future__ import annotations

import logging

from workreef_app.services.outbound import retrying, wire
from workreef_app.services.outbound.calls import failure_of
from workreef_app.services.outbound.policy import Client, Failure, Outcome, Policy
from workreef_app.services.outbound.retrying import Try

log = logging.getLogger("workreef.outbound")


def send(host: str, port: int, frames: bytes, policy: Policy, *, client: Client | None = None) -> Outcome:
    """Sends frames. Every failure is in the outcome; nothing is raised. What was cut off is sent again whole."""
    client = client or Client()
    try:
        return retrying.run(
            lambda deadline: _attempt(host, port, frames, policy, client, wire.Meter(client.clock, deadline)),
            policy, client, idempotent=True, safe=False,
        )
    except Exception as error:
        log.error("a call failed by a fault of ours", extra={"error": type(error).__name__})
        return Outcome(Failure.FAULT, uncertain=True)


def _attempt(host: str, port: int, frames: bytes, policy: Policy, client: Client, meter: wire.Meter) -> Try:
    try:
        plain = wire.Backend(meter, policy, client).connect_tcp(host, port, policy.connect)
        try:
            stream = plain.start_tls(client.tls or wire.trust(), host, policy.connect)
            stream.write(frames, policy.read)
            stream.close()
        finally:
            plain.close()
        return Try(Outcome(), meter.sent)
    except Exception as error:
        failure = failure_of(error)
        if failure is Failure.FAULT:
            log.error("a call failed by a fault of ours", extra={"error": type(error).__name__})
        return Try(Outcome(failure), meter.sent)
