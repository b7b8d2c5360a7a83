"""What the frame around every page shows, and how a page asks the door."""

from __future__ import annotations

import dataclasses
import logging
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import reflex as rx
from uuid_utils.compat import uuid7

from workreef_app.services.access.wording import for_whom
from workreef_app.services.operation import (
    AUDITORS,
    REGISTRY,
    WORK_READERS,
    FactorRequired,
    Persona,
    Refusal,
    SignInAgain,
)
from workreef_app.state.calls import CALLER, perform
from workreef_app.state.words import counted, zone_named

log = logging.getLogger("workreef.state")


@dataclasses.dataclass(frozen=True)
class NavItem:
    """A place the person may go to. `icon` is one of the names that `pages.shell.NAV_ICONS` draws."""

    label: str
    href: str
    icon: str


#: Those who read what others noted; contributors have theirs on the page My work.
NOTE_READERS = REGISTRY["notes.list"].by - {Persona.CONTRIBUTOR}


def navigation(personas: list[Persona]) -> list[NavItem]:
    """Where people with these personas may go, in the order of the menu."""
    mine = frozenset(personas)
    items = []
    if mine & WORK_READERS:
        items += [NavItem("Digest", "/", "digest"), NavItem("Tasks", "/tasks", "tasks"),
                  NavItem("Proposals", "/proposals", "proposals"), NavItem("Sources", "/sources", "sources")]
    if Persona.CONTRIBUTOR in mine:
        items.append(NavItem("My work", "/me", "me"))
    if mine:
        items.append(NavItem("Audit", "/audit", "audit"))
        items.append(NavItem("Access", "/access", "access"))
    if mine & REGISTRY["alarms.list"].by:
        items.append(NavItem("Alarms", "/alarms", "alarms"))
    if mine & NOTE_READERS:
        items.append(NavItem("Notes", "/notes", "notes"))
    if mine & AUDITORS:
        items.append(NavItem("Status", "/admin/status", "status"))
        items.append(NavItem("Settings", "/admin/settings", "settings"))
        items.append(NavItem("Redaction", "/admin/redaction", "redaction"))
        items.append(NavItem("Single sign-on", "/admin/sso", "sign_on"))
    if mine & REGISTRY["people.list"].by:
        items.append(NavItem("People", "/admin/people", "people"))
    if mine & REGISTRY["tokens.list"].by:
        items.append(NavItem("API tokens", "/admin/tokens", "tokens"))
    return items


