"""Where alarms are sent: mail, a webhook, from which severity on, and a test of it."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import reflex as rx

from workreef_app.services.alarms.models import DeliveryStatus
from workreef_app.state.alarms import CHANNELS, OUTCOMES, OutcomeLine, why
from workreef_app.state.shell import ShellState
from workreef_app.state.words import counted, lately, query


def tried_line(outcome: Any) -> OutcomeLine:
    """What came of a test by one channel."""
    name = CHANNELS[outcome.channel]
    if outcome.ok:
        return OutcomeLine("proven", f"{name} delivered", "")
    state, word = OUTCOMES[DeliveryStatus.UNCERTAIN if outcome.uncertain else DeliveryStatus.FAILED]
    return OutcomeLine(state, f"{name} {word}", why(outcome.failure, outcome.answer))


def addresses_of(text: str) -> list[str]:
    """The mail addresses of a field: one a line, or with commas between."""
    return [part.strip() for part in re.split(r"[,\n]", text) if part.strip()]


def told(refused: str, addresses: list[str]) -> str:
    """Why a change was refused; an address that is none is named, not numbered."""
    wrong = [addresses[int(n)] for n in re.findall(r"mail_recipients\.(\d+)", refused) if int(n) < len(addresses)]
    return f"Not accepted: {', '.join(dict.fromkeys(wrong))} is no mail address." if wrong else refused


class RoutesState(rx.State):
    """Where alarms are sent."""

    recipients: str = ""
    webhook: str = ""
    secret_set: bool = False
    #: Shown once, right after it was made; a reload forgets it.
    new_secret: str = ""
    severity: str = "warning"
    mail_server: bool = False
    changed_at: str = ""
    outcomes: list[OutcomeLine] = []
    tested: bool = False
    testing: bool = False

    @rx.event
    async def load(self) -> None:
        """Reads where alarms are sent."""
        shell = await self.get_state(ShellState)
        self.new_secret, self.outcomes, self.tested, self.testing = "", [], False, False
        found = await shell.ask("alarm_routes.read", {})
        if found is not None:
            self._show(found, shell)

    def _show(self, found: Any, shell: ShellState) -> None:
        self.recipients, self.webhook = "\n".join(found.mail_recipients), found.webhook_url
        self.secret_set, self.severity = found.webhook_secret_set, found.minimum_severity.value
        self.mail_server = found.mail_server
        self.changed_at = lately(found.updated_at, datetime.now(UTC), shell.zone()) if found.updated_at else ""

    @rx.event
    async def save(self, form: dict[str, Any]) -> None:
        """Changes where alarms are sent."""
        shell = await self.get_state(ShellState)
        addresses = addresses_of(str(form.get("recipients") or ""))
        found = await shell.act("alarm_routes.change", {
            "mail_recipients": addresses, "webhook_url": str(form.get("webhook") or ""),
            "minimum_severity": str(form.get("severity") or ""), "renew_secret": bool(form.get("renew")),
        })
        if found is None:
            shell.status = told(shell.status, addresses)
            return
        self._show(found, shell)
        self.new_secret = found.new_secret or ""
        secret = " The webhook has a new secret." if self.new_secret else ""
        shell.status = f"Where alarms are sent is changed.{secret}"
        shell.status_href = query("/audit", target="alarm_route")

    @rx.event
    async def test(self) -> Any:
        """Sends a test by each channel, and says what came of each."""
        self.testing, self.tested, self.outcomes = True, False, []
        yield
        shell = await self.get_state(ShellState)
        found = await shell.act("alarm_routes.test", {})
        self.testing = False
        if found is None:
            return
        self.tested = True
        self.outcomes = [tried_line(outcome) for outcome in found.outcomes]
        failed = sum(not outcome.ok for outcome in found.outcomes)
        shell.refused = bool(failed) or not found.outcomes
        shell.status = (
            "No test was sent: neither mail nor a webhook is set up." if not found.outcomes
            else f"The test went wrong by {counted(failed, 'channel')}." if failed else "The test was delivered."
        )
        shell.status_href = query("/audit", target="alarm_route")
