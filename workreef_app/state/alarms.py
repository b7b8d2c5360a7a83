"""The alarms that a person may see, and what they do about them."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, tzinfo
from typing import Any

import reflex as rx
from reflex.event import EventSpec

from workreef_app.services.alarms.kinds import Severity
from workreef_app.services.alarms.models import AlarmState, Channel, DeliveryStatus
from workreef_app.services.operation import REGISTRY, Refusal
from workreef_app.services.outbound.policy import Failure
from workreef_app.state.calls import perform
from workreef_app.state.shell import ShellState
from workreef_app.state.words import counted, lately, number, query

PATH = "/alarms"
#: Meaning and word of each severity, and of each outcome of a delivery.
SEVERITIES = {
    Severity.CRITICAL: ("broken", "Critical"), Severity.WARNING: ("attention", "Warning"),
    Severity.NOTICE: ("unknown", "Notice"),
}
OUTCOMES = {
    DeliveryStatus.DELIVERED: ("proven", "delivered"), DeliveryStatus.FAILED: ("broken", "failed"),
    DeliveryStatus.UNCERTAIN: ("attention", "uncertain"),
}
STATES = {
    AlarmState.OPEN: "Open", AlarmState.ACKNOWLEDGED: "Acknowledged", AlarmState.RESOLVED: "Resolved",
}
CHANNELS = {Channel.MAIL: "Mail", Channel.WEBHOOK: "Webhook"}
FAILURES = {
    Failure.UNCONFIGURED: "nothing is set up for it", Failure.INVALID: "it cannot be sent as it is",
    Failure.REFUSED_ADDRESS: "the address is not a public one", Failure.UNRESOLVED: "the host is not known",
    Failure.CONNECT: "no connection", Failure.TLS: "no encryption that can be trusted",
    Failure.TIMEOUT: "no answer in time", Failure.BROKEN: "the connection broke off",
    Failure.TOO_LARGE: "the answer was too long", Failure.REDIRECT: "the address leads elsewhere",
    Failure.THROTTLED: "too much was sent there", Failure.REFUSED: "it was refused",
    Failure.UNAVAILABLE: "the other side cannot take it now", Failure.SIGN_IN: "the sign-in was refused",
    Failure.RECIPIENT: "not every recipient was taken", Failure.FAULT: "an error of our own",
}


@dataclasses.dataclass(frozen=True)
class OutcomeLine:
    """How a delivery went."""

    state: str = "unknown"
    word: str = ""
    text: str = ""


@dataclasses.dataclass(frozen=True)
class AlarmLine:
    """An alarm in the list. `history` says in a sentence when it came, and what people did."""

    id: str = ""
    title: str = ""
    state: str = "unknown"
    severity: str = ""
    stands: str = ""
    cure: str = ""
    came: str = ""
    history: str = ""
    owner: str = ""
    deliveries: list[OutcomeLine] = dataclasses.field(default_factory=list)
    href: str = ""
    href_text: str = ""
    audit_href: str = ""
    may_acknowledge: bool = False
    may_take: bool = False
    may_release: bool = False
    may_resolve: bool = False


def about(subject: str, *, keeper: bool) -> tuple[str, str]:
    """Where that is which an alarm is about, and what it is called; nothing where the reader has no such place."""
    kind, _, name = subject.partition(":")
    places = {"import": (query("/sources", **{"import": name}), "The import"), "source": ("/sources", "The sources")}
    if keeper:
        places |= {
            "job": ("/admin/status#jobs", "The jobs"), "queue": ("/admin/status", "The status"),
            "mail": ("/admin/alarms", "Where alarms go"), "webhook": ("/admin/alarms", "Where alarms go"),
        }
    return places.get(kind, ("", ""))


def why(failure: str | None, answer: int | None) -> str:
    """Why a delivery failed, in words; empty where it did not."""
    if failure is None:
        return ""
    said = FAILURES.get(failure, failure.replace("_", " "))  # type: ignore[call-overload]
    return f"{said}, answer {answer}" if answer else str(said)


def outcome_line(row: Any, now: datetime, zone: tzinfo) -> OutcomeLine:
    """A delivery as the alarm's card tells of it."""
    state, word = OUTCOMES[row.status]
    reason = why(row.failure, row.answer)
    tries = f" after {counted(row.attempts, 'attempt')}" if row.attempts > 1 else ""
    text = f"{lately(row.at, now, zone)}{tries}{': ' + reason if reason else ''}"
    return OutcomeLine(state, f"{CHANNELS[row.channel]} {word}", text)


def _history(row: Any, now: datetime, zone: tzinfo) -> str:
    said = []
    if row.acknowledged_at is not None:
        said.append(f"acknowledged by {row.acknowledged_by or 'somebody'} {lately(row.acknowledged_at, now, zone)}")
    if row.resolved_at is not None:
        said.append(f"resolved by {row.resolved_by or 'somebody'} {lately(row.resolved_at, now, zone)}")
    sentence = ", ".join(said)
    return sentence[:1].upper() + sentence[1:]


