"""The log's events reach a SIEM in its own formats, in order, none lost and none left out, over real connections."""

from __future__ import annotations

import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.services.outbound.conftest import Certificates, Timeline
from tests.services.witnesses.test_witnesses import Hook
from workreef_app.services.audit import log
from workreef_app.services.audit_review.feeding import Form
from workreef_app.services.door import Caller, Door
from workreef_app.services.operation import Event, Invalid, WrongPersona
from workreef_app.services.outbound.policy import Failure
from workreef_app.services.siem import frames, operations, sending
from workreef_app.services.siem.frames import Entry
from workreef_app.services.siem.models import FeedKind
from workreef_app.services.tenancy.platform import Tenant
from workreef_app.services.workers.checkpointing import Checkpointer

Cli = Callable[[Tenant], Caller]


@pytest.fixture
def hook() -> Iterator[Hook]:
    made = Hook()
    yield made
    made.server.shutdown()
    made.server.server_close()


def entry(event: Event = Event.DATA_READ) -> Entry:
    content = log.content(
        at=datetime(2026, 11, 23, 9, 14, 7, 123456, tzinfo=UTC), actor="person:1", persona="operator", event=event,
        target="task:1", department=None, detail={"operation": "x.y"}, request="abc",
    )
    return Entry("01900000-0000-7000-8000-00000000000a", 7, content, bytes(32))


def test_a_frame_says_how_long_it_is() -> None:
    frame = frames.syslog(entry(Event.SCOPE_DENIED), Form.CEF, "acme")
    length, _, message = frame.partition(b" ")
    assert int(length) == len(message)
    assert message.startswith(b"<108>1 2026-11-23T09:14:07.123456Z acme workreef - 7 - \xef\xbb\xbfCEF:0|")
    assert not message.endswith(b"\n")
    assert frames.syslog(entry(), Form.OCSF, "acme").partition(b" ")[2].startswith(b"<109>1 ")


# --- pushing --------------------------------------------------------------------------------------------------------


def events_of(hook: Hook) -> list[int]:
    """The numbers of all entries that a webhook took, in the order in which they came."""
    return [json.loads(line)["metadata"]["sequence"] for _, body in hook.calls for line in body.splitlines()]


def test_a_webhook_gets_every_entry_once_in_order_over_failures_and_restarts(
    door: Door, tenant: Tenant, cli: Cli, hook: Hook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(operations, "BATCH", 3)
    for slug in ("a", "b", "c", "d"):
        door.perform(cli(tenant), "departments.create", {"slug": slug, "name": slug})
    changed = door.perform(cli(tenant), "siem.change", {"kind": "webhook", "target": hook.url, "from_start": True})
    assert changed.new_secret
    hook.status = 403
    Checkpointer(door).tick()
    state = door.perform(cli(tenant), "siem.read", {})
    assert (state.failure, state.sent_seq) == (Failure.REFUSED, 0)
    assert "siem_behind" in [row.kind for row in door.perform(cli(tenant), "alarms.list", {"state": "open"}).rows]
    hook.status, hook.calls = 204, []
    Checkpointer(door).tick()
    taken = events_of(hook)
    assert taken == list(range(1, len(taken) + 1)), "none is left out, none comes twice"
    assert len(taken) >= 6
    state = door.perform(cli(tenant), "siem.read", {})
    assert (state.failure, state.sent_seq) == (None, taken[-1])
    assert "siem_behind" not in [row.kind for row in door.perform(cli(tenant), "alarms.list", {"state": "open"}).rows]
    Checkpointer(door).tick()
    Checkpointer(door).tick()
    again = events_of(hook)
    assert again == list(range(1, len(again) + 1))


def test_what_tells_of_pushing_alone_is_not_pushed(door: Door, tenant: Tenant, cli: Cli, hook: Hook) -> None:
    door.perform(cli(tenant), "siem.change", {"kind": "webhook", "target": hook.url})
    Checkpointer(door).tick()
    before = len(hook.calls)
    Checkpointer(door).tick()
    Checkpointer(door).tick()
    assert len(hook.calls) == before


class Collector:
    """A syslog collector over TLS on this host: what it got, as frames."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self.got = b""
        self.ended = threading.Event()
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self._context = context
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        plain, _ = self._socket.accept()
        with suppress(ssl.SSLError), self._context.wrap_socket(plain, server_side=True) as stream:
            while part := stream.recv(65536):
                self.got += part
        self.ended.set()

    def close(self) -> None:
        self._socket.close()

    def messages(self) -> list[bytes]:
        found, rest = [], self.got
        while rest:
            length, _, rest = rest.partition(b" ")
            found.append(rest[: int(length)])
            rest = rest[int(length) :]
        return found


def test_a_collector_gets_frames_over_tls(certificates: Certificates, timeline: Timeline) -> None:
    collector = Collector(certificates.server)
    timeline.resolve, timeline.tls = lambda *_: ["127.0.0.1"], certificates.client
    feed = sending.Feed(
        FeedKind.SYSLOG, Form.OCSF, f"tls://localhost:{collector.port}", "", "acme", public_only=False
    )
    sent = [entry(), entry(Event.SCOPE_DENIED)]
    outcome = sending.send(sent, feed, timeline.client().now(), timeline.client())
    assert outcome.ok, outcome
    assert collector.ended.wait(10)
    assert [f"{len(m)} ".encode() + m for m in collector.messages()] == [
        frames.syslog(each, Form.OCSF, "acme") for each in sent
    ]
    collector.close()


def test_a_collector_that_is_not_who_it_says_gets_nothing(certificates: Certificates, timeline: Timeline) -> None:
    collector = Collector(certificates.server)
    timeline.resolve, timeline.tls = lambda *_: ["127.0.0.1"], certificates.client
    feed = sending.Feed(
        FeedKind.SYSLOG, Form.CEF, f"tls://siem.example:{collector.port}", "", "acme", public_only=False
    )
    outcome = sending.send([entry()], feed, timeline.client().now(), timeline.client())
    assert outcome.failure is Failure.TLS
    assert collector.got == b""
    collector.close()


# --- settings --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("sent", "field"), [
    ({"kind": "syslog", "target": "https://x.example"}, "target"), ({"kind": "syslog", "target": "tls://"}, "target"),
    ({"kind": "syslog", "target": "tls://u@x.example"}, "target"), ({"kind": "webhook", "target": "tls://x"}, "target"),
    ({"kind": "webhook"}, "target"), ({"kind": "other"}, "kind"), ({"form": "leef"}, "form"),
])
def test_what_is_no_feed_is_refused_by_name(
    door: Door, shared: Tenant, cli: Cli, sent: dict[str, str], field: str
) -> None:
    with pytest.raises(Invalid) as refused:
        door.perform(cli(shared), "siem.change", sent)
    assert field in refused.value.fields


def test_a_feed_is_ended_and_only_by_admins(door: Door, tenant: Tenant, cli: Cli, person: Any) -> None:
    door.perform(cli(tenant), "siem.change", {"kind": "syslog", "target": "tls://siem.example"})
    with pytest.raises(WrongPersona):
        door.perform(person(tenant, ["security_reviewer"]), "siem.change", {})
    assert door.perform(cli(tenant), "siem.change", {}).kind is None
    assert door.perform(cli(tenant), "siem.read", {}).kind is None
    assert door.perform(Caller(tenant, "t", system="checkpoints"), "siem.next_batch", {}).feed is None
