"""Putting the originals back: one pass, never chained, and never by a guess.

A token is restored when its index and its nonce are exactly those of the map; its case, spaces within it, lost
brackets and a plural or possessive ending are forgiven. Anything else that looks like a token stays, and is counted.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from workreef_app.services.redaction.tokens import TokenMap

_SPACES: Final = r"[ \t\n]{0,2}"
_NOT_AFTER: Final = r"(?<![A-Za-z0-9_])"
_EXACT: Final = re.compile("⟦([A-Z_]{2,21}_[1-9][0-9]{0,8}·[a-z0-9]{3,24})⟧")
#: Each part of a token as its spellings, each a sequence of patterns that match one character.
_OPEN: Final = (("⟦",), (r"\\", "u", "2", "7", "[eE]", "6"))
_DOT: Final = (("·",), (r"\\", "u", "0", "0", "[bB]", "7"))


@dataclass(frozen=True, slots=True)
class Restored:
    """A text with its originals, how many of each class were put back, and how many tokens were not known."""

    text: str
    counts: Counter[str] = field(default_factory=Counter)
    unknown: int = 0


@dataclass(frozen=True, slots=True)
class Reading:
    """How the tokens of one map are read: whole, as what is not known, and as the beginning of one at a text's end."""

    whole: re.Pattern[str]
    unknown: re.Pattern[str]
    beginning: re.Pattern[str]
    longest: int


def reading_of(tokens: TokenMap) -> Reading:
    """The patterns of a map; they know its classes and how long its nonces and indexes are."""
    return _reading(frozenset(tokens.kinds), tokens.lengths, tokens.digits, tokens.longest)


@lru_cache(maxsize=128)
def _reading(names: frozenset[str], lengths: tuple[int, ...], most: int, longest: int) -> Reading:
    kinds = [[_letter(c) for c in kind] for kind in sorted(names, key=len, reverse=True)]
    nonces = [["[A-Za-z0-9]"] * length for length in lengths]
    digits = rf"[1-9]\d{{0,{max(1, most) - 1}}}"
    kind, nonce = _either(kinds) or "(?!)", _either(nonces) or "(?!)"
    opened = rf"(?:{_either(_OPEN)}{_SPACES}|{_NOT_AFTER})"
    whole = (
        rf"{opened}(?P<kind>{kind}){_SPACES}_?{_SPACES}(?P<number>{digits}){_SPACES}{_either(_DOT)}{_SPACES}"
        rf"(?P<nonce>{nonce})(?P<ending>(?:['’]?[sS])?)(?![A-Za-z0-9_])(?:{_SPACES}(?:⟧|\\u27[eE]7))?"
    )
    unknown = rf"{_either(_OPEN)}{_SPACES}[A-Za-z]|{_NOT_AFTER}(?:{kind})_{digits}·"
    closing = _chain([_SPACES, r"\\", "u", "2", "7", "[eE]"])
    tail = rf"(?:['’]?[sS]?)?{closing}" if nonces else ""
    late = _part(nonces, tail) if nonces else ""
    dotted = _part(_DOT, rf"{_SPACES}{late}")
    numbered = rf"(?:{_SPACES}_?{_SPACES}(?:{digits}{_SPACES}{dotted})?)?"
    named = _part(kinds, numbered) if kinds else ""
    inner = _part(_OPEN, rf"{_SPACES}{named}", needed=True)
    bare = rf"|{_NOT_AFTER}{_part(kinds, numbered, needed=True)}" if kinds else ""
    return Reading(re.compile(whole), re.compile(unknown), re.compile(rf"(?:{inner}{bare})\Z"), longest + 40)


def _letter(char: str) -> str:
    if char == "_":
        return "[ _]"
    return f"[{char.lower()}{char.upper()}]" if char.isalpha() else re.escape(char)


def _either(spellings: Sequence[Sequence[str]]) -> str:
    return f"(?:{'|'.join(''.join(spelling) for spelling in spellings)})" if spellings else ""


