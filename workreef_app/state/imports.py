"""Importing from a page: the form's choices, and each import that is under way or in the address, with its account."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import reflex as rx
from reflex.event import EventSpec

from workreef_app.services.operation import REGISTRY, Refusal
from workreef_app.services.signals.models import RunStatus
from workreef_app.state.calls import perform
from workreef_app.state.import_cards import ImportCard, import_card
from workreef_app.state.rows import Choice
from workreef_app.state.shell import ShellState
from workreef_app.state.sources import SourcesState
from workreef_app.state.words import query

#: Imports shown at once.
SHOWN = 10
#: An import that was cut off so recently is the one whose sending this tab has just given up.
JUST_NOW = timedelta(minutes=2)


def ids_of(text: str) -> list[str]:
    """The import ids of an address, each once, at most as many as are shown; what is no id is left out."""
    found: dict[str, None] = {}
    for part in text.split(",")[: 4 * SHOWN]:
        try:
            found[str(UUID(part))] = None
        except ValueError:
            continue
    return list(found)[:SHOWN]


class ImportsState(rx.State):
    """The form's choices, and the imports shown below it."""

    may_import: bool = False
    departments: list[Choice] = []
    zone: str = "UTC"
    cards: list[ImportCard] = []
    active: bool = False
    refusals: list[str] = []
    #: When an import was first seen counting and how many lines it had then, for its rate.
    _first: dict[str, tuple[float, int]] = {}
    _cancelled: list[str] = []
    _sending: str = ""
    #: What the status region is to say once the page, which is being loaded anew, has arrived.
    _tell: str = ""

    @rx.event
    async def load(self) -> None:
        """Reads the form's choices, the imports in the address and those under way; follows the sources' load."""
        shell = await self.get_state(ShellState)
        allowed = {persona.value for persona in REGISTRY["imports.start"].by}
        self.may_import = bool(allowed & set(shell.personas)) and not shell.locked
        self.cards, self.active = [], False
        if not self.may_import or shell.trouble:
            return
        choices, me = await shell.ask("departments.list", {}), await shell.ask("me.read", {})
        if choices is None or me is None:
            return
        self.departments = [Choice(d.slug, d.name) for d in choices.departments]
        self.zone = me.tenant_time_zone
        sources = await self.get_state(SourcesState)
        ids = ids_of(self.router.url.query_parameters.get("import", ""))
        for import_id in [*ids, *(i for i in sources.under_way() if i not in ids)]:
            run = await shell.ask("imports.read", {"import_id": import_id})
            if run is None:
                return
            self._show(run, shell)
        if self._tell:
            shell.status, self._tell = self._tell, ""

    def _show(self, run: Any, shell: ShellState) -> ImportCard:
        """Puts an import's card in its place, or behind the others."""
        card = import_card(run, shell.zone(), rate=self._rate(run), cancelling=str(run.id) in self._cancelled)
        known = {shown.id: shown for shown in self.cards}
        self.cards = list({**known, card.id: card}.values())
        self.active = any(shown.active for shown in self.cards)
        return card

    def _rate(self, run: Any) -> int:
        """Lines a second since the import was first seen counting here."""
        now, key = time.monotonic(), str(run.id)
        if run.status != RunStatus.RUNNING:
            self._first.pop(key, None)
            return 0
        at, lines = self._first.setdefault(key, (now, run.lines))
        return round((run.lines - lines) / (now - at)) if now - at >= 1 else 0

    @rx.event
    async def tick(self) -> None:
        """Looks again at the imports that are under way; says when one has ended."""
        shell = await self.get_state(ShellState)
        ended = False
        for card in [card for card in self.cards if card.active]:
            try:
                run = await perform("imports.read", {"import_id": card.id})
            except Refusal:
                continue  # it is asked for again at the next tick; what was last known stays
            after = self._show(run, shell)
            if not after.active:
                ended = True
                shell.status, shell.refused = f"{after.file_name}: {after.word.lower()}. {after.said}", False
                shell.status_href = query("/audit", target=f"import:{after.id}")
        if ended:
            await (await self.get_state(SourcesState)).read(shell)

    @rx.event
    async def cancel(self, import_id: str) -> None:
        """Cancels an import; a running one stops at its next step."""
        shell = await self.get_state(ShellState)
        run = await shell.act("imports.cancel", {"import_id": import_id})
        if run is None:
            return
        self._cancelled = [*self._cancelled, import_id][-SHOWN:]
        card = self._show(run, shell)
        shell.status = f"{card.file_name}: {card.said}"
        shell.status_href = query("/audit", target=f"import:{import_id}")

    @rx.event
    async def begun(self, name: str, place: int) -> None:
        """Says that a file is being sent; `place` is its number among those that were chosen."""
        shell = await self.get_state(ShellState)
        self._sending = name[:255]
        self.refusals = [] if place == 1 else self.refusals
        shell.status, shell.status_href, shell.refused = f"Sending {self._sending}.", "", False

    @rx.event
    def sent(self, ids: str) -> EventSpec | None:
        """Shows the imports of the files that have arrived: puts them into the address."""
        found = ids_of(",".join([ids, *(card.id for card in self.cards if card.active)]))
        self._tell = f"{self._sending} has arrived. Its lines are being counted."
        return rx.redirect(query("/sources", **{"import": ",".join(found)}), replace=True) if found else None

    @rx.event
    async def refused(self, why: str) -> None:
        """Says why a file was not taken."""
        shell = await self.get_state(ShellState)
        self.refusals = [*self.refusals, why[:500]][-SHOWN:]
        shell.status, shell.status_href, shell.refused = why[:500], "", True

    @rx.event
    async def cut(self, kind: str) -> EventSpec | None:
        """Says that the sending has ended early, and shows what became of the part that had arrived."""
        shell = await self.get_state(ShellState)
        sources = await self.get_state(SourcesState)
        await sources.read(shell)
        how = "was cancelled" if kind == "cancelled" else "was cut off: the connection was lost"
        found = sources.latest(self._sending, datetime.now(UTC) - JUST_NOW)
        rest = "What had arrived is counted, and shown below." if found else "Nothing of it had arrived."
        shell.status, shell.status_href, shell.refused = f"Sending {self._sending} {how}. {rest}", "", True
        if not found:
            return None
        self._tell = shell.status
        return rx.redirect(query("/sources", **{"import": found}), replace=True)
