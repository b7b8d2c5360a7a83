"""The admin's screens: how the tenant stands."""

from __future__ import annotations

import dataclasses

import reflex as rx

from workreef_app.state.shell import ShellState
from workreef_app.state.words import number


@dataclasses.dataclass(frozen=True)
class SettingLine:
    """A setting of the tenant."""

    name: str = ""
    value: str = ""
    own: bool = False
    bounds: str = ""
    meaning: str = ""


class StatusState(rx.State):
    """The tenant's key and settings."""

    settings: list[SettingLine] = []
    key_state: str = "proven"
    key_word: str = "Answers"
    key_text: str = ""

    @rx.event
    async def load(self) -> None:
        """Reads the settings; the frame knows already whether the key answers."""
        shell = await self.get_state(ShellState)
        self.key_state = "broken" if shell.locked else "proven"
        self.key_word = "Does not answer" if shell.locked else "Answers"
        self.key_text = (
            "Nothing sealed can be read until it does."
            if shell.locked else "What is sealed under it can be read."
        )
        settings = await shell.ask("settings.read", {})
        if settings is None:
            return
        self.settings = [
            SettingLine(s.name, number(s.number), s.number != s.default, f"{s.minimum:,} to {s.maximum:,}", s.meaning)
            for s in settings.settings
        ]
