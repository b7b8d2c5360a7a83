"""Entries as frames of syslog: RFC 5424, framed by octet counting as RFC 5425 asks. Plain functions."""

from __future__ import annotations

import json
from dataclasses import dataclass

from workreef_app.services.audit_review import siem
from workreef_app.services.audit_review.feeding import WRITERS, Form
from workreef_app.services.events import Event

#: Facility 13 is "log audit"; severities of RFC 5424.
FACILITY, WARNING, NOTICE = 13, 4, 5


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of the log, as it is stored, and whose log it is."""

    tenant: str
    seq: int
    content: str
    chain_hash: bytes


def line(entry: Entry, form: Form) -> str:
    """The entry in a form, on one line, newline included."""
    return WRITERS[form](entry.seq, entry.content, entry.chain_hash, entry.tenant)


def syslog(entry: Entry, form: Form, host: str) -> bytes:
    """The entry as a frame; a warning where something was refused, else a notice. `host` names the sender."""
    said = json.loads(entry.content)
    severity = WARNING if Event(said["event"]) in siem.REFUSED else NOTICE
    head = f"<{FACILITY * 8 + severity}>1 {said['at']} {host} workreef - {entry.seq} - \ufeff"
    message = (head + line(entry, form).removesuffix("\n")).encode()
    return f"{len(message)} ".encode() + message
