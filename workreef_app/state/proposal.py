"""The screen on which a person decides about a proposal."""

from __future__ import annotations

from typing import Any

import reflex as rx

from workreef_app.state.rows import DecisionLine, EvidenceCard, WorkRow, decision_line, evidence_card, work_row
from workreef_app.state.shell import ShellState
from workreef_app.state.words import counted, moment, query, share


class ProposalState(rx.State):
    """One proposal with all that a person needs to decide it."""

    row: WorkRow = WorkRow()
    evidence: list[EvidenceCard] = []
    confirmation: str = ""
    days_share: float = 0.0
    days_threshold: float = 0.0
    days_text: str = ""
    alike_share: float = 0.0
    alike_threshold: float = 0.0
    handling_share: float = 0.0
    handling_threshold: float = 0.0
    threshold_days: str = ""
    threshold_alike: str = ""
    threshold_handling: str = ""
    analysis: str = ""
    points: list[str] = []
    unknown: list[str] = []
    analysed_at: str = ""
    decisions: list[DecisionLine] = []
    can_accept: bool = False
    can_return: bool = False
    can_decline: bool = False
    reason: str = ""
    reason_missing: bool = False
    updated_at: str = ""
    _shown: str = ""
    _choices: list[str] = []

    @rx.event
    async def load(self) -> None:
        """Reads the proposal in the address."""
        self.reason, self.reason_missing, self._shown, self._choices = "", False, "", []
        await self._read(str(self.proposal_id))  # type: ignore[attr-defined]

    async def _read(self, proposal_id: str) -> None:
        shell = await self.get_state(ShellState)
        found = await shell.ask("proposals.read", {"proposal_id": proposal_id})
        if found is None:
            return
        zone = shell.zone()
        self._shown, self._choices = str(found.row.proposal_id), [choice.value for choice in found.choices]
        self.row = work_row(found.row, zone)
        self.evidence = [evidence_card(e, zone) for e in found.evidence]
        self.confirmation = f"{counted(len(found.evidence), 'source flags', 'sources flag')} this task."
        self._measures(found)
        self.analysis, self.analysed_at = found.analysis.summary, moment(found.analysis.created_at, zone)
        self.points, self.unknown = found.analysis.points, found.analysis.unknown
        self.decisions = [decision_line(d, zone) for d in found.decisions]
        self.can_accept, self.can_return = "accept" in self._choices, "return" in self._choices
        self.can_decline = "decline" in self._choices
        self.updated_at = moment(found.updated_at, zone)

    def _measures(self, found: Any) -> None:
        row, limits = found.row, found.thresholds
        self.days_share = row.days / row.window_days
        self.days_threshold = limits.min_days / row.window_days
        self.days_text = f"{counted(row.days, 'day')} of {row.window_days}"
        self.threshold_days = counted(limits.min_days, "day")
        self.alike_share, self.alike_threshold = (row.uniformity or 0) / 1000, limits.min_uniformity / 1000
        self.threshold_alike = share(limits.min_uniformity)
        self.handling_share, self.handling_threshold = (row.handling or 0) / 1000, limits.min_handling / 1000
        self.threshold_handling = share(limits.min_handling)

    @rx.event
    def set_reason(self, value: str) -> None:
        """Keeps what was typed."""
        self.reason = value[:500]

    @rx.event
    async def decide(self, choice: str) -> None:
        """Records the decision about the proposal that is shown, and shows it as it then stands."""
        if choice not in self._choices or not self.router.url.path.rstrip("/").endswith(self._shown):
            return  # a second click, or a click on a page that is being left
        shell = await self.get_state(ShellState)
        done = await shell.act(
            "proposals.decide", {"proposal_id": self._shown, "choice": choice, "reason": self.reason}
        )
        self.reason_missing = done is None and choice != "accept" and not self.reason.strip()
        if done is None:
            if not self.reason_missing:
                await self._read(self._shown)  # somebody else may have decided it meanwhile
            return
        self.reason = ""
        shell.accept("reason")
        await self._read(self._shown)
        shell.status = f"The proposal is {done.status.value}."
        shell.status_href = query("/audit", target=f"proposal:{self._shown}")
