"""Operations on a tenant's redaction profile: what holds, a change and its history, a preview, a test set."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field, StringConstraints
from sqlalchemy import select, text
from sqlmodel import col
from uuid_utils.compat import uuid7

from workreef_app.services import paging
from workreef_app.services.access import people
from workreef_app.services.operation import (
    AUDITORS,
    Command,
    Conflict,
    Event,
    Invalid,
    Persona,
    Result,
    Work,
    operation,
)
from workreef_app.services.redaction import profiles
from workreef_app.services.redaction.current import DEFAULT, FIRST_BODY, directory, profile_of, redactor_of
from workreef_app.services.redaction.engine import Redactor
from workreef_app.services.redaction.models import RedactionChange, RedactionProfile
from workreef_app.services.redaction.profiles import Profile, ProfileError
from workreef_app.services.redaction.restoring import restore
from workreef_app.services.redaction.scoring import Span, score
from workreef_app.services.redaction.tokens import TokenMap

ADMINS = frozenset({Persona.ADMIN})
PAGE = 25
Name = Literal["off", "standard", "aggressive", "custom"]
Entry = Annotated[str, StringConstraints(max_length=profiles.LONGEST_ENTRY, strip_whitespace=True)]
ClassName = Annotated[str, StringConstraints(max_length=30)]
PatternText = Annotated[str, StringConstraints(max_length=profiles.LONGEST_PATTERN + 30, strip_whitespace=True)]
_ENTRIES = text("""
SELECT seq, (content::json -> 'detail' ->> 'change') AS change FROM audit_entry
WHERE target = 'redaction_profile' AND event = 'redaction.changed'
  AND (content::json -> 'detail' ->> 'change') = ANY (:ids)
