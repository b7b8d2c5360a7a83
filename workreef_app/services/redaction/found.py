"""What a detector finds."""

from __future__ import annotations

from typing import NamedTuple


class Found(NamedTuple):
    """A find: its class, its span in code points, and the rule that found it."""

    kind: str
    start: int
    end: int
    rule: str
