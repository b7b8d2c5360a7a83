"""The access screen: who may do what, and for admins who can see a row."""

from __future__ import annotations

import dataclasses
from typing import Any

import reflex as rx
from reflex.event import EventSpec

from workreef_app.services.access.lookup import KINDS
from workreef_app.services.access.wording import ONE, PLURAL, listed
from workreef_app.services.operation import REGISTRY, Persona
from workreef_app.state.shell import ShellState
from workreef_app.state.words import counted, query

FILTERS = ("persona", "text")
QUESTION = ("operation", "kind", "row_id")
#: A row's kind as a choice.
KIND_WORDS = {kind: "Audit entry" if kind == "entry" else kind.capitalize() for kind in KINDS}


@dataclasses.dataclass(frozen=True)
class OperationLine:
    """An operation as the matrix shows it. `marks` has a word for each persona in order; empty where it may not.

    `about` is how often it may be run, the audit event that it leaves, and whether it works with a dead key.
    """

    operation: str = ""
    summary: str = ""
    marks: list[str] = dataclasses.field(default_factory=list)
    besides: str = ""
    about: str = ""


@dataclasses.dataclass(frozen=True)
class PersonLine:
    """Somebody who can, and why."""

    name: str = ""
    why: str = ""


def operation_line(row: Any) -> OperationLine:
    """A row of the door as the matrix shows it."""
    about = [row.limit.replace("/", " a "), row.event or "leaves no audit entry"]
    return OperationLine(
        operation=row.operation, summary=row.summary, marks=["yes" if p in row.personas else "" for p in Persona],
        besides="everyone" if row.public else "jobs" if row.jobs else "",
        about=" · ".join([*about, *(["works with a dead key"] if row.keyless else [])]),
    )


def answer(question: dict[str, str], found: Any) -> str:
    """What was asked and how many can, in a sentence."""
    what = (
        f"run {question['operation']}" if question["operation"]
        else f"see {KIND_WORDS[question['kind']].lower()} {question['row_id']}"
    )
    if found.public:
        return f"Everyone can {what}, without a session."
    jobs = " Jobs of the system can too." if found.jobs else ""
    return f"{counted(len(found.people), 'person', 'people')} can {what}.{jobs}"


class AccessState(rx.State):
    """The matrix, with its filters in the address, and the answer to an admin's question, which is there too."""

    rows: list[OperationLine] = []
    count: str = ""
    found: int = 0
    filtered: bool = False
    persona: str = ""
    text: str = ""
    csv_href: str = ""
    mine: str = ""
    may_ask: bool = False
    asked: bool = False
    asked_operation: str = ""
    kind: str = ""
    row_id: str = ""
    answer: str = ""
    people: list[PersonLine] = []
    fault: str = ""

    @rx.event
    async def load(self) -> None:
        """Reads the matrix with the filters of the address, and answers the question in it."""
        shell = await self.get_state(ShellState)
        given = self.router.url.query_parameters
        chosen = {name: given.get(name, "") for name in FILTERS}
        page = await shell.ask("access.matrix", {**{k: v for k, v in chosen.items() if v}, "limit": 500})
        if page is None:
            return
        self.persona, self.text = chosen["persona"], chosen["text"]
        self.filtered, self.found = any(chosen.values()), page.count
        self.rows = [operation_line(row) for row in page.rows]
        self.count = f"{counted(page.count, 'operation')} of {page.total}"
        self.csv_href = query("/export/access.csv", **chosen)
        self.mine = listed(ONE[p] for p in Persona if p.value in shell.personas)
        self.may_ask = bool({p.value for p in REGISTRY["access.who_can"].by} & set(shell.personas))
        await self._answer({name: given.get(name, "") for name in QUESTION}, shell)

    async def _answer(self, question: dict[str, str], shell: ShellState) -> None:
        self.asked_operation, self.kind, self.row_id = (question[name] for name in QUESTION)
        self.asked = self.may_ask and any(question.values())
        self.people, self.answer, self.fault = [], "", ""
        if not self.asked:
            return
        found = await shell.act("access.who_can", {name: value for name, value in question.items() if value})
        if found is None:
            self.fault, shell.status = shell.status, ""
            return
        self.answer = answer(question, found)
        self.people = [PersonLine(name=person.name, why=person.why) for person in found.people]

    @rx.event
    def search(self, form: dict[str, Any]) -> EventSpec:
        """Puts the filters into the address, which loads the matrix anew."""
        return rx.redirect(query("/access", **{name: str(form.get(name) or "") for name in FILTERS}))

    @rx.event
    def ask_operation(self, form: dict[str, Any]) -> EventSpec:
        """Puts the question who can run an operation into the address."""
        return rx.redirect(query("/access", operation=str(form.get("operation") or "").strip()))

    @rx.event
    def ask_row(self, form: dict[str, Any]) -> EventSpec:
        """Puts the question who can see a row into the address."""
        given = {name: str(form.get(name) or "").strip() for name in ("kind", "row_id")}
        return rx.redirect(query("/access", **given))


#: Personas as the filter names them.
PERSONA_CHOICES = [(persona.value, PLURAL[persona].capitalize()) for persona in Persona]
PERSONA_HEADINGS = [ONE[persona].capitalize() for persona in Persona]
OPERATIONS = sorted(REGISTRY)