def alarm_line(row: Any, now: datetime, zone: tzinfo, *, me: str, keeper: bool) -> AlarmLine:
    """A row of the door as the list shows it, to the person `me`; `keeper` may change alarms."""
    state, severity = SEVERITIES[row.severity]
    href, href_text = about(row.subject, keeper=keeper)
    open_still = keeper and row.state != AlarmState.RESOLVED
    owner = str(row.owner_id or "")
    owned = ("You" if owner == me else row.owner or "Somebody") if owner else "Nobody"
    again = f", {number(row.times)} times, last {lately(row.last_at, now, zone)}" if row.times > 1 else ""
    return AlarmLine(
        id=str(row.id), title=row.title.rstrip("."), state=state, severity=severity, stands=STATES[row.state],
        cure=row.what_to_do, history=_history(row, now, zone), owner=owned,
        came=f"Since {lately(row.raised_at, now, zone)}{again} · {row.department or 'No department'}",
        deliveries=[outcome_line(delivery, now, zone) for delivery in row.deliveries], href=href, href_text=href_text,
        audit_href=query("/audit", target=f"alarm:{row.id}"),
        may_acknowledge=keeper and row.state == AlarmState.OPEN, may_take=open_still and bool(me) and owner != me,
        may_release=open_still and bool(me) and owner == me, may_resolve=open_still,
    )


class AlarmsState(rx.State):
    """A page of the alarms; the filter is in the address."""

    rows: list[AlarmLine] = []
    count: str = ""
    total: int = 0
    chosen: str = ""
    summary: str = ""
    keeper: bool = False
    csv_href: str = ""
    next_href: str = ""
    first_href: str = ""
    _me: str = ""

    @rx.event
    async def load(self) -> None:
        """Reads the page of alarms that the address asks for."""
        shell = await self.get_state(ShellState)
        page = await shell.ask("alarms.list", self._asked())
        me = await shell.ask("me.read", {}) if page is not None else None
        if me is None:
            return
        self._me = str(me.person_id or "")
        self._show(page, shell)

    def _asked(self) -> dict[str, str]:
        given = self.router.url.query_parameters
        return {name: given[name] for name in ("state", "after") if given.get(name)}

    def _show(self, page: Any, shell: ShellState) -> None:
        asked, now, zone = self._asked(), datetime.now(UTC), shell.zone()
        self.keeper = bool({persona.value for persona in REGISTRY["alarms.resolve"].by} & set(shell.personas))
        self.chosen = asked.get("state", "")
        self.rows = [alarm_line(row, now, zone, me=self._me, keeper=self.keeper) for row in page.rows]
        self.total, self.count = page.count, counted(page.count, "alarm")
        self.summary = " · ".join(
            f"{number(page.by_state[state])} {word.lower()}"
            for state, word in STATES.items() if page.by_state.get(state)
        )
        self.csv_href = query("/export/alarms.csv", state=self.chosen)
        self.next_href = query(PATH, state=self.chosen, after=page.next) if page.next else ""
        self.first_href = query(PATH, state=self.chosen) if asked.get("after") else ""

    @rx.event
    async def tick(self) -> None:
        """Looks again. What was last known stays where it is refused."""
        await self._look(await self.get_state(ShellState))

    async def _look(self, shell: ShellState) -> None:
        try:
            self._show(await perform("alarms.poll", self._asked()), shell)
        except Refusal:
            return
        await shell.look_at_alarms()

    @rx.event
    def choose(self, state: str) -> EventSpec:
        """Puts the state into the address, which loads the list anew from its first page."""
        self.chosen = state
        return rx.redirect(query(PATH, state=state), replace=True)

    @rx.event
    async def acknowledge(self, alarm_id: str) -> None:
        """Says that somebody has seen it."""
        await self._change("alarms.acknowledge", {"alarm_id": alarm_id}, "acknowledged")

    @rx.event
    async def take(self, alarm_id: str) -> None:
        """Makes the person its owner."""
        await self._change("alarms.assign", {"alarm_id": alarm_id, "person_id": self._me}, "yours now")

    @rx.event
    async def release(self, alarm_id: str) -> None:
        """Takes its owner away."""
        await self._change("alarms.assign", {"alarm_id": alarm_id, "person_id": None}, "nobody's now")

    @rx.event
    async def resolve(self, alarm_id: str) -> None:
        """Says that it is over."""
        await self._change("alarms.resolve", {"alarm_id": alarm_id}, "resolved")

    async def _change(self, operation: str, payload: dict[str, Any], said: str) -> None:
        shell = await self.get_state(ShellState)
        row = await shell.act(operation, payload)
        if row is not None:
            shell.status = f"“{row.title.rstrip('.')}” is {said}."
            shell.status_href = query("/audit", target=f"alarm:{row.id}")
        await self._look(shell)
