"""A streaming miner of log templates: one pass, bounded memory, state that is its own templates.

Lines whose shape (see `tokens`) is equal belong together at once; that is a dictionary look-up. Free words
need evidence: like Brain (Yu et al., IEEE TSC 2023) and FT-tree (Zhang et al., IWQoS 2017) we call a column
a variable when, the rest of the line being alike, it has held several different words. Until then each word
keeps a template of its own, and when the evidence is there those templates become one; `Miner.merges` says
which id went where. Like Drain (He et al., ICWS 2017) only lines with the same number of tokens are compared.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from workreef_app.services.signals.likeness import (
    ANY,
    Tokens,
    bands,
    differences,
    evidence,
    is_alike,
    is_constant,
    is_too_open,
    most_differences,
    opened,
    wildcards,
)
from workreef_app.services.signals.tokens import VARIABLE, Shaper, condensed

MAX_TEMPLATES = 20_000
"""Templates kept; beyond them a line of n tokens that matches none goes to the one template of n wildcards.

So every line is counted, and what a full miner no longer tells apart shows as what it is. Templates that are long
fill it sooner: see `MEAN_TOKENS`. Full, it holds about 150 MiB at most.
"""

MEAN_TOKENS = 40
"""Tokens of a template on average at which the miner is full before it has `MAX_TEMPLATES`."""

DISTINCT_WORDS = 4
"""Different words that a column must have held, the rest being alike, to be called a variable."""

DISTINCT_FIRST_WORDS = 16
"""The same for the first column: a message begins with what its author wrote more often than with data."""

_CANDIDATES = 32
_MAX_SIGNATURES = 32
_CACHED_SHAPE_TOKENS = 320_000


@dataclass(frozen=True, slots=True)
class Template:
    """One event's form. All live templates together are the whole state of a `Miner`."""

    id: int
    tokens: Tokens
    size: int
    """Lines seen."""
    issued: int
    """Ids given out when this template was last formed; the highest one is the next free id."""


class Match(NamedTuple):
    """Where a line went. Uniformity is later the sum of `constant` over the sum of `total`."""

    template: int
    constant: int
    total: int


def text(template: Template) -> str:
    """The template as people read it, every variable shown as `<*>`."""
    return " ".join(template.tokens).replace(VARIABLE, ANY)


class _Cluster:
    """A live template, mutable while mining."""

    __slots__ = ("id", "issued", "match", "size", "tokens")

    def __init__(self, id: int, tokens: Tokens, size: int, issued: int) -> None:
        self.id, self.tokens, self.size, self.issued = id, tokens, size, issued
        self.match = Match(id, sum(map(is_constant, tokens)), len(tokens))

    def template(self) -> Template:
        return Template(self.id, self.tokens, self.size, self.issued)


