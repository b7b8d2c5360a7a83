"""How well a profile finds what people labelled: recall and precision by class."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from workreef_app.services.redaction.engine import Redactor

#: The share of a true span that a find must cover.
COVERED: Final = 0.9
Span = tuple[str, int, int]


@dataclass(frozen=True, slots=True)
class Score:
    """Of one class: true spans, those that were reached, finds, and those of them that were right."""

    kind: str
    true: int
    reached: int
    found: int
    right: int

    @property
    def recall(self) -> float | None:
        return self.reached / self.true if self.true else None

    @property
    def precision(self) -> float | None:
        return self.right / self.found if self.found else None


def covers(start: int, end: int, true_start: int, true_end: int) -> bool:
    """Whether a find covers enough of a true span."""
    return min(end, true_end) - max(start, true_start) >= COVERED * (true_end - true_start)


def score(lines: Iterable[tuple[str, Sequence[Span]]], redactor: Redactor) -> list[Score]:
    """The figures of each class that is labelled or found, by name."""
    true: Counter[str] = Counter()
    reached: Counter[str] = Counter()
    found: Counter[str] = Counter()
    right: Counter[str] = Counter()
    for text, spans in lines:
        finds = redactor.find(text)
        for kind, start, end in spans:
            true[kind] += 1
            reached[kind] += any(f.kind == kind and covers(f.start, f.end, start, end) for f in finds)
        for f in finds:
            found[f.kind] += 1
            right[f.kind] += any(kind == f.kind and covers(f.start, f.end, s, e) for kind, s, e in spans)
    return [Score(k, true[k], reached[k], found[k], right[k]) for k in sorted(true.keys() | found.keys())]
