"""The log's events reach a SIEM in its own formats, in order, none lost and none left out, over real connections."""

from __future__ import annotations

import json
import re
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.services.audit.worlds import TENANT, contents
from tests.services.outbound.conftest import Certificates, Timeline
from tests.services.witnesses.test_witnesses import Hook
from workreef_app.services.audit import verify
from workreef_app.services.audit.canonical import canonical
from workreef_app.services.door import Caller, Door
from workreef_app.services.operation import Invalid, WrongPersona
from workreef_app.services.outbound.policy import Failure
from workreef_app.services.siem import formats, operations, sending
from workreef_app.services.siem.formats import Entry, Format
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


def entry(event: str = "data.read", **more: Any) -> Entry:
    said = {
        "actor": "person:01900000-0000-7000-8000-00000000000c", "at": "2026-11-23T09:14:07.123456Z",
        "department": None, "detail": {"operation": "x.y"}, "event": event, "persona": "operator", "request": "abc",
        "target": "task:1", **more,
    }
    return Entry(str(TENANT), 7, canonical(said), b"\x01" * 32)


# --- formats --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("event", "kind", "activity", "status"), [
    ("session.started", 3002, 1, 1), ("session.refused", 3002, 1, 2), ("session.ended", 3002, 2, 1),
    ("data.read", 6003, 2, 1), ("person.created", 6003, 1, 1), ("setting.changed", 6003, 3, 1),
    ("token.revoked", 6003, 4, 1), ("scope.denied", 6003, 3, 2),
])
def test_an_event_is_of_the_class_that_ocsf_has_for_it(event: str, kind: int, activity: int, status: int) -> None:
    made = formats.ocsf(entry(event))
    assert (made["class_uid"], made["category_uid"], made["activity_id"]) == (kind, kind // 1000, activity)
    assert (made["type_uid"], made["status_id"]) == (kind * 100 + activity, status)
    assert made["time"] == 1795425247123
    assert (made["metadata"]["sequence"], made["metadata"]["version"]) == (7, "1.3.0")
    assert made["unmapped"]["leaf_hash"] == verify.leaf(entry(event).content.encode()).hex()


@given(st.text(max_size=60), st.text(max_size=60))
def test_cef_is_one_line_that_can_be_read_back(target: str, request: str) -> None:
    made = formats.cef(entry(target=target.replace("\ud800", ""), request=request))
    assert "\n" not in made
    assert "\r" not in made
    header = re.split(r"(?<!\\)\|", made, maxsplit=7)
    assert header[:7] == ["CEF:0", "WorkReef", "WorkReef", "1", "data.read", "data.read", "3"]
    pairs = re.split(r" (?=(?:rt|suser|externalId|request|outcome|cs\dLabel|cs\d)=)", header[7])
    facts = dict(pair.split("=", 1) for pair in pairs)
    assert facts["externalId"] == "7"
    assert len(facts["cs2"]) == 64


def test_a_frame_says_how_long_it_is() -> None:
    frame = formats.syslog(entry("scope.denied"), Format.CEF, "acme")
    length, _, message = frame.partition(b" ")
    assert int(length) == len(message)
    assert message.startswith(b"<108>1 2026-11-23T09:14:07.123456Z acme workreef - 7 - \xef\xbb\xbfCEF:0|")


def test_every_kind_of_content_can_be_written() -> None:
    for seq, content in enumerate(contents(40), 1):
        made = Entry(str(TENANT), seq, content, bytes(32))
        assert json.loads(formats.line(made, Format.OCSF))["metadata"]["sequence"] == seq
        assert formats.line(made, Format.CEF).startswith("CEF:0|")


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
        with self._context.wrap_socket(plain, server_side=True) as stream:
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
        FeedKind.SYSLOG, Format.OCSF, f"tls://localhost:{collector.port}", "", "acme", public_only=False
    )
    sent = [entry(), entry("scope.denied")]
    outcome = sending.send(sent, feed, timeline.client().now(), timeline.client())
    assert outcome.ok, outcome
    assert collector.ended.wait(10)
    assert [f"{len(m)} ".encode() + m for m in collector.messages()] == [
        formats.syslog(each, Format.OCSF, "acme") for each in sent
    ]
    collector.close()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_collector_that_is_not_who_it_says_gets_nothing(certificates: Certificates, timeline: Timeline) -> None:
    collector = Collector(certificates.server)
    timeline.resolve, timeline.tls = lambda *_: ["127.0.0.1"], certificates.client
    feed = sending.Feed(
        FeedKind.SYSLOG, Format.CEF, f"tls://siem.example:{collector.port}", "", "acme", public_only=False
    )
    outcome = sending.send([entry()], feed, timeline.client().now(), timeline.client())
    assert outcome.failure is Failure.TLS
    assert collector.got == b""
    collector.close()


# --- files and settings ----------------------------------------------------------------------------------------------


def test_the_log_is_exported_in_both_formats(door: Door, tenant: Tenant, cli: Cli) -> None:
    door.perform(cli(tenant), "departments.create", {"slug": "a", "name": "A"})
    for form, ending in (("ocsf", "ndjson"), ("cef", "cef")):
        result = door.perform(cli(tenant), "audit.export_events", {"format": form, "first": 2})
        lines = result.path.read_text("utf-8").splitlines()
        result.path.unlink()
        assert result.name.endswith(ending)
        assert lines
        assert "2" in lines[0]
        assert "department.created" in lines[0]


@pytest.mark.parametrize(("sent", "field"), [
    ({"kind": "syslog", "target": "https://x.example"}, "target"), ({"kind": "syslog", "target": "tls://"}, "target"),
    ({"kind": "syslog", "target": "tls://u@x.example"}, "target"), ({"kind": "webhook", "target": "tls://x"}, "target"),
    ({"kind": "webhook"}, "target"), ({"kind": "other"}, "kind"), ({"format": "leef"}, "format"),
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
