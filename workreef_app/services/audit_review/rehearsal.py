"""Rehearsing an attack on a copy of the log: what whoever holds the database could do, and which check names it.

The copy is made in memory and verified as any export is. The log itself is never touched: the role that the product
runs as has no right to, nor to make a table of its own.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import Field

from workreef_app.services.audit import chain, export, notes, verify
from workreef_app.services.audit.canonical import canonical, parse
from workreef_app.services.audit.verify import Tree
from workreef_app.services.audit_review import checkpointing
from workreef_app.services.audit_review.reading import WholeLog, entries, head, tiles
from workreef_app.services.operation import AUDITORS, Command, Conflict, Event, Invalid, Result, Work, operation

#: The copy holds so many entries at most: the last ones before the checkpoint.
COPY = 500
Entry = tuple[int, str, bytes]


class Attack(StrEnum):
    """What is done to the copy."""

    EDIT = "edit"
    DELETE = "delete"
    SWAP = "swap"
    CUT = "cut"
    REWRITE = "rewrite"
    RESIGN = "resign"


@dataclass(frozen=True)
class Copy:
    """An export in memory: entries, what comes before and after them, and its checkpoint."""

    tenant: UUID
    entries: list[Entry]
    part: export.Part
    size: int
    note: str

    def chained(self, said: Sequence[str]) -> list[Entry]:
        """Contents with every hash made anew, from the one before the copy on."""
        made, last = list[Entry](), self.part.previous
        for seq, content in enumerate(said, self.part.first):
            last = chain.link(content, last)
            made.append((seq, content, last))
        return made

    def edited(self, at: int) -> list[str]:
        said = [content for _, content, _ in self.entries]
        said[at] = canonical({**parse(said[at]), "actor": "person:00000000-0000-7000-8000-000000000000"})
        return said


def _edit(copy: Copy, at: int) -> Copy:
    seq, _, own = copy.entries[at]
    return replace(copy, entries=[*copy.entries[:at], (seq, copy.edited(at)[at], own), *copy.entries[at + 1 :]])


def _delete(copy: Copy, at: int) -> Copy:
    return replace(copy, entries=[*copy.entries[:at], *copy.entries[at + 1 :]])


def _swap(copy: Copy, at: int) -> Copy:
    """With the entry before it."""
    held = list(copy.entries)
    held[at - 1], held[at] = held[at], held[at - 1]
    return replace(copy, entries=held)


def _cut(copy: Copy, at: int) -> Copy:
    """From the entry on, with the trailer made to fit."""
    return replace(copy, entries=copy.entries[:at])


def _rewrite(copy: Copy, at: int) -> Copy:
    return replace(copy, entries=copy.chained(copy.edited(at)))


def _resign(copy: Copy, at: int) -> Copy:
    """A rewrite, with a checkpoint that fits it, signed with a key of the attacker's own."""
    made = _rewrite(copy, at)
    tree = Tree(copy.part.first - 1)
    for _, content, _ in made.entries:
        tree.add(content.encode())
    root = tree.completed(copy.part.before).root(copy.size, copy.part.after)
    name = notes.origin(copy.tenant)
    signed = notes.text(name, copy.size, root, made.entries[-1][2])
    return replace(made, note=notes.sign(Ed25519PrivateKey.generate(), name, signed))


ATTACKS: Mapping[Attack, Callable[[Copy, int], Copy]] = MappingProxyType({
    Attack.EDIT: _edit, Attack.DELETE: _delete, Attack.SWAP: _swap, Attack.CUT: _cut, Attack.REWRITE: _rewrite,
    Attack.RESIGN: _resign,
})
#: Which check it is that names a kind of finding.
CHECKS: Mapping[str, str] = MappingProxyType({
    "edited": "the hash chain", "missing": "the numbers and the hash chain", "inserted": "the hash chain",
    "reordered": "the numbers and the hash chain", "head_cut": "the numbers", "tail_cut": "the checkpoint's size",
    "rewritten": "the checkpoint's root", "bad_signature": "the checkpoint's signature",
    "foreign_origin": "the first hash", "not_canonical": "the canonical form", "malformed": "the form of the line",
})


def judged(copy: Copy, keys: Sequence[verify.Key]) -> dict[str, Any]:
    """What the verifier says of a copy, by these keys."""
    last = copy.entries[-1][2] if copy.entries else copy.part.previous
    lines = [export.entry_line(*entry) for entry in copy.entries]
    lines.append(export.trailer_line(copy.tenant, len(copy.entries), last, copy.part))
    with tempfile.TemporaryDirectory(prefix="workreef-rehearsal-") as folder:
        for name, content in (
            ("audit.jsonl", b"".join(lines)), ("checkpoints.txt", copy.note.encode()),
            ("keys.json", notes.keys_json(keys).encode()),
        ):
            (Path(folder) / name).write_bytes(content)
        return verify.verify(folder, keys=tuple(keys))


class Rehearse(Command):
    attack: Attack
    entry: int = Field(ge=1, description="The number of the entry that is attacked.")


class Named(Result):
    """One thing that the verifier named: the kind, the entry, by which check, and what it means."""

    kind: str
    seq: int
    check: str
    why: str


class Rehearsed(Result):
    """What came of it: the entries of the copy, whether it was sound before, and what was named after."""

    first: int
    last: int
    sound_before: bool
    named: list[Named]


@operation("audit.rehearse", by=AUDITORS, limit="60/minute", audit=Event.AUDIT_REHEARSED, keyless=True)
def rehearse(work: Work, command: Rehearse) -> Rehearsed:
    """Attacks a copy of the log's last entries in memory, and tells which check names it. The log stays as it is."""
    copy, keys = _copy(work), checkpointing.signer(work).keys(work.tenant.id)
    first, last = copy.part.first, copy.size
    if not first < command.entry <= last:
        raise Invalid(
            f"The copy holds the entries from {first} to {last}: pick one after the first.",
            fields={"entry": f"from {first + 1} to {last}"},
        )
    before, after = judged(copy, keys), judged(ATTACKS[command.attack](copy, command.entry - first), keys)
    work.note(target=f"entry:{command.entry}", attack=command.attack.value, named=not after["ok"])
    return Rehearsed(first=first, last=last, sound_before=bool(before["ok"]), named=_named(after))


def _named(report: dict[str, Any]) -> list[Named]:
    return [
        Named(kind=verdict["kind"], seq=verdict["seq"], why=why, check=CHECKS.get(verdict["kind"], "the verifier"))
        for verdict, why in zip(report["verdicts"], report["why"], strict=False)
    ]


def _copy(work: Work) -> Copy:
    """The last entries up to the last checkpoint. Raises Conflict while there is too little to rehearse on."""
    last = checkpointing.latest(work.session)
    if last is None or last.size < 3 or last.size > head(work.session).seq:
        raise Conflict("Make a checkpoint of at least three entries first; attacks are rehearsed on a copy up to it.")
    with WholeLog(work):
        first = max(1, last.size - COPY + 1)
        before = list(entries(work.session, max(1, first - 1), first - 1))
        held = list(entries(work.session, first, last.size))
        tree = tiles(work.session, last.size)
        part = export.Part(
            first, before[0][2] if before else chain.genesis(work.tenant.id), tree.before(first - 1), []
        )
    return Copy(work.tenant.id, held, part, last.size, last.note)