""")


class Parts(Command):
    """What a `custom` profile consists of. A pattern reads `NAME expression`."""

    classes: list[ClassName] = Field(max_length=len(profiles.CLASSES), default_factory=list)
    deny: list[Entry] = Field(max_length=profiles.MOST_ENTRIES, default_factory=list)
    allow: list[Entry] = Field(max_length=profiles.MOST_ENTRIES, default_factory=list)
    patterns: list[PatternText] = Field(max_length=profiles.MOST_PATTERNS, default_factory=list)
    response: bool = False


class ReadRedaction(Command):
    pass


class Shown(Result):
    """A profile. `finds` is the classes that it looks for; the rest is what `custom` has."""

    name: Name
    finds: list[str]
    classes: list[str]
    deny: list[str]
    allow: list[str]
    patterns: list[str]
    response: bool


class RedactionSettings(Shown):
    """What holds for the tenant; `version` is 0 while nobody changed it. `people` is how many names it knows."""

    version: int
    people: int
    known_classes: list[str]
    changed_at: datetime | None
    changed_by: str


def _shown(name: str, body: dict[str, Any]) -> dict[str, Any]:
    profile = profile_of(name, body)
    finds = [kind for kind in profiles.CLASSES if kind in profile.classes]
    finds += sorted({pattern.name for pattern in profile.patterns})
    patterns = [f"{each['name']} {each['expression']}" for each in body["patterns"]]
    return {"name": name, "finds": finds, **body, "patterns": patterns}


def _settings(work: Work, row: RedactionProfile | None) -> RedactionSettings:
    name, body = (row.name, row.body) if row else (DEFAULT, dict(FIRST_BODY))
    last = work.session.scalars(select(RedactionChange).order_by(col(RedactionChange.id).desc()).limit(1)).first()
    return RedactionSettings(
        **_shown(name, body), version=row.version if row else 0, people=len(directory(work.session)),
        known_classes=list(profiles.CLASSES), changed_at=last.at if last else None,
        changed_by=_by(work, last) if last else "",
    )


def _by(work: Work, change: RedactionChange) -> str:
    known = people.names(work, [change.person_id] if change.person_id else [])
    return known.get(change.person_id, change.actor) if change.person_id else change.actor


@operation("redaction.read", by=AUDITORS, limit="120/minute", audit=Event.DATA_READ)
def read_redaction(work: Work, command: ReadRedaction) -> RedactionSettings:
    """Shows the redaction profile that holds."""
    work.note(target="redaction_profile", rows=1)
    return _settings(work, work.session.get(RedactionProfile, True))


class ChangeRedaction(Parts):
    """The profile that is to hold. Its parts count for `custom` alone, and are kept for it."""

    name: Name
    version: int | None = Field(None, ge=0, description="The version that was read; the change is refused if it is "
                                                        "another one by now. Without it the change always holds.")


@operation("redaction.change", by=ADMINS, limit="60/minute", audit=Event.REDACTION_CHANGED)
def change_redaction(work: Work, command: ChangeRedaction) -> RedactionSettings:
    """Changes the redaction profile; the next call to a model is redacted by it."""
    row = work.session.get(RedactionProfile, True, with_for_update=True)
    version = row.version if row else 0
    if command.version is not None and command.version != version:
        raise Conflict("Somebody changed the profile since you read it. Look at what holds now.")
    body = _body(command)
    profile = _profile(command.name, command)
    before = {"name": row.name if row else DEFAULT, **(row.body if row else FIRST_BODY)}
    if row is None:
        row = RedactionProfile(only=True, name=DEFAULT, body=body, version=0, updated_at=work.now)
        work.session.add(row)
    row.name, row.body, row.version, row.updated_at = command.name, body, version + 1, work.now
    work.note(
        target="redaction_profile", profile=command.name, before=str(before["name"]), classes=len(profile.classes),
        deny=len(command.deny), allow=len(command.allow), patterns=len(command.patterns), response=command.response,
    )
    after = {"name": command.name, **body}
    if before != after:
        change = RedactionChange(
            id=uuid7(), before=before, after=after, person_id=work.actor.person_id, actor=work.actor.id[:120],
            at=work.now,
        )
        work.session.add(change)
        work.session.flush()
        work.note(change=str(change.id))
    return _settings(work, row)


def _body(parts: Parts) -> dict[str, Any]:
    patterns = [each.partition(" ") for each in parts.patterns]
    return {
        "classes": sorted(set(parts.classes)), "deny": list(dict.fromkeys(parts.deny)),
        "allow": list(dict.fromkeys(parts.allow)), "response": parts.response,
        "patterns": [{"name": name, "expression": expression.strip()} for name, _, expression in patterns],
    }


def _profile(name: str, parts: Parts) -> Profile:
    """The profile of this name; the parts of `custom` are checked whatever the name is. Raises Invalid."""
    try:
        own = profile_of("custom", _body(parts))
    except ProfileError as error:
        raise Invalid("The profile cannot be used as it is.", fields={error.field: str(error)}) from None
    return own if name == "custom" else profiles.BUILT_IN[name]


def _redactor(work: Work, name: str | None, parts: Parts) -> Redactor:
    """The redactor of a profile that is tried, or of the one that holds."""
    return redactor_of(work.session, _profile(name, parts) if name else None)


class PreviewRedaction(Parts):
    text: str = Field(max_length=20000)
    name: Name | None = Field(None, description="A profile to try, with its parts; without it, the one that holds.")
    answer: str = Field("", max_length=20000, description="What a model might answer, with tokens; without it, the "
                                                          "text that leaves comes back as it is.")


class FindRow(Result):
    """A find: its class, its span in code points of the text that was given, and the rule that found it."""

    kind: str
    start: int
    end: int
    rule: str
    token: str


class Preview(Result):
    """What would leave, what was found, the answer as it comes back and as people see it. Nothing of it is kept."""

    leaves: str
    findings: list[FindRow]
    answer: str
    restored: str
    unknown: int


@operation("redaction.preview", by=AUDITORS, limit="120/minute", audit=Event.DATA_READ)
def preview_redaction(work: Work, command: PreviewRedaction) -> Preview:
    """Shows what would leave of a text. Nothing is stored, and the audit log has counts alone."""
    redactor = _redactor(work, command.name, command)
    tokens = TokenMap("k7q" if "k7q" not in command.text.lower() else None)
    done = redactor.redact(command.text, tokens)
    answer = command.answer or done.text
    restored = restore(answer, tokens)
    work.note(target="redaction_profile", rows=len(done.findings))
    return Preview(
        leaves=done.text, answer=answer, restored=restored.text, unknown=restored.unknown,
        findings=[
            FindRow(kind=f.kind, start=f.start, end=f.end, rule=f.rule,
                    token=tokens.token(f.kind, command.text[f.start:f.end]))
            for f in done.findings
        ],
    )


class TestRedaction(Parts):
    """Labelled lines, each JSON: `{"text": "…", "spans": [{"type": "EMAIL", "start": 0, "end": 9}]}`."""

    lines: list[Annotated[str, StringConstraints(max_length=20000)]] = Field(min_length=1, max_length=1000)
    name: Name | None = Field(None, description="A profile to try, with its parts; without it, the one that holds.")


class ScoreRow(Result):
    """Of one class: how many there are, how many were found, and the two shares; None where nothing divides."""

    kind: str
    true: int
    found: int
    recall: float | None
    precision: float | None


class Scores(Result):
    """The figures by class."""

    rows: list[ScoreRow]
    lines: int


OTHER_NAMES = {"EMAIL_ADDRESS": "EMAIL", "PHONE_NUMBER": "PHONE", "US_SSN": "SSN", "CREDIT_CARD": "CARD",
               "IP_ADDRESS": "IP", "IBAN_CODE": "IBAN", "STREET_ADDRESS": "ADDRESS"}


@operation("redaction.test", by=AUDITORS, limit="20/minute", audit=Event.DATA_READ)
def test_redaction(work: Work, command: TestRedaction) -> Scores:
    """Measures a profile on labelled lines: recall and precision by class. Nothing is stored."""
    redactor = _redactor(work, command.name, command)
    lines = [_labelled(number, line) for number, line in enumerate(command.lines)]
    work.note(target="redaction_profile", rows=len(lines))
    return Scores(lines=len(lines), rows=[
        ScoreRow(kind=s.kind, true=s.true, found=s.found, recall=s.recall, precision=s.precision)
        for s in score(lines, redactor)
    ])


def _labelled(number: int, line: str) -> tuple[str, list[Span]]:
    """A line of a test set. Raises Invalid."""
    try:
        row = json.loads(line)
        spans = [(str(s["type"]), int(s["start"]), int(s["end"])) for s in row["spans"]]
        return str(row["text"]), [(OTHER_NAMES.get(kind, kind), start, end) for kind, start, end in spans]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise Invalid("A line of the test set cannot be read.", fields={
            f"lines.{number}": 'must be {"text": "…", "spans": [{"type": "EMAIL", "start": 0, "end": 9}]}',
        }) from None


class ReadRedactionHistory(Command):
    after: str = Field("", max_length=100)
    limit: int = Field(PAGE, ge=1, le=200)


class RedactionChangeRow(Result):
    """One change. `entry` is the number of its audit entry."""

    id: UUID
    before: Shown
    after: Shown
    by: str
    at: datetime
    entry: int | None


class RedactionHistory(Result):
    """A page of changes, newest first. `next` is empty on the last page."""

    rows: list[RedactionChangeRow]
    count: int
    next: str


@operation("redaction.history", by=AUDITORS, limit="120/minute", audit=Event.DATA_READ)
def read_redaction_history(work: Work, command: ReadRedactionHistory) -> RedactionHistory:
    """Lists the changes of the redaction profile, newest first."""
    query = select(RedactionChange)
    count = paging.total(work.session, query)
    ordered = paging.newest_first(query, col(RedactionChange.at), col(RedactionChange.id), command.after)
    found = list(work.session.scalars(ordered.limit(command.limit + 1)))
    page = found[: command.limit]
    entries = {entry.change: entry.seq for entry in work.session.execute(
        _ENTRIES, {"ids": [str(change.id) for change in page]})}
    work.note(target="redaction_profile", rows=len(page))
    return RedactionHistory(
        rows=[
            RedactionChangeRow(
                id=change.id, before=_as_shown(change.before), after=_as_shown(change.after), by=_by(work, change),
                at=change.at, entry=entries.get(str(change.id)),
            )
            for change in page
        ],
        count=count, next=paging.encode(page[-1].at, page[-1].id) if len(found) > command.limit else "",
    )


def _as_shown(kept: dict[str, Any]) -> Shown:
    body = {name: value for name, value in kept.items() if name != "name"}
    return Shown(**_shown(str(kept["name"]), body))
