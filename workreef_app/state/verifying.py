"""The verifier page: the whole chain piece by piece, against a checkpoint that somebody kept, and rehearsed attacks."""

from __future__ import annotations

import dataclasses
import hashlib
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import reflex as rx

from workreef_app.services.audit import verify
from workreef_app.services.operation import REGISTRY, Refusal
from workreef_app.state.calls import perform
from workreef_app.state.shell import ShellState
from workreef_app.state.words import counted, lately, number

#: Findings that are shown; a log that was rewritten has one, a log that was shredded thousands.
SHOWN = 20


@dataclasses.dataclass(frozen=True)
class Found:
    """One finding in words."""

    what: str = ""
    why: str = ""
    href: str = ""


@dataclasses.dataclass(frozen=True)
class Checkpoint:
    """The log's last checkpoint as the page shows it."""

    size: str = ""
    at: str = ""
    note: str = ""
    key: str = ""


def found(kind: str, seq: int, why: str) -> Found:
    """A verdict in words, with the way to its entry."""
    return Found(f"{verify.WORDS.get(kind, kind).capitalize()}, entry {number(seq)}", why, f"/audit/{seq}")


def verifier_hash() -> str:
    """The SHA-256 of the verifier that is given out, as hex."""
    return hashlib.sha256(Path(verify.__file__).read_bytes()).hexdigest()


def unproven(after: int, count: int, known: bool) -> list[str]:
    """What a verification here does not prove."""
    said = [] if after >= count else [f"That entries from {number(after + 1)} on are as they were first written: "
                                      "no checkpoint covers them yet."]
    said += [] if known else ["That this is not an older copy, and that everybody is shown the same log: "
                              "for that, verify against a checkpoint that you kept."]
    return [*said, "That this server tells the truth: for that, verify an export on a machine of your own.",
            "That nothing happened without being written: no log can prove that."]


class VerifyState(rx.State):
    """A verification as it goes on. What a piece needs from the one before stays on the server."""

    running: bool = False
    verdict: str = ""
    headline: str = ""
    percent: int = 0
    progress: str = ""
    findings: list[Found] = []
    not_proven: list[str] = []
    checkpoint: Checkpoint = Checkpoint()
    may_attest: bool = False
    digest: str = ""
    _count: int = 0
    _after: int = 0
    _anchored: int = 0
    _head: str = ""
    _known: str = ""
    _nodes: list[str] = []
    _began: float = 0.0

    @rx.event
    async def load(self) -> None:
        """Shows the last checkpoint, and what may be done."""
        shell = await self.get_state(ShellState)
        self.running, self.verdict, self.findings = False, "", []
        self.digest = verifier_hash()
        self.may_attest = bool({persona.value for persona in REGISTRY["audit.checkpoint"].by} & set(shell.personas))
        self.not_proven = unproven(0, 0, False)
        try:
            self._show(await perform("audit.read_checkpoint", {}), shell)
        except Refusal:
            self.checkpoint = Checkpoint()

    def _show(self, made: Any, shell: ShellState) -> None:
        at = lately(made.made_at, datetime.now(made.made_at.tzinfo), shell.zone())
        self.checkpoint = Checkpoint(counted(made.size, "entry", "entries"), at, made.note, made.keys[0])

    @rx.event
    async def make_checkpoint(self) -> None:
        """Makes a checkpoint over all that there is."""
        shell = await self.get_state(ShellState)
        made = await shell.act("audit.checkpoint", {})
        if made is not None:
            self._show(made, shell)
            shell.status = f"A checkpoint covers {counted(made.size, 'entry', 'entries')}. Take it away with you."

    @rx.event
    async def begin(self, form: dict[str, Any]) -> Any:
        """Begins to verify the whole log, against a checkpoint that was pasted, if there is one."""
        shell = await self.get_state(ShellState)
        self._known = str(form.get("known") or "").strip()
        begun = await shell.act("audit.begin_verification", {"known": self._known})
        if begun is None:
            return None
        self._count, self._head, self._after, self._anchored, self._nodes = begun.count, begun.head, 0, 0, []
        self._began, self.running, self.verdict, self.findings = time.monotonic(), True, "", []
        self._tell_progress()
        return VerifyState.step

    @rx.event
    async def step(self) -> Any:
        """Verifies the next piece, and has the one after follow."""
        if not self.running:
            return None
        shell = await self.get_state(ShellState)
        piece = await shell.act("audit.verify_piece", {
            "after": self._after, "count": self._count, "head": self._head, "nodes": self._nodes, "known": self._known,
        })
        if piece is None:
            self.running = False
            return None
        self._after, self._nodes, self._anchored = piece.upto, piece.nodes, max(self._anchored, piece.anchored)
        self._tell_progress()
        if piece.verdicts:
            verdicts = zip(piece.verdicts[:SHOWN], piece.why, strict=False)
            self.findings = [found(verdict.kind, verdict.seq, why) for verdict, why in verdicts]
            self._end("broken", f"{self.findings[0].what}: the log is not as it was.")
        elif self._after < self._count:
            return VerifyState.step
        else:
            chained = self._count - self._anchored
            proven = f"{counted(self._anchored, 'entry', 'entries')} proven to the checkpoint"
            self._end("proven" if self._anchored else "attention", f"{proven}; {number(chained)} chained only.")
        return None

    @rx.event
    async def cancel(self) -> None:
        """Stops after the piece that is under way."""
        if self.running:
            self._end("unknown", f"Stopped after {counted(self._after, 'entry', 'entries')}; nothing was found so far.")

    def _end(self, verdict: str, headline: str) -> None:
        self.running, self.verdict, self.headline = False, verdict, headline
        self.not_proven = unproven(self._anchored, self._count, bool(self._known))

    def _tell_progress(self) -> None:
        rate = self._after / max(time.monotonic() - self._began, 0.001)
        self.percent = round(100 * self._after / self._count) if self._count else 100
        self.progress = f"{number(self._after)} of {counted(self._count, 'entry', 'entries')}" + (
            f", {number(round(rate))} a second" if self._after else ""
        )
