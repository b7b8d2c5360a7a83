"""API tokens: the list, a new one that is shown once, and the end of one."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, tzinfo
from typing import Any

import reflex as rx

from workreef_app.services.access.tokens import grantable
from workreef_app.services.operation import REGISTRY
from workreef_app.state.shell import ShellState
from workreef_app.state.words import counted, lately, moment, query

PATH = "/admin/tokens"
STANDINGS = {"active": ("proven", "Active"), "expired": ("unknown", "Expired"), "revoked": ("broken", "Revoked")}


@dataclasses.dataclass(frozen=True)
class TokenLine:
    """A token in the list."""

    token_id: str = ""
    name: str = ""
    owner: str = ""
    operations: str = ""
    state: str = "unknown"
    standing: str = ""
    expires: str = ""
    used: str = ""
    active: bool = False


@dataclasses.dataclass(frozen=True)
class OperationChoice:
    """An operation that a token may list."""

    name: str = ""
    summary: str = ""


def choices(personas: list[str]) -> list[OperationChoice]:
    """What a token of somebody with these personas can call at all, by name."""
    mine = set(personas)
    return [
        OperationChoice(name, spec.summary) for name, spec in sorted(REGISTRY.items())
        if grantable(spec) and mine & {persona.value for persona in spec.by}
    ]


def token_line(row: Any, now: datetime, zone: tzinfo) -> TokenLine:
    """A row of the door as the list shows it."""
    state, standing = STANDINGS[row.status.value]
    return TokenLine(
        token_id=str(row.id), name=row.name, owner=row.owner, operations=", ".join(row.operations), state=state,
        standing=standing, expires=moment(row.expires_at, zone), active=row.status.value == "active",
        used=lately(row.last_used_at, now, zone) if row.last_used_at else "Never",
    )


class TokensState(rx.State):
    """The tenant's tokens. The page of the list is in the address."""

    rows: list[TokenLine] = []
    total: int = 0
    count: str = ""
    choices: list[OperationChoice] = []
    next_href: str = ""
    first_href: str = ""
    #: Shown once, right after it was made; a reload forgets it.
    made: str = ""

    @rx.event
    async def load(self) -> None:
        """Reads a page of the list."""
        shell = await self.get_state(ShellState)
        self.made = ""
        await self._load(shell)

    async def _load(self, shell: ShellState) -> None:
        after = self.router.url.query_parameters.get("after", "")
        page = await shell.ask("tokens.list", {"after": after})
        if page is None:
            return
        now, zone = datetime.now(UTC), shell.zone()
        self.choices = choices(shell.personas)
        self.rows = [token_line(row, now, zone) for row in page.rows]
        self.total, self.count = page.count, f"{counted(page.count, 'token')}, {page.holding} active"
        self.next_href = query(PATH, after=page.next) if page.next else ""
        self.first_href = PATH if after else ""

    @rx.event
    async def create(self, form: dict[str, Any]) -> None:
        """Makes a token for the person who asks, and shows it this once."""
        shell = await self.get_state(ShellState)
        self.made = ""
        listed = [choice.name for choice in self.choices if form.get(choice.name)]
        days = str(form.get("days") or "")
        found = await shell.act("tokens.create", {
            "name": str(form.get("name") or ""), "operations": listed, "days": int(days) if days.isdecimal() else 0,
        })
        if found is None:
            return
        await self._load(shell)
        self.made = found.token
        shell.status = f"The token is made. It may call {counted(len(listed), 'operation')}."
        shell.status_href = query("/audit", target=f"token:{found.id}")

    @rx.event
    async def revoke(self, token_id: str) -> None:
        """Ends a token at once."""
        shell = await self.get_state(ShellState)
        if await shell.act("tokens.revoke", {"token_id": token_id}) is None:
            return
        await self._load(shell)
        self.made = ""
        shell.status = "The token is revoked."
        shell.status_href = query("/audit", target=f"token:{token_id}")
