"""Checkpoints reach folders, webhooks and locked buckets; a witness that refuses raises an alarm, no more."""

from __future__ import annotations

import hashlib
import hmac
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto.server import ThreadedMotoServer

from workreef_app.services.audit import verify
from workreef_app.services.door import Caller, Door
from workreef_app.services.operation import Conflict, Invalid, NotFound, WrongPersona
from workreef_app.services.outbound.policy import Failure
from workreef_app.services.tenancy.platform import Tenant
from workreef_app.services.witnesses.models import WitnessKind
from workreef_app.services.witnesses.sending import Parcel, Target, send
from workreef_app.services.workers.checkpointing import Checkpointer

Cli = Callable[[Tenant], Caller]
NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
PARCEL = Parcel("workreef/01900000-0000-7000-8000-00000000000a", 7, "a note\n")
KEYS = {"region": "eu-central-1", "access_key": "access", "secret_key": "canary-secret-of-a-bucket"}


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    """A server that speaks S3, on this host."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    yield f"http://127.0.0.1:{server.get_host_and_port()[1]}"
    server.stop()


@pytest.fixture
def bucket(s3: str) -> Any:
    """A bucket with Object Lock, by the client that its owner has."""
    client = boto3.client(
        "s3", endpoint_url=s3, region_name="eu-central-1", aws_access_key_id="access",
        aws_secret_access_key="canary-secret-of-a-bucket",
    )
    client.create_bucket(
        Bucket="locked", ObjectLockEnabledForBucket=True,
        CreateBucketConfiguration={"LocationConstraint": "eu-central-1"},
    )
    yield client
    for version in client.list_object_versions(Bucket="locked").get("Versions", []):
        with pytest.raises(ClientError, match="AccessDenied"):
            client.delete_object(Bucket="locked", Key=version["Key"], VersionId=version["VersionId"])


class Hook:
    """A webhook on this host, which answers with `status`."""

    def __init__(self) -> None:
        self.status = 204
        self.calls: list[tuple[dict[str, str], bytes]] = []
        hook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                hook.calls.append(({name.lower(): value for name, value in self.headers.items()}, body))
                self.send_response(hook.status)
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/checkpoints"


@pytest.fixture
def hook() -> Iterator[Hook]:
    made = Hook()
    yield made
    made.server.shutdown()
    made.server.server_close()


def target(kind: WitnessKind, root: Path, where: str, **secret: str) -> Target:
    return Target(kind, where, secret, root, public_only=False)


# --- each kind ------------------------------------------------------------------------------------------------------


def test_a_folder_takes_a_checkpoint_once_and_never_another_in_its_place(tmp_path: Path) -> None:
    to = target(WitnessKind.FOLDER, tmp_path, "auditor")
    for _ in range(2):
        assert send(PARCEL, to, NOW).ok
    (file,) = (tmp_path / "auditor").rglob("*.txt")
    assert (file.name, file.read_text(), file.stat().st_mode & 0o222) == ("7.txt", "a note\n", 0)
    assert send(replace(PARCEL, note="another\n"), to, NOW).failure is Failure.REFUSED
    assert file.read_text() == "a note\n"


@pytest.mark.parametrize("name", ["../elsewhere", "/tmp", "", "a/b", "A", "a" * 64, ".", "a\x00"])
def test_a_folder_lies_beneath_the_directory_of_witnesses(tmp_path: Path, name: str) -> None:
    assert send(PARCEL, target(WitnessKind.FOLDER, tmp_path / "root", name), NOW).failure is Failure.INVALID
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_a_failure(tmp_path: Path) -> None:
    (tmp_path / "auditor").write_text("a file is in its place")
    assert send(PARCEL, target(WitnessKind.FOLDER, tmp_path, "auditor"), NOW).failure is Failure.UNAVAILABLE


def test_a_webhook_can_tell_that_the_call_is_ours(tmp_path: Path, hook: Hook) -> None:
    assert send(PARCEL, target(WitnessKind.WEBHOOK, tmp_path, hook.url, secret="s3cret"), NOW).ok
    ((headers, body),) = hook.calls
    assert body == b"a note\n"
    assert headers["idempotency-key"] == f"{PARCEL.log}-7"
    parts = dict(part.split("=", 1) for part in headers["x-workreef-signature"].split(","))
    signed = f"{parts['t']}.".encode() + body
    assert parts["v1"] == hmac.new(b"s3cret", signed, hashlib.sha256).hexdigest()


def test_a_bucket_takes_it_under_a_lock_that_nobody_lifts(tmp_path: Path, s3: str, bucket: Any) -> None:
    outcome = send(PARCEL, target(WitnessKind.S3, tmp_path, "locked", endpoint=s3, **KEYS), NOW)
    assert outcome.ok, outcome
    found = bucket.get_object(Bucket="locked", Key="01900000-0000-7000-8000-00000000000a/7.txt")
    assert found["Body"].read() == b"a note\n"
    assert found["ObjectLockMode"] == "COMPLIANCE"
    assert (found["ObjectLockRetainUntilDate"] - NOW).days == 400


def test_a_bucket_that_is_not_there_is_a_failure(tmp_path: Path, s3: str) -> None:
    outcome = send(PARCEL, target(WitnessKind.S3, tmp_path, "nowhere", endpoint=s3, **KEYS), NOW)
    assert outcome.failure is Failure.REFUSED


# --- by the product -------------------------------------------------------------------------------------------------


def rows(door: Door, tenant: Tenant, cli: Cli) -> list[Any]:
    return list(door.perform(cli(tenant), "witnesses.list", {}).rows)


def alarms(door: Door, tenant: Tenant, cli: Cli) -> list[str]:
    found = door.perform(cli(tenant), "alarms.list", {"state": "open"}).rows
    return [row.kind for row in found if row.kind == "witness_behind"]


def change(door: Door, tenant: Tenant, cli: Cli, slug: str) -> None:
    door.perform(cli(tenant), "departments.create", {"slug": slug, "name": slug})


def test_every_witness_gets_what_is_signed_and_one_that_refuses_raises_an_alarm(
    door: Door, tenant: Tenant, cli: Cli, hook: Hook, log: Any
) -> None:
    change(door, tenant, cli, "one")
    door.perform(cli(tenant), "witnesses.add", {"kind": "folder", "target": "auditor"})
    added = door.perform(cli(tenant), "witnesses.add", {"kind": "webhook", "target": hook.url})
    assert added.new_secret
    hook.status = 403
    Checkpointer(door).tick()
    folder, refusing = rows(door, tenant, cli)
    assert (folder.failure, refusing.failure, refusing.behind) == (None, Failure.REFUSED, True)
    assert alarms(door, tenant, cli) == ["witness_behind"]
    note = next((door.platform.settings.data_dir / "witnesses" / tenant.info.slug / "auditor").rglob("*.txt"))
    keys = door.platform.signer.keys(tenant.info.id)
    assert verify.parse_note(note.read_text()).signer(keys)
    hook.status, before = 204, len(hook.calls)
    Checkpointer(door).tick()
    Checkpointer(door).tick()
    assert len(hook.calls) == before + 1, "what tells of pushing is no cause for another checkpoint"
    folder, taken = rows(door, tenant, cli)
    assert (taken.failure, taken.failing_since, taken.behind, taken.sent_size) == (None, None, False, folder.sent_size)
    assert alarms(door, tenant, cli) == []
    assert {"witness.added", "witness.pushed"} <= {event for event, _, _ in log(tenant)}


def test_secrets_are_told_once_and_are_in_no_entry(
    door: Door, tenant: Tenant, cli: Cli, s3: str, sql_as_owner: Any
) -> None:
    sent = {"kind": "s3", "target": "locked", "endpoint": s3, **KEYS}
    added = door.perform(cli(tenant), "witnesses.add", sent)
    assert added.new_secret is None
    with sql_as_owner(tenant) as owner:
        written = " ".join(str(row) for row in owner.execute("SELECT content FROM audit_entry"))
        kept = owner.execute("SELECT secret FROM witness").fetchone()
    for text in (written, str(kept), str(rows(door, tenant, cli)), str(added)):
        assert "canary" not in text
    behind = door.perform(Caller(tenant, "t", system="checkpoints"), "witnesses.behind", {})
    assert "canary" not in behind.model_dump_json()


@pytest.mark.parametrize(("sent", "field"), [
    ({"kind": "folder", "target": "../x"}, "target"), ({"kind": "webhook", "target": "ftp://x"}, "target"),
    ({"kind": "webhook", "target": "https://u:p@x.example"}, "target"),
    ({"kind": "s3", "target": "b", "region": "eu"}, "access_key"),
    ({"kind": "s3", "target": "b", "endpoint": "file:///x", **KEYS}, "endpoint"),
    ({"kind": "folder", "target": ""}, "target"), ({"kind": "other", "target": "x"}, "kind"),
])
def test_what_is_no_witness_is_refused_by_name(
    door: Door, shared: Tenant, cli: Cli, sent: dict[str, str], field: str
) -> None:
    with pytest.raises(Invalid) as refused:
        door.perform(cli(shared), "witnesses.add", sent)
    assert field in refused.value.fields


def test_a_witness_is_removed_with_its_alarm_and_there_are_ten_at_most(door: Door, tenant: Tenant, cli: Cli) -> None:
    ids = [
        door.perform(cli(tenant), "witnesses.add", {"kind": "folder", "target": f"w{number}"}).row.id
        for number in range(10)
    ]
    with pytest.raises(Conflict):
        door.perform(cli(tenant), "witnesses.add", {"kind": "folder", "target": "eleven"})
    system = Caller(tenant, "t", system="checkpoints")
    door.perform(system, "witnesses.record", {"witness_id": ids[0], "size": 1, "failure": "timeout"})
    assert alarms(door, tenant, cli) == ["witness_behind"]
    door.perform(cli(tenant), "witnesses.remove", {"witness_id": ids[0]})
    assert alarms(door, tenant, cli) == []
    with pytest.raises(NotFound):
        door.perform(cli(tenant), "witnesses.remove", {"witness_id": ids[0]})


@pytest.mark.parametrize("persona", ["operator", "contributor", "change_leader", "security_reviewer"])
def test_only_admins_change_witnesses(door: Door, shared: Tenant, person: Any, persona: str) -> None:
    with pytest.raises(WrongPersona):
        door.perform(person(shared, [persona]), "witnesses.add", {"kind": "folder", "target": "x"})
