"""The Merkle tree over a log's contents (RFC 6962 section 2.1), and the proofs that are made from it.

The hashes themselves are those of `verify.py`, the very file that customers run. Here is what only the log's keeper
needs: proofs, from subtrees that are kept so that none reads the whole log. They are kept in tiles of 256 as in the
C2SP static tree format: level 8 has a node for every 256 leaves, level 16 one for every 65,536, and so on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from workreef_app.services.audit.verify import cover, node

#: Levels of a tile, and how many nodes it has.
TILE_LEVELS: Final = 8
TILE: Final = 1 << TILE_LEVELS
#: Gives the nodes of a level: (level, first, how many). Level 0 are the leaves' hashes.
Read = Callable[[int, int, int], list[bytes]]


class Tiles:
    """A tree of `size` leaves, read by the tile. One for each use: what was read is kept."""

    def __init__(self, size: int, read: Read) -> None:
        self.size = size
        self._read = read
        self._held: dict[tuple[int, int], list[bytes]] = {}

    def _tile(self, level: int, number: int) -> list[bytes]:
        held = self._held.get((level, number))
        if held is None:
            first = number * TILE
            held = self._read(level, first, min(TILE, (self.size >> level) - first))
            self._held[level, number] = held
        return held

    def perfect(self, first: int, size: int) -> bytes:
        """The root of the `size` leaves from `first` on; `size` is a power of two that divides `first`."""
        level = size.bit_length() - 1
        base = level // TILE_LEVELS * TILE_LEVELS
        at, count = first >> base, size >> base
        nodes = self._tile(base, at // TILE)[at % TILE : at % TILE + count]
        while len(nodes) > 1:
            nodes = [node(left, right) for left, right in zip(nodes[::2], nodes[1::2], strict=True)]
        return nodes[0]

    def root(self, first: int = 0, end: int | None = None) -> bytes:
        """The root over the leaves from `first` up to before `end`, a subtree of the whole."""
        parts = [self.perfect(*each) for each in cover(first, self.size if end is None else end)]
        made = parts.pop()
        while parts:
            made = node(parts.pop(), made)
        return made

    def inclusion(self, index: int) -> list[bytes]:
        """The proof that the leaf at `index` (from 0) is in the tree, RFC 6962 section 2.1.1."""
        first, end, path = 0, self.size, list[bytes]()
        while end - first > 1:
            half = first + _split(end - first)
            if index < half:
                path.append(self.root(half, end))
                end = half
            else:
                path.append(self.root(first, half))
                first = half
        return path[::-1]

    def before(self, start: int) -> list[bytes]:
        """The roots of the perfect subtrees that make up the leaves before `start`."""
        return [self.perfect(*each) for each in cover(0, start)]

    def after(self, end: int) -> list[bytes]:
        """The roots of the subtrees that complete a tree of `end` leaves to this one, left to right."""
        return list(self._after(0, self.size, end))

    def _after(self, first: int, last: int, end: int) -> Iterator[bytes]:
        if first >= end:
            yield self.root(first, last)
        elif last > end:
            half = first + _split(last - first)
            yield from self._after(first, half, end)
            yield from self._after(half, last, end)


def _split(count: int) -> int:
    """The largest power of two below `count`."""
    return 1 << (count - 1).bit_length() - 1


def completed(start: int, end: int, leaves: Read) -> Iterator[tuple[int, int, bytes]]:
    """The nodes to keep (level, number, hash) that a tree gets when it grows from `start` to `end` leaves.

    `leaves` gives the hashes of leaves, and nodes of the levels that were kept before.
    """
    made: dict[int, dict[int, bytes]] = {0: {}}
    for level in range(TILE_LEVELS, end.bit_length(), TILE_LEVELS):
        below, made[level] = level - TILE_LEVELS, {}
        for number in range(start >> level, end >> level):
            first = number * TILE
            missing = next((at for at in range(first, first + TILE) if at in made[below]), first + TILE)
            nodes = leaves(below, first, missing - first) + [made[below][at] for at in range(missing, first + TILE)]
            while len(nodes) > 1:
                nodes = [node(left, right) for left, right in zip(nodes[::2], nodes[1::2], strict=True)]
            made[level][number] = nodes[0]
            yield level, number, nodes[0]
        made[below] = {}
