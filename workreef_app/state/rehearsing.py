"""Rehearsed attacks on a copy of the log, and what named them."""

from __future__ import annotations

from typing import Any

import reflex as rx

from workreef_app.services.audit_review.rehearsal import Attack
from workreef_app.state.shell import ShellState
from workreef_app.state.verifying import SHOWN, Found, found
from workreef_app.state.words import number

ATTACKS = (
    (Attack.EDIT.value, "Edit the entry"), (Attack.DELETE.value, "Delete the entry"),
    (Attack.SWAP.value, "Swap it with the one before"), (Attack.CUT.value, "Cut the log from it on"),
    (Attack.REWRITE.value, "Edit it and make every later hash anew"),
    (Attack.RESIGN.value, "The same, and sign it with another key"),
)


class RehearsalState(rx.State):
    """The last rehearsal."""

    headline: str = ""
    verdict: str = ""
    named: list[Found] = []
    checks: list[str] = []

    @rx.event
    def load(self) -> None:
        """Forgets what was rehearsed before."""
        self.headline, self.verdict, self.named, self.checks = "", "", [], []

    @rx.event
    async def rehearse(self, form: dict[str, Any]) -> None:
        """Attacks a copy of the log."""
        shell = await self.get_state(ShellState)
        seq = str(form.get("seq") or "").replace(",", "").strip()
        told = await shell.act("audit.rehearse", {"attack": str(form.get("attack") or ""), "entry": seq})
        if told is None:
            return
        held = f"In a copy of the entries {number(told.first)} to {number(told.last)}"
        self.verdict = "proven" if told.named and told.sound_before else "broken"
        self.headline = (
            f"{held}, the attack is named by {told.named[0].check}." if told.named
            else f"{held}, nothing named the attack."
        )
        self.named = [found(each.kind, each.seq, each.why) for each in told.named[:SHOWN]]
        self.checks = [each.check for each in told.named[:SHOWN]]
        shell.status = "The log itself was not touched."