def _chain(atoms: Sequence[str]) -> str:
    """The atoms or any beginning of them."""
    pattern = ""
    for atom in reversed(atoms):
        pattern = f"(?:{atom}{pattern})?"
    return pattern


def _part(spellings: Sequence[Sequence[str]], rest: str, *, needed: bool = False) -> str:
    """One of the spellings and a beginning of the rest, or a beginning of a spelling."""
    begun = "|".join(f"{spelling[0]}{_chain(spelling[1:])}" for spelling in spellings)
    return f"(?:{_either(spellings)}{rest}|{begun}){'' if needed else '?'}"


def restore(text: str, tokens: TokenMap, *, in_json: bool = False, after: str = "") -> Restored:
    """The text with the originals in place of the tokens.

    `in_json`: the text is JSON or a part of it. `after` is the character that stood before the text.
    """
    if "·" not in text and "⟦" not in text and "\\u" not in text:
        return Restored(text)
    plain = None if in_json else _plainly(text, tokens)
    if plain is not None:
        return plain
    reading = reading_of(tokens)
    counts: Counter[str] = Counter()
    unknown, last = 0, len(after)
    parts: list[str] = []
    text = after + text
    for match in reading.whole.finditer(text, last):
        kind = match["kind"].replace(" ", "_").upper()
        value = tokens.values.get(f"{kind}_{match['number']}·{match['nonce'].lower()}")
        if value is None:
            continue
        start = match.start()
        unknown += _unknown(reading, text, last, start)
        parts.append(text[last:start])
        parts.append((escaped(value) if in_json else value) + match["ending"])
        counts[kind] += 1
        last = match.end()
    unknown += _unknown(reading, text, last, len(text))
    parts.append(text[last:])
    return Restored("".join(parts), counts, unknown)


def _plainly(text: str, tokens: TokenMap) -> Restored | None:
    """The text restored where it holds tokens exactly as they were made, and nothing like one beside; else None."""
    parts = _EXACT.split(text)
    between = "".join(parts[::2])
    if "⟦" in between or "·" in between or "\\u" in between:
        return None
    said = parts[1::2]
    values = [tokens.values.get(token) for token in said]
    if None in values:
        return None
    parts[1::2] = values
    return Restored("".join(parts), Counter([token.rpartition("_")[0] for token in said]))


def _unknown(reading: Reading, text: str, start: int, end: int) -> int:
    if start == end:
        return 0
    return sum(1 for _ in reading.unknown.finditer(text, start, end))


def escaped(value: str) -> str:
    """A value as it stands inside a JSON string. One that was found with its escapes already has them."""
    if "\\" in value:
        try:
            json.loads(f'"{value}"')
        except ValueError:
            return json.dumps(value, ensure_ascii=False)[1:-1]
        return value
    return json.dumps(value, ensure_ascii=False)[1:-1]


class StreamRestorer:
    """Restores a text that comes in pieces, whatever the cuts; it holds back no more than a token could take."""

    def __init__(self, tokens: TokenMap, *, in_json: bool = False) -> None:
        self._tokens, self._in_json = tokens, in_json
        self._held = self._last = ""
        self.counts: Counter[str] = Counter()
        self.unknown = 0

    def feed(self, piece: str) -> str:
        """What can be shown now."""
        self._held += piece
        cut = self._safe()
        ready, self._held = self._held[:cut], self._held[cut:]
        return self._restored(ready)

    def finish(self) -> str:
        """What was held back."""
        ready, self._held = self._held, ""
        return self._restored(ready)

    def _safe(self) -> int:
        """How much of what is held no later piece can change."""
        reading = reading_of(self._tokens)
        seen = self._last + self._held
        begun = reading.beginning.search(seen, max(len(self._last), len(seen) - reading.longest))
        return len(self._held) if begun is None else begun.start() - len(self._last)

    def _restored(self, ready: str) -> str:
        if not ready:
            return ""
        restored = restore(ready, self._tokens, in_json=self._in_json, after=self._last)
        self._last = ready[-1]
        self.counts.update(restored.counts)
        self.unknown += restored.unknown
        return restored.text
