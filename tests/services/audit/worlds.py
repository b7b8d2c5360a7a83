"""Logs as their keeper would write them: entries, signed checkpoints, keys, and exports of all that."""

from __future__ import annotations

import random
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from workreef_app.services.audit import chain, export, merkle, notes, verify
from workreef_app.services.audit.canonical import canonical

Entry = tuple[int, str, bytes]
TENANT = UUID("01900000-0000-7000-8000-00000000000a")
OTHER = UUID("01900000-0000-7000-8000-00000000000b")


def signing_key(seed: int) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(seed.to_bytes(32, "big"))


def contents(count: int, seed: int = 0) -> list[str]:
    rng = random.Random(seed)
    return [
        canonical({
            "actor": f"person:{UUID(int=rng.getrandbits(128))}", "at": "2026-11-23T09:14:07.123456Z",
            "detail": rng.choice([{}, {"rows": rng.randrange(10**6)}, {"ids": [seq, "é"], "path": 'a\\b"c'}]),
            "event": "proposal.decided", "request": str(seq), "target": f"proposal:{UUID(int=rng.getrandbits(128))}",
        })
        for seq in range(1, count + 1)
    ]


def chained(said: Sequence[str], tenant: UUID = TENANT) -> list[Entry]:
    entries, last = list[Entry](), chain.genesis(tenant)
    for seq, content in enumerate(said, 1):
        last = chain.link(content, last)
        entries.append((seq, content, last))
    return entries


@dataclass(frozen=True)
class Log:
    """A log with checkpoints at the sizes given, signed with the key of a seed."""

    entries: list[Entry]
    sizes: tuple[int, ...] = ()
    tenant: UUID = TENANT
    seed: int = 1

    @classmethod
    def of(cls, count: int, *sizes: int, seed: int = 0, tenant: UUID = TENANT, key: int = 1) -> Log:
        return cls(chained(contents(count, seed), tenant), sizes or (count,), tenant, key)

    @property
    def key(self) -> verify.Key:
        return verify.Key(notes.origin(self.tenant), notes.public_of(signing_key(self.seed)))

    def tiles(self, size: int) -> merkle.Tiles:
        leaves = [verify.leaf(content.encode()) for _, content, _ in self.entries]
        kept: dict[tuple[int, int], bytes] = {}

        def read(level: int, first: int, count: int) -> list[bytes]:
            return leaves[first : first + count] if level == 0 else [kept[level, first + n] for n in range(count)]

        kept |= {(level, number): made for level, number, made in merkle.completed(0, size, read)}
        return merkle.Tiles(size, read)

    def note(self, size: int) -> str:
        head = self.entries[size - 1][2] if size else chain.genesis(self.tenant)
        root = self.tiles(size).root() if size else verify.Tree().root()
        name = notes.origin(self.tenant)
        return notes.sign(signing_key(self.seed), name, notes.text(name, size, root, head))

    @cached_property
    def lines(self) -> list[bytes]:
        head = self.entries[-1][2] if self.entries else chain.genesis(self.tenant)
        return [
            *(export.entry_line(*entry) for entry in self.entries),
            export.trailer_line(self.tenant, len(self.entries), head),
        ]

    @cached_property
    def checkpoints(self) -> list[str]:
        return [self.note(size) for size in self.sizes]

    def cut(self, count: int) -> Log:
        """As it was when it had `count` entries."""
        return replace(self, entries=self.entries[:count], sizes=tuple(size for size in self.sizes if size <= count))


def verified(
    folder: Path, lines: Sequence[bytes], checkpoints: Sequence[str], published: Sequence[verify.Key],
    raw: Mapping[str, bytes] | None = None, **asked: Any
) -> dict[str, Any]:
    """What the verifier says of an export in a folder with these files."""
    folder.mkdir(exist_ok=True)
    (folder / "audit.jsonl").write_bytes(b"".join(lines))
    (folder / "checkpoints.txt").write_text("\n".join(checkpoints))
    (folder / "keys.json").write_text(notes.keys_json(published))
    for name, content in (raw or {}).items():
        (folder / name).write_bytes(content)
    return verify.verify(str(folder), **asked)


def of_log(folder: Path, log: Log, **asked: Any) -> dict[str, Any]:
    """What the verifier says of the export of a log."""
    return verified(folder, log.lines, log.checkpoints, [log.key], **asked)


def verdicts(report: dict[str, Any]) -> list[tuple[str, int]]:
    return [(verdict["kind"], verdict["seq"]) for verdict in report["verdicts"]]


def known(*raw: str) -> tuple[verify.Note, ...]:
    """Checkpoints that somebody kept."""
    return tuple(verify.parse_note(each) for each in raw)


def zipped(path: Path, log: Log) -> Path:
    """The export of a log as a zip."""
    with path.open("wb") as out:
        export.write_export(out, tenant_id=log.tenant, entries=log.entries, checkpoints=log.checkpoints, keys=[log.key])
    assert zipfile.is_zipfile(path)
    return path
