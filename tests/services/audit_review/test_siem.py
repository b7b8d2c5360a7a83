"""Entries as OCSF and CEF: every event is told, nothing is lost or escapes its field, and it can be found again."""

from __future__ import annotations

import hashlib
import json
import re
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workreef_app.services.audit import log
from workreef_app.services.audit_review import siem
from workreef_app.services.operation import Event

AT = datetime(2026, 11, 14, 21, 19, 7, 123456, tzinfo=UTC)
TENANT = str(UUID(int=5))
HASH = bytes(range(32))
#: What OCSF 1.3 asks of these classes, and of every event.
BASE = {"activity_id", "category_uid", "class_uid", "metadata", "severity_id", "time", "type_uid"}
REQUIRED = {siem.API_ACTIVITY: BASE | {"actor", "api", "src_endpoint"}, siem.AUTHENTICATION: BASE | {"user"}}


def entry(event: Event = Event.DATA_READ, **changes: Any) -> str:
    facts: dict[str, Any] = {
        "at": AT, "actor": "person:1", "persona": "admin", "event": event, "target": "task:1", "department": None,
        "detail": {"operation": "tasks.read", "rows": 3}, "request": "r1",
    }
    return log.content(**{**facts, **changes})


@pytest.mark.parametrize("event", list(Event))
def test_every_event_has_all_that_its_class_asks_for(event: Event) -> None:
    told = json.loads(siem.ocsf(7, entry(event), HASH, TENANT))
    assert REQUIRED[told["class_uid"]] <= told.keys()
    assert told["type_uid"] == told["class_uid"] * 100 + told["activity_id"]
    assert told["time"] == 1794691147123
    assert told["metadata"]["event_code"] == event.value
    assert (told["status_id"] == siem.FAILURE) == (event.value.rpartition(".")[2] in {"denied", "refused"})
    assert siem.cef(7, entry(event), HASH, TENANT).startswith(f"CEF:0|WorkReef|WorkReef|1|{event.value}|")


def test_sign_ins_are_sign_ins() -> None:
    told = json.loads(siem.ocsf(7, entry(Event.SESSION_REFUSED), HASH, TENANT))
    assert (told["class_uid"], told["activity_id"], told["status_id"]) == (3002, 1, 2)
    assert json.loads(siem.ocsf(7, entry(Event.SESSION_ENDED), HASH, TENANT))["type_uid"] == 300202
    assert json.loads(siem.ocsf(7, entry(), HASH, TENANT))["type_uid"] == 600302


def test_an_event_can_be_found_in_the_log_again() -> None:
    content = entry()
    told = json.loads(siem.ocsf(18_204, content, HASH, TENANT))
    assert told["metadata"]["sequence"] == 18_204
    assert told["unmapped"]["leaf_hash"] == hashlib.sha256(b"\0" + content.encode()).hexdigest()
    assert told["unmapped"]["chain_hash"] == HASH.hex()
    line = siem.cef(18_204, content, HASH, TENANT)
    assert f"cs2={told['unmapped']['leaf_hash']}" in line
    assert "externalId=18204" in line


def read_cef(line: str) -> dict[str, str]:
    """The extension, as a receiver reads it."""
    extension = re.split(r"(?<!\\)(?:\\\\)*\|", line.removesuffix("\n"), maxsplit=7)[7]
    parts = re.split(r"(?:^| )(\w+)=", extension)
    meant = {r"\\": "\\", r"\=": "=", r"\n": "\n", r"\r": "\r"}
    return {
        name: re.sub(r"\\[\\=nr]", lambda found: meant[found.group()], value)
        for name, value in zip(parts[1::2], parts[2::2], strict=True)
    }


@given(st.text(st.characters(codec="utf-8", exclude_characters=" \x00"), min_size=1, max_size=40))
def test_nothing_escapes_its_field_or_its_line(text: str) -> None:
    content = entry(target=text, actor=text)
    line = siem.cef(1, content, HASH, TENANT)
    assert line.count("\n") == 1
    assert "\r" not in line
    told = read_cef(line)
    assert (told["cs1"], told["suid"], told["outcome"]) == (text, text, "success")
    ndjson = siem.ocsf(1, content, HASH, TENANT)
    assert ndjson.count("\n") == 1
    assert json.loads(ndjson)["resources"] == [{"uid": text}]
