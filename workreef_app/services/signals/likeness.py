"""Plain functions on the token tuples of lines and templates: how alike they are, and what a column has shown."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from itertools import pairwise
from operator import ne

from workreef_app.services.signals.tokens import VARIABLE

Tokens = tuple[str, ...]

ANY = "<*>"
"""The wildcard: a whole token that may be anything."""

_BANDS = 3

# Words that a program chooses, not its data: names in capitals ("RUNNING", "GET"), participles ("Paused").
_EVENT_WORD = re.compile(r"\W*(?:[A-Z][A-Z_]+|[A-Za-z]{3,}(?:ed|ing))(?!\w)")


def is_constant(token: str) -> bool:
    """Whether every line of the template has exactly this token."""
    return token != ANY and VARIABLE not in token


def _is_worded(token: str) -> bool:
    """Whether the token has words of the program in it: a constant, or a key before its value."""
    return any(map(str.isalpha, token))


def wildcards(tokens: Tokens) -> tuple[int, ...]:
    """The columns that may hold anything."""
    return tuple([i for i, token in enumerate(tokens) if token == ANY]) if ANY in tokens else ()


def opened(tokens: Tokens, wild: Iterable[int]) -> Tokens:
    """The tokens with a wildcard in each of those columns."""
    form = list(tokens)
    for column in wild:
        form[column] = ANY
    return tuple(form)


def bands(tokens: Tokens) -> list[tuple[int, int, Tokens]]:
    """The line cut into thirds: two lines that differ in at most two places share one of them."""
    n = len(tokens)
    count = min(_BANDS, n)
    cuts = [n * band // count for band in range(count + 1)] if n > 1 else []
    return [(n, a, tokens[a:b]) for a, b in pairwise(cuts)]


def differences(tokens: Tokens, other: Tokens) -> list[int]:
    """The columns of a line that a template of the same length does not allow."""
    return [i for i, (a, b) in enumerate(zip(tokens, other, strict=True)) if a != b and b != ANY]


def most_differences(tokens: Tokens) -> int:
    """In how many columns a template alike may differ from the line: a third of its worded tokens, but one at least."""
    return max(1, sum(map(_is_worded, tokens)) // 3)


def is_alike(tokens: Tokens, other: Tokens, most: int) -> bool:
    """Whether a line differs from a template in at most `most` columns, and names no other event."""
    if sum(map(ne, tokens, other)) - other.count(ANY) > most:
        return False
    return not any(_name_different_events(tokens[column], other[column]) for column in differences(tokens, other))


def _name_different_events(token: str, other: str) -> bool:
    one, two = _event_word(token), _event_word(other)
    return one is not None and two is not None and one != two


@lru_cache(maxsize=16_384)
def _event_word(token: str) -> str | None:
    found = _EVENT_WORD.match(token)
    return found.group() if found else None


def evidence(tokens: Tokens, others: Iterable[Tokens], column: int) -> int:
    """Different words in the column; a value that its form showed to be variable counts for two more.

    Behind `key=` or `key:` it does so only if all words have that key.
    """
    words = {other[column] for other in others} - {ANY}
    words.add(tokens[column])
    keys, values = zip(*map(_key_and_value, words), strict=True)
    shown = len(set(keys)) == 1 and any(VARIABLE in value and not _is_worded(value) for value in values)
    return len(words) + 2 * shown


def _key_and_value(word: str) -> tuple[str, str]:
    cut = max(word.rfind("=", 0, -1), word.rfind(":", 0, -1)) + 1
    return word[:cut], word[cut:]


def is_too_open(tokens: Tokens) -> bool:
    """Fewer worded tokens than wildcards: such a template would swallow what has nothing to do with it."""
    return sum(map(_is_worded, tokens)) < tokens.count(ANY)
