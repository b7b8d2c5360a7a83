"""The log in pieces and in its own order, with the contents of its entries, for the tools of a security team."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from workreef_app.services.audit_review import finding, siem
from workreef_app.services.audit_review.finding import Filters
from workreef_app.services.audit_review.reading import head
from workreef_app.services.operation import AUDITORS, Event, Result, Work, operation

PIECE = 2000


class Form(StrEnum):
    """How entries are written: OCSF as NDJSON, or CEF; an event a line."""

    OCSF = "ocsf"
    CEF = "cef"


WRITERS = {Form.OCSF: siem.ocsf, Form.CEF: siem.cef}


class Feed(Filters):
    form: Form
    after: int = Field(0, ge=0, description="The last entry that is known; 0 for none.")
    upto: int | None = Field(None, ge=0, description="The last entry that is wanted; null for all that there are.")


class Fed(Result):
    """Lines of the piece. `next` is the `after` of the next one, None for the end; `upto` stays the same for all."""

    lines: str
    upto: int
    next: int | None


@operation("audit.feed", by=AUDITORS, limit="600/minute", audit=Event.AUDIT_EXPORTED, keyless=True)
def feed(work: Work, command: Feed) -> Fed:
    """Gives the next entries after one that is known, as OCSF or CEF."""
    last = head(work.session).seq
    upto = min(last, command.upto if command.upto is not None else last)
    found = finding.oldest(work, command, after=command.after, upto=upto, limit=PIECE + 1)
    piece = found[:PIECE]
    write = WRITERS[command.form]
    lines = [write(each.seq, each.content, bytes(each.chain_hash), str(work.tenant.id)) for each in piece]
    work.note(target="audit", entries=len(piece), first=piece[0].seq if piece else None, form=command.form.value)
    return Fed(lines="".join(lines), upto=upto, next=piece[-1].seq if len(found) > PIECE else None)
