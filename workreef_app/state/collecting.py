"""Where the events of the audit log are pushed, and how far that is."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from typing import Any

import reflex as rx

from workreef_app.services.operation import REGISTRY
from workreef_app.state.shell import ShellState
from workreef_app.state.words import counted, lately, query

KINDS = (("webhook", "Webhook"), ("syslog", "Syslog over TLS"))
FORMS = (("ocsf", "OCSF 1.3"), ("cef", "CEF"))


def standing(feed: Any, now: datetime, zone: tzinfo) -> tuple[str, str]:
    """How a collector stands: one of the five meanings, and the words for it."""
    waiting = counted(feed.waiting, "entry waits", "entries wait")
    if feed.failing_since is not None:
        return "broken", f"Refuses since {lately(feed.failing_since, now, zone)}: {feed.failure.value}. {waiting}."
    if feed.taken_at is None:
        return "unknown", f"Nothing was taken yet. {waiting}."
    return "proven", f"Took all up to entry {feed.sent_seq:,}, {lately(feed.taken_at, now, zone)}. {waiting}."


class CollectorState(rx.State):
    """The one collector that a tenant's events are pushed to."""

    kind: str = ""
    kind_word: str = ""
    form_word: str = ""
    target: str = ""
    meaning: str = "unknown"
    said: str = ""
    may_change: bool = False
    #: The secret of a webhook, shown once, right after it was made; a reload forgets it.
    made: str = ""

    @rx.event
    async def load(self) -> None:
        """Reads where events go."""
        shell = await self.get_state(ShellState)
        self.made = ""
        self.may_change = bool({persona.value for persona in REGISTRY["siem.change"].by} & set(shell.personas))
        feed = await shell.ask("siem.read", {})
        if feed is not None:
            self._show(feed, shell)

    def _show(self, feed: Any, shell: ShellState) -> None:
        self.kind = feed.kind.value if feed.kind else ""
        self.kind_word, self.form_word = dict(KINDS).get(self.kind, ""), dict(FORMS)[feed.form.value]
        self.target, self.made = feed.target, feed.new_secret or ""
        self.meaning, self.said = standing(feed, datetime.now(UTC), shell.zone())

    @rx.event
    async def change(self, form: dict[str, Any]) -> None:
        """Pushes to this collector from now on."""
        await self._change({
            "kind": str(form.get("kind") or ""), "form": str(form.get("form") or ""),
            "target": str(form.get("target") or ""), "from_start": bool(form.get("from_start")),
        }, "Events are pushed from now on, each within a minute.")

    @rx.event
    async def stop(self) -> None:
        """Pushes nothing more."""
        await self._change({"kind": None}, "Nothing is pushed any more. What was taken stays there.")

    async def _change(self, sent: dict[str, Any], said: str) -> None:
        shell = await self.get_state(ShellState)
        feed = await shell.act("siem.change", sent)
        if feed is not None:
            self._show(feed, shell)
            shell.status, shell.status_href = said, query("/audit", target="siem")
