"""The access matrix: who may run which operation, read from the registry that the door itself obeys (P25)."""

from __future__ import annotations

from pydantic import Field

from workreef_app.services.operation import (
    ANYONE,
    REGISTRY,
    Command,
    Event,
    Operation,
    Persona,
    Result,
    Work,
    operation,
)

NAME = r"^[a-z0-9_.]{0,80}$"


class ReadMatrix(Command):
    """`persona` leaves what that persona may run, `text` what is found in the name, the summary or the event."""

    persona: Persona | None = None
    text: str = Field("", max_length=100)
    after: str = Field("", pattern=NAME)
    limit: int = Field(200, ge=1, le=500)


class OperationRow(Result):
    """An operation and who may run it.

    `public` needs no session, `jobs` says that jobs may besides the personas, `keyless` that it works with a dead key.
    `event` is the audit entry that it leaves; empty for polls, which leave none.
    """

    operation: str
    summary: str
    personas: list[Persona]
    public: bool
    jobs: bool
    keyless: bool
    limit: str
    event: str


class AccessMatrix(Result):
    """A page of the matrix, by name: `count` match, of `total`. `next` is empty on the last page."""

    rows: list[OperationRow]
    count: int
    total: int
    next: str


def row(spec: Operation) -> OperationRow:
    """A registered operation as the matrix shows it."""
    return OperationRow(
        operation=spec.name, summary=spec.summary, personas=[p for p in Persona if p in spec.by], public=spec.public,
        jobs=spec.jobs, keyless=spec.keyless, limit=spec.limit, event=spec.event.value if spec.event else "",
    )


def matching(persona: Persona | None, text: str) -> list[OperationRow]:
    """The rows for a persona that hold a text, whatever its case, by name."""
    wanted, found = text.strip().casefold(), []
    for name in sorted(REGISTRY):
        known = row(REGISTRY[name])
        said = f"{known.operation} {known.summary} {known.event}".casefold()
        if wanted in said and (persona is None or persona in known.personas or known.public):
            found.append(known)
    return found


@operation("access.matrix", by=ANYONE, limit="240/minute", audit=Event.DATA_READ, keyless=True)
def read_matrix(work: Work, command: ReadMatrix) -> AccessMatrix:
    """Lists every operation with who may run it, how often, and what it leaves in the audit log."""
    found = matching(command.persona, command.text)
    left = [known for known in found if known.operation > command.after]
    page = left[: command.limit]
    work.note(target="access", rows=len(page))
    return AccessMatrix(
        rows=page, count=len(found), total=len(REGISTRY),
        next=page[-1].operation if len(left) > command.limit else "",
    )
