"""Single sign-on as admins set it: the provider, who may come in as what, and a test of it."""

from __future__ import annotations

import dataclasses
import re
from datetime import UTC, datetime
from typing import Any

import reflex as rx

from workreef_app.services.access.wording import PLURAL, said
from workreef_app.services.operation import REGISTRY, Persona
from workreef_app.state.rows import Choice
from workreef_app.state.shell import ShellState
from workreef_app.state.words import counted, lately, query

TARGET = query("/audit", target="identity_provider")
PERSONA = "persona:"
DEPARTMENT = "department:"
#: What people of a group can be, as the form offers it.
PERSONAS = tuple((persona.value, PLURAL[persona].capitalize()) for persona in Persona)


@dataclasses.dataclass(frozen=True)
class GroupLine:
    """A group at the provider, and what its people are here."""

    group: str = ""
    personas: str = ""
    departments: str = ""


@dataclasses.dataclass(frozen=True)
class CheckLine:
    """One part of the test."""

    state: str = "unknown"
    word: str = ""
    text: str = ""


def group_line(row: Any) -> GroupLine:
    """A row of the door as the list shows it."""
    return GroupLine(row.group, said(row.personas).capitalize(), ", ".join(row.departments) or "–")


def check_line(check: Any) -> CheckLine:
    """A part of the test as the list shows it."""
    return CheckLine("proven" if check.ok else "broken", check.part, check.said)


def domains_of(text: str) -> list[str]:
    """The domains of a field: one a line, or with commas between."""
    return [part.strip().lstrip("@") for part in re.split(r"[,\s]", text) if part.strip()]


def chosen(form: dict[str, Any], kind: str) -> list[str]:
    """The names of a form's checked boxes of a kind."""
    return sorted(name.removeprefix(kind) for name, value in form.items() if name.startswith(kind) and value)


def standing(found: Any) -> tuple[str, str, str]:
    """How single sign-on stands: a state, a word and a sentence."""
    if not found.issuer:
        return "unknown", "Not set up", "People sign in with a password. Save a provider to begin."
    if not found.mapping:
        return "attention", "No group", "Say below which groups may come in; then it can be switched on."
    if not found.enabled:
        return "unknown", "Off", "It is set up, and people do not see it until it is switched on."
    people = f"{counted(found.people, 'person', 'people')} came in by it so far."
    if found.passwords_for_admins_only:
        return "proven", "On", f"Everybody but admins signs in by it. {people}"
    return "proven", "On", f"People sign in by it or with a password. {people}"


class SignOnState(rx.State):
    """How single sign-on is set."""

    issuer: str = ""
    client_id: str = ""
    secret_set: bool = False
    group_claim: str = ""
    domains: str = ""
    link_by_email: bool = False
    enabled: bool = False
    only: bool = False
    redirect_uri: str = ""
    groups: list[GroupLine] = []
    departments: list[Choice] = []
    stands: str = "unknown"
    stands_word: str = ""
    stands_text: str = ""
    changed_at: str = ""
    #: Changes with each save, so that the form shows what holds.
    mark: str = ""
    may_change: bool = False
    #: Whose account was handed over last, so that the field is empty again.
    handed: str = ""
    checks: list[CheckLine] = []
    testing: bool = False

    @rx.event
    async def load(self) -> None:
        """Reads how single sign-on is set."""
        shell = await self.get_state(ShellState)
        self.checks, self.testing = [], False
        self.may_change = bool({p.value for p in REGISTRY["sso.change"].by} & set(shell.personas))
        found = await shell.ask("sso.read", {})
        if found is None:
            return
        self._show(found, shell)
        if self.may_change:
            known = await shell.ask("departments.list", {})
            self.departments = [Choice(row.slug, row.name) for row in known.departments] if known else []

    def _show(self, found: Any, shell: ShellState) -> None:
        self.issuer, self.client_id, self.secret_set = found.issuer, found.client_id, found.client_secret_set
        self.group_claim, self.domains = found.group_claim, "\n".join(found.domains)
        self.link_by_email, self.enabled = found.link_by_email, found.enabled
        self.only, self.redirect_uri = found.passwords_for_admins_only, found.redirect_uri
        self.groups = [group_line(row) for row in found.mapping]
        self.stands, self.stands_word, self.stands_text = standing(found)
        self.changed_at = lately(found.updated_at, datetime.now(UTC), shell.zone()) if found.updated_at else ""
        self.mark = found.updated_at.isoformat() if found.updated_at else ""

    @rx.event
    async def save(self, form: dict[str, Any]) -> None:
        """Changes the provider."""
        shell = await self.get_state(ShellState)
        secret, had = str(form.get("client_secret") or ""), self.secret_set
        payload: dict[str, Any] = {
            "issuer": str(form.get("issuer") or ""), "client_id": str(form.get("client_id") or ""),
            "group_claim": str(form.get("group_claim") or ""), "domains": domains_of(str(form.get("domains") or "")),
            "link_by_email": bool(form.get("link_by_email")), "enabled": bool(form.get("enabled")),
            "passwords_for_admins_only": bool(form.get("only")),
        }
        if secret or form.get("no_secret"):
            payload["client_secret"] = secret
        found = await shell.act("sso.change", payload)
        if found is None:
            return
        self._show(found, shell)
        self.checks = []
        lost = had and not found.client_secret_set and not form.get("no_secret")
        shell.status = "Single sign-on is changed." + (
            " The client secret was another provider's, so it is gone: enter this one's." if lost else ""
        )
        shell.status_href = TARGET

    @rx.event
    async def add(self, form: dict[str, Any]) -> None:
        """Says what people of a group are; a group that is on the list already is changed."""
        shell = await self.get_state(ShellState)
        group = str(form.get("group") or "")
        found = await shell.act("sso.map_group", {
            "group": group, "personas": chosen(form, PERSONA), "departments": chosen(form, DEPARTMENT),
        })
        await self._mapped(shell, found, f"What {group.strip()} gives is changed, from the next sign-in on.")

    @rx.event
    async def remove(self, group: str) -> None:
        """Takes a group off the list."""
        shell = await self.get_state(ShellState)
        found = await shell.act("sso.unmap_group", {"group": group})
        await self._mapped(shell, found, f"{group} gives nothing any more, from the next sign-in on.")

    async def _mapped(self, shell: ShellState, found: Any, text: str) -> None:
        if found is not None:
            self._show(found, shell)
            shell.status, shell.status_href = text, TARGET

    @rx.event
    async def hand_over(self, form: dict[str, Any]) -> None:
        """Takes a person's password away, so that they come in by single sign-on."""
        shell = await self.get_state(ShellState)
        found = await shell.act("sso.hand_over", {"email": str(form.get("email") or "")})
        if found is not None:
            self.handed = str(found.person_id)
            shell.status = "The account has no password any more; its next sign-in by the provider takes it over."
            shell.status_href = query("/audit", target=f"person:{found.person_id}")

    @rx.event
    async def test(self) -> Any:
        """Asks the provider for what a sign-in needs, and says what is wrong."""
        self.testing, self.checks = True, []
        yield
        shell = await self.get_state(ShellState)
        found = await shell.act("sso.test", {})
        self.testing = False
        if found is None:
            return
        self.checks = [check_line(check) for check in found.checks]
        shell.refused = not found.ok
        shell.status = "The provider is as it must be." if found.ok else "Something is wrong with the provider."
        shell.status_href = TARGET