class Miner:
    """Groups messages by template. `Miner(old.templates())` goes on exactly where `old` stopped."""

    def __init__(self, templates: Iterable[Template] = (), *, limit: int = MAX_TEMPLATES) -> None:
        self.merges: list[tuple[int, int]] = []
        """(old id, surviving id), in order; the caller may clear it once stored."""
        self._limit = limit
        self._live: dict[int, _Cluster] = {}
        self._by_signature: dict[int, dict[tuple[int, ...], dict[Tokens, _Cluster]]] = {}
        self._by_band: dict[tuple[int, int, Tokens], list[int]] = {}
        self._shaper = Shaper()
        self._seen: dict[Tokens, _Cluster] = {}
        self._seen_tokens = 0
        self._live_tokens = 0
        self._changed: set[int] = set()
        self._next_id = 0
        for template in sorted(templates, key=lambda t: t.id):
            self._insert(_Cluster(template.id, template.tokens, template.size, template.issued))
            self._next_id = max(self._next_id, template.issued)
        self._changed.clear()

    def add(self, message: str) -> Match:
        """Counts one message and says where it belongs. Never raises, whatever the text."""
        form = self._shaper.shape(message)
        cluster = self._seen.get(form)
        if cluster is None:
            cluster = self._resolve(condensed(form))
            if self._seen_tokens >= _CACHED_SHAPE_TOKENS:
                self._forget()
            self._seen[form] = cluster
            self._seen_tokens += len(form)
        cluster.size += 1
        self._changed.add(cluster.id)
        return cluster.match

    def templates(self) -> list[Template]:
        """All live templates, by id."""
        return [self._live[id].template() for id in sorted(self._live)]

    def changed(self) -> list[Template]:
        """The live templates that are new or have grown since the last call, by id."""
        ids, self._changed = sorted(self._changed), set()
        return [self._live[id].template() for id in ids if id in self._live]

    def _forget(self) -> None:
        """Empties the memory of shapes, which is for speed alone."""
        self._seen.clear()
        self._seen_tokens = 0

    def _resolve(self, tokens: Tokens) -> _Cluster:
        found = self._find(tokens)
        if found is not None:
            return found
        if len(self._live) >= self._limit or self._live_tokens >= self._limit * MEAN_TOKENS:
            return self._create((ANY,) * len(tokens))
        return self._generalise(tokens) or self._create(tokens)

    def _find(self, tokens: Tokens) -> _Cluster | None:
        """The template that matches with the fewest wildcards, the leftmost ones first."""
        for wild, clusters in self._by_signature.get(len(tokens), {}).items():
            found = clusters.get(opened(tokens, wild) if wild else tokens)
            if found is not None:
                return found
        return None

    def _create(self, tokens: Tokens) -> _Cluster:
        id = self._next_id
        self._next_id += 1
        cluster = _Cluster(id, tokens, 0, self._next_id)
        self._insert(cluster)
        return cluster

    def _generalise(self, tokens: Tokens) -> _Cluster | None:
        """Opens the columns in which alike templates and this shape show enough different words."""
        alike = self._alike(tokens)
        wild = {column for cluster in alike for column in differences(tokens, cluster.tokens)}
        while wild:
            inside = [c for c in alike if wild.issuperset(differences(tokens, c.tokens))]
            held = {column: evidence(tokens, [c.tokens for c in inside], column) for column in wild}
            enough = {c for c in wild if held[c] >= (DISTINCT_WORDS if c else DISTINCT_FIRST_WORDS)}
            if enough == wild:
                return self._merge(tokens, wild, inside)
            wild = enough
        return None

    def _merge(self, tokens: Tokens, wild: set[int], inside: list[_Cluster]) -> _Cluster | None:
        already = {i for c in inside for i, token in enumerate(c.tokens) if token == ANY}
        form = opened(tokens, tuple(wild | already))
        signatures = self._by_signature[len(tokens)]
        if wildcards(form) not in signatures and len(signatures) >= _MAX_SIGNATURES:
            return None
        if is_too_open(form):
            return None
        for cluster in inside:
            self._remove(cluster)
        survivor = min(c.id for c in inside)
        merged = _Cluster(survivor, form, sum(c.size for c in inside), self._next_id)
        self.merges.extend((c.id, survivor) for c in inside if c.id != survivor)
        self._insert(merged)
        self._forget()
        return merged

    def _alike(self, tokens: Tokens) -> list[_Cluster]:
        """Templates of this length that share a third of the line and differ in few free words, by id."""
        ids: set[int] = set()
        for key in bands(tokens):
            ids.update(self._by_band.get(key, ())[-_CANDIDATES:])
        most = most_differences(tokens)
        return [self._live[id] for id in sorted(ids) if is_alike(tokens, self._live[id].tokens, most)]

    def _insert(self, cluster: _Cluster) -> None:
        tokens = cluster.tokens
        self._live[cluster.id] = cluster
        self._live_tokens += len(tokens)
        self._changed.add(cluster.id)
        signatures = self._by_signature.setdefault(len(tokens), {})
        wild = wildcards(tokens)
        if wild not in signatures:
            signatures[wild] = {}
            ordered = sorted(signatures.items(), key=lambda item: (len(item[0]), item[0]))
            signatures.clear()
            signatures.update(ordered)
        signatures[wild][tokens] = cluster
        for key in bands(tokens):
            insort(self._by_band.setdefault(key, []), cluster.id)

    def _remove(self, cluster: _Cluster) -> None:
        tokens = cluster.tokens
        del self._live[cluster.id]
        self._live_tokens -= len(tokens)
        signatures = self._by_signature[len(tokens)]
        wild = wildcards(tokens)
        del signatures[wild][tokens]
        if not signatures[wild]:
            del signatures[wild]
        for key in bands(tokens):
            ids = self._by_band[key]
            del ids[bisect_left(ids, cluster.id)]
            if not ids:
                del self._by_band[key]
