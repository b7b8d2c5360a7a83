"""Counting each line once: which lines of a batch are new, as plain functions.

A line's identity is a keyed hash of its raw bytes. The lines of a source are a multiset, and a file adds what it
has more of than was known: a file imported again adds nothing, a grown or overlapping one only its new lines, and
equal lines within one file count. What this cannot tell apart: equal lines of two files that do not overlap.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

DIGEST_BYTES = 16


@dataclass(frozen=True, slots=True)
class Seen:
    """How often a line is known: over all files, and in the running import."""

    lines: int
    run_id: UUID
    run_lines: int


def digest(identity: bytes, key: bytes) -> bytes:
    """Keyed BLAKE2b of a line's identity, 16 bytes."""
    return hashlib.blake2b(identity, key=key, digest_size=DIGEST_BYTES).digest()


def count(
    digests: Iterable[bytes], known: Mapping[bytes, Seen], run_id: UUID
) -> tuple[dict[bytes, Seen], dict[bytes, int]]:
    """What is known after a batch of the run, and how many lines of each digest are new."""
    after: dict[bytes, Seen] = {}
    added: dict[bytes, int] = {}
    for line, times in Counter(digests).items():
        before = known.get(line)
        earlier = before.run_lines if before and before.run_id == run_id else 0
        total = max(before.lines if before else 0, earlier + times)
        after[line] = Seen(total, run_id, earlier + times)
        added[line] = total - (before.lines if before else 0)
    return after, added