def milliseconds(span: timedelta) -> int:
    """A span in whole milliseconds, as a browser counts; none is less than no time."""
    return max(0, span // timedelta(milliseconds=1))


def initials(name: str) -> str:
    """Up to two initials of a name."""
    words = [word for word in name.split() if word[:1].isalpha()]
    return "".join(word[0] for word in (words[:1] + words[1:][-1:])).upper() or "–"


def path_of(url_path: str) -> str:
    """A path as the page compares it with the browser's: without a slash at its end."""
    return url_path.rstrip("/") or "/"


ENVIRONMENTS = {"demo": "DEMO", "development": "DEVELOPMENT"}
TROUBLES = {403: "persona", 404: "missing", 422: "invalid", 423: "locked", 429: "limited", 503: "unavailable"}


class ShellState(rx.State):
    """The frame's facts. `leave_to` is set by the guard alone, in the delta that refuses an event.

    `loaded` is the path that the page's state belongs to; the page shows nothing of it at another address.
    `trouble` is empty, or why the page cannot be shown: one of `TROUBLES`, or `failed`. `refused` tells whether the
    status says why something was not done, rather than what was.
    """

    loaded: str = ""
    tenant_name: str = ""
    environment: str = ""
    person_name: str = ""
    person_initials: str = ""
    personas: list[str] = []
    departments: list[str] = []
    contact: str = ""
    locked: bool = False
    nav: list[NavItem] = []
    may_audit: bool = False
    status: str = ""
    status_href: str = ""
    refused: bool = False
    #: Whether what was asked for wants a fresh proof of who it is, and whether that takes a code too.
    prove: bool = False
    factor: bool = False
    trouble: str = ""
    trouble_text: str = ""
    leave_to: str = ""
    #: Open alarms that the person may see, in words, and how bad the worst is.
    alarms: int = 0
    alarms_unit: str = ""
    alarms_state: str = "proven"
    may_alarms: bool = False
    #: For the announcements of the session's end: its mark, and the milliseconds left at the time of the load.
    session_mark: str = ""
    #: What the forms that the browser itself sends carry.
    csrf_token: str = ""
    #: How many settings production would refuse, in words; empty where it is not this reader's affair.
    unfit: str = ""
    session_left: int = 0
    idle_left: int = -1
    #: Path, name and a mark of its own of the field whose text was just accepted, so that its draft is forgotten.
    accepted: str = ""
    _zone: str = "UTC"

    @rx.event
    async def load(self) -> None:
        """Fills the frame; the first event of every page."""
        self.status = self.status_href = self.trouble = self.trouble_text = ""
        me = await self.ask("me.read", {})
        if me is not None:
            self.tenant_name = me.tenant_name
            self.environment = ENVIRONMENTS.get(me.environment, "")
            self.person_name = me.name
            self.person_initials = initials(me.name)
            self.personas = [persona.value for persona in me.personas]
            self.departments = me.departments
            self.contact = me.contact
            self.locked = me.locked
            self.nav = navigation(me.personas)
            self._zone, self.factor, self.prove = me.time_zone, me.factor, False
            self._session(me.session)
            self.csrf_token = me.csrf_token
            self.unfit = counted(me.unfit, "setting") if me.unfit else ""
            self.may_audit = bool(set(me.personas) & REGISTRY["audit.list"].by)
            await self.look_at_alarms()

    async def look_at_alarms(self) -> None:
        """Counts the open alarms that the person may see. What was last known stays where it is refused."""
        self.may_alarms = bool({persona.value for persona in REGISTRY["alarms.count"].by} & set(self.personas))
        if not self.may_alarms:
            return
        try:
            found = await perform("alarms.count", {})
        except Refusal:
            return
        self.alarms, self.alarms_unit = found.open, "open alarm" if found.open == 1 else "open alarms"
        self.alarms_state = "broken" if found.critical else "attention"

    def _session(self, times: Any) -> None:
        self.session_mark = times.mark
        self.session_left = milliseconds(times.ends_at - times.now)
        self.idle_left = milliseconds(times.idle_ends_at - times.now) if times.idle_ends_at else -1

    def accept(self, name: str) -> None:
        """Has the browser forget the draft of a field on this page: what was typed there has been used."""
        self.accepted = f"{path_of(self.router.url.path)} {name} {uuid7().hex}"

    def zone(self) -> ZoneInfo:
        """The zone in which times are shown to the person."""
        return zone_named(self._zone)

    @rx.event
    def arrive(self) -> None:
        """Says that all of the page's state is that of its address; the last event of every page."""
        self.loaded = path_of(self.router.url.path)

    async def ask(self, name: str, payload: dict[str, Any]) -> Any | None:
        """Runs an operation that the page cannot be shown without; None, with the reason kept, when refused."""
        try:
            return await perform(name, payload)
        except Refusal as refusal:
            self.trouble, self.trouble_text = TROUBLES.get(refusal.status, "failed"), refusal.detail
            if isinstance(refusal, FactorRequired):
                self.trouble = "factor"
            elif self.trouble == "persona":
                self.trouble_text = for_whom(REGISTRY[name].by)
        except Exception as error:  # the person must be told, whatever it was
            self.trouble, self.trouble_text = "failed", _failure(name, error)
        return None

    async def act(self, name: str, payload: dict[str, Any]) -> Any | None:
        """Runs an operation that a person asked for; None when refused, with the reason in the status region."""
        self.status = self.status_href = ""
        self.refused = self.prove = False
        try:
            return await perform(name, payload)
        except Refusal as refusal:
            self.refused, self.prove = True, isinstance(refusal, SignInAgain)
            details = [f"{field.capitalize()} {why}." for field, why in refusal.fields.items()]
            self.status = " ".join([refusal.detail, *details])
        except Exception as error:  # the person must be told, whatever it was
            self.refused = True
            self.status = _failure(name, error)
        return None


    @rx.event
    async def prove_again(self, form: dict[str, Any]) -> None:
        """Takes the proof of who it is. What was refused for want of it is not done by itself."""
        sent = {"password": str(form.get("password") or ""), "code": str(form.get("code") or "")}
        if await self.act("sessions.refresh", sent) is None:
            self.prove = True
            return
        self.status = "It is you, for the next five minutes. Now do it again."


def _failure(name: str, error: Exception) -> str:
    request_id = CALLER.get().request_id
    log.error("failed", extra={"operation": name, "request": request_id, "error": type(error).__name__})
    return f"Something went wrong on our side. Nothing was changed. Request {request_id}."


def tell_nobody(exception: Exception) -> None:
    """What a handler raises is logged by its kind alone; nothing of it reaches a browser."""
    log.error("failed", extra={"error": type(exception).__name__}, exc_info=exception)
