"""An audit entry as other systems read it. Plain functions on plain values.

OCSF 1.3 (Open Cybersecurity Schema Framework): sign-in and sign-out are Authentication (3002), all else API Activity
(6003). CEF: ArcSight Common Event Format, revision 26. Syslog: RFC 5424, framed by octet counting (RFC 6587, 3.4.1).
Beside each event go our number, the entry's hash in the chain and its leaf in the tree, so that what a SIEM has can be
compared with an export.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

from workreef_app.services.audit.verify import leaf

AUTHENTICATION: Final = 3002
API_ACTIVITY: Final = 6003
#: Activities of Authentication; of API Activity by the verb of an event.
SIGN_INS: Final[Mapping[str, int]] = MappingProxyType({
    "session.started": 1, "session.refused": 1, "session.ended": 2, "session.revoked": 2,
})
CREATED: Final = frozenset({"created", "added", "started", "made", "raised", "received", "scheduled"})
READ: Final = frozenset({"read", "verified", "exported", "tested"})
REMOVED: Final = frozenset({"removed", "revoked", "withdrawn", "swept", "deactivated"})
#: Verbs that say that somebody was refused.
REFUSED: Final = frozenset({"denied", "refused"})


class Format(StrEnum):
    """How events are written."""

    OCSF = "ocsf"
    CEF = "cef"


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of the log, as it is stored, and whose log it is."""

    tenant: str
    seq: int
    content: str
    chain_hash: bytes

    @property
    def said(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.content)
        return found

    @property
    def leaf(self) -> str:
        return leaf(self.content.encode()).hex()


def _verb(event: str) -> str:
    return event.partition(".")[2]


def _activity(event: str) -> tuple[int, int]:
    """The class and the activity of an event."""
    if event in SIGN_INS:
        return AUTHENTICATION, SIGN_INS[event]
    verb = _verb(event)
    kinds = ((CREATED, 1), (READ, 2), (REMOVED, 4))
    return API_ACTIVITY, next((number for verbs, number in kinds if verb in verbs), 3)


def milliseconds(at: str) -> int:
    """A time of an entry as milliseconds since 1970, as OCSF counts."""
    moment = datetime.fromisoformat(at)
    return int((moment - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() * 1000)


def ocsf(entry: Entry) -> dict[str, Any]:
    """The entry as an OCSF event."""
    said, event = entry.said, str(entry.said.get("event"))
    kind, activity = _activity(event)
    refused = _verb(event) in REFUSED
    return {
        "class_uid": kind, "category_uid": kind // 1000, "activity_id": activity, "type_uid": kind * 100 + activity,
        "time": milliseconds(said["at"]), "severity_id": 3 if refused else 1, "status_id": 2 if refused else 1,
        "metadata": {
            "version": "1.3.0", "uid": f"{entry.tenant}/{entry.seq}", "sequence": entry.seq, "event_code": event,
            "log_name": "audit", "tenant_uid": entry.tenant, "product": {"name": "WorkReef", "vendor_name": "WorkReef"},
        },
        "actor": {"user": {"uid": said.get("actor"), "type": said.get("persona") or "none"}},
        "user": {"uid": said.get("actor")},
        "api": {"operation": str(said.get("detail", {}).get("operation", event)),
                "request": {"uid": str(said.get("request"))}},
        "resources": [{"uid": said["target"]}] if said.get("target") else [],
        "unmapped": {
            "detail": said.get("detail", {}), "department": said.get("department"),
            "seq": entry.seq, "chain_hash": entry.chain_hash.hex(), "leaf_hash": entry.leaf,
        },
    }


def _header(text: str) -> str:
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("\n", " ").replace("\r", " ")


def _extension(text: str) -> str:
    return text.replace("\\", "\\\\").replace("=", "\\=").replace("\n", "\\n").replace("\r", "\\r")


def cef(entry: Entry) -> str:
    """The entry as a line of CEF."""
    said, event = entry.said, str(entry.said.get("event"))
    severity = 6 if _verb(event) in REFUSED else 3
    facts = {
        "rt": str(milliseconds(said["at"])), "suser": str(said.get("actor")), "externalId": str(entry.seq),
        "request": str(said.get("request")), "outcome": "failure" if severity == 6 else "success",
        "cs1Label": "target", "cs1": str(said.get("target") or ""), "cs2Label": "leafHash", "cs2": entry.leaf,
        "cs3Label": "chainHash", "cs3": entry.chain_hash.hex(), "cs4Label": "detail",
        "cs4": json.dumps(said.get("detail", {}), separators=(",", ":"), ensure_ascii=False),
        "cs5Label": "tenant", "cs5": entry.tenant,
    }
    tail = " ".join(f"{name}={_extension(value)}" for name, value in facts.items())
    return f"CEF:0|WorkReef|WorkReef|1|{_header(event)}|{_header(event)}|{severity}|{tail}"


def line(entry: Entry, form: Format) -> str:
    """The entry in a format, on one line, without its end."""
    if form is Format.CEF:
        return cef(entry)
    return json.dumps(ocsf(entry), separators=(",", ":"), ensure_ascii=False)


def syslog(entry: Entry, form: Format, host: str) -> bytes:
    """The entry as a frame of syslog: facility 13 (log audit), severity notice, or warning where it was refused."""
    said = entry.said
    severity = 4 if _verb(str(said.get("event"))) in REFUSED else 5
    message = (
        f"<{13 * 8 + severity}>1 {said['at']} {host} workreef - {entry.seq} - \ufeff{line(entry, form)}"
    ).encode()
    return f"{len(message)} ".encode() + message
