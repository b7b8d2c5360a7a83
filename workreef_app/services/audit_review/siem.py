"""Entries as the tools of a security team take them: OCSF 1.3 and CEF 0. Plain functions on an entry's own content.

What an entry does not hold is not made up: the log keeps no address, so the source endpoint is named as not recorded.
The sequence and the leaf hash (RFC 6962, as in checkpoints) go along, so that an event can be found again in an export
and proven there.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any, Final

from workreef_app.services.audit.verify import leaf
from workreef_app.services.events import Event

OCSF_VERSION: Final = "1.3.0"
#: Classes of OCSF, each with its category.
API_ACTIVITY, AUTHENTICATION = 6003, 3002
CATEGORIES: Final = {API_ACTIVITY: 6, AUTHENTICATION: 3}
CLASSES: Final = {API_ACTIVITY: "API Activity", AUTHENTICATION: "Authentication"}
CREATE, READ, UPDATE, DELETE, OTHER = 1, 2, 3, 4, 99
LOGON, LOGOFF = 1, 2
SIGN_INS: Final = {Event.SESSION_STARTED: LOGON, Event.SESSION_REFUSED: LOGON, Event.SESSION_ENDED: LOGOFF}
REFUSED: Final = frozenset({Event.SESSION_REFUSED, Event.SCOPE_DENIED, Event.FACTOR_REFUSED})
#: What the verb of an event is in OCSF's four; what is none of them is an update.
ACTIVITIES: Final = {
    "created": CREATE, "added": CREATE, "made": CREATE, "started": CREATE, "raised": CREATE, "scheduled": CREATE,
    "read": READ, "exported": READ, "verified": READ, "rehearsed": READ, "tested": READ,
    "revoked": DELETE, "removed": DELETE, "withdrawn": DELETE, "swept": DELETE,
    "denied": OTHER, "refused": OTHER,
}
INFORMATIONAL, LOW = 1, 2
SUCCESS, FAILURE = 1, 2


def ocsf(seq: int, content: str, chain_hash: bytes, tenant: str) -> str:
    """The entry as one line of NDJSON, newline included."""
    entry = json.loads(content)
    event = Event(entry["event"])
    kind = AUTHENTICATION if event in SIGN_INS else API_ACTIVITY
    activity = SIGN_INS.get(event) or ACTIVITIES.get(event.value.partition(".")[2], UPDATE)
    refused = event in REFUSED
    made: dict[str, Any] = {
        "category_uid": CATEGORIES[kind], "class_uid": kind, "class_name": CLASSES[kind],
        "activity_id": activity, "type_uid": kind * 100 + activity,
        "severity_id": LOW if refused else INFORMATIONAL, "status_id": FAILURE if refused else SUCCESS,
        "time": _milliseconds(entry["at"]), "message": event.value,
        "metadata": {
            "version": OCSF_VERSION, "product": {"name": "WorkReef", "vendor_name": "WorkReef"},
            "uid": f"{tenant}:{seq}", "sequence": seq, "event_code": event.value, "tenant_uid": tenant,
            "correlation_uid": entry["request"], "log_name": "audit",
        },
        "src_endpoint": {"name": "not recorded"},
        "unmapped": {
            "leaf_hash": leaf(content.encode()).hex(), "chain_hash": chain_hash.hex(), "persona": entry["persona"],
            "department": entry["department"], "detail": entry["detail"],
        },
    }
    if kind == AUTHENTICATION:
        made["user"] = {"uid": entry["actor"]}
    else:
        made["actor"] = {"user": {"uid": entry["actor"]}}
        made["api"] = {"operation": str(entry["detail"].get("operation", event.value))}
        if entry["target"] is not None:
            made["resources"] = [{"uid": entry["target"]}]
    return json.dumps(made, ensure_ascii=False, separators=(",", ":")) + "\n"


def cef(seq: int, content: str, chain_hash: bytes, tenant: str) -> str:
    """The entry as one line of CEF, newline included."""
    entry = json.loads(content)
    event = Event(entry["event"])
    refused = event in REFUSED
    header = ("CEF:0", "WorkReef", "WorkReef", "1", event.value, event.value, "5" if refused else "1")
    extension = {
        "rt": str(_milliseconds(entry["at"])), "externalId": str(seq), "deviceExternalId": tenant,
        "suid": entry["actor"], "act": str(entry["detail"].get("operation", "")),
        "outcome": "failure" if refused else "success", "cs1Label": "target", "cs1": entry["target"] or "",
        "cs2Label": "leafHash", "cs2": leaf(content.encode()).hex(), "cs3Label": "chainHash", "cs3": chain_hash.hex(),
        "cs4Label": "department", "cs4": entry["department"] or "", "cs5Label": "request", "cs5": entry["request"],
        "msg": json.dumps(entry["detail"], ensure_ascii=False, separators=(",", ":")),
    }
    fields = " ".join(f"{name}={_field(value)}" for name, value in extension.items() if value)
    return "|".join([header[0], *(_head(part) for part in header[1:])]) + f"|{fields}\n"


def _milliseconds(at: str) -> int:
    return round(datetime.fromisoformat(at).timestamp() * 1000)


def _head(text: str) -> str:
    """A part of CEF's header: backslash and bar are escaped, and it is one line."""
    return text.replace("\\", r"\\").replace("|", r"\|").replace("\n", " ").replace("\r", " ")


def _field(text: str) -> str:
    """A value of CEF's extension: backslash, equals sign and line ends are escaped."""
    return text.replace("\\", r"\\").replace("=", r"\=").replace("\n", r"\n").replace("\r", r"\r")
