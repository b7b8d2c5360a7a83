"""A contributor's own screen: one calm sentence, never a score."""

from __future__ import annotations

import reflex as rx

from workreef_app.state.shell import ShellState


class MyWorkState(rx.State):
    """What is changing about my work, and whom to ask."""

    status: str = ""
    changes: str = ""
    ask_whom: str = ""

    @rx.event
    async def load(self) -> None:
        """Reads the contributor's status."""
        shell = await self.get_state(ShellState)
        found = await shell.ask("my_work.read", {})
        if found is not None:
            self.status, self.changes, self.ask_whom = found.status, found.changes, found.ask
