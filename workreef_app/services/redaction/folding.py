"""Seeing through disguises: a text as a detector reads it, and where each of its characters stands in the original.

Full-width letters and digits of every script, zero-width characters, spaces and dashes of all kinds, `%40`, `\\u0040`,
`&#64;`, `[at]` and ` dot ` are read as what they stand for. The original is never changed by it: only spans that a
detector finds are, and they are mapped back.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from functools import lru_cache
from typing import Final

#: All but plain letters of Latin, Greek, Cyrillic and what is common between them in prose.
_STRANGE: Final = re.compile(
    "[^\x00-\x9f\u00a1-\u00ac\u00ae-\u00b1\u00b4-\u00b8\u00ba\u00bb\u00bf-\u02ff\u0370-\u0482\u048a-\u052f"
    "\u1e00-\u1fff\u2022\u2026\u20ac\u27e6\u27e7]"
)
_ENCODED: Final = re.compile(
    r"%[2-7][0-9A-Fa-f]|\\+u(?:[dD][89abAB][0-9a-fA-F]{2}\\+u)?[0-9a-fA-F]{4}|\\+x[0-9a-fA-F]{2}|\\+[nrt/\"']"
    r"|&(?:#\d{2,7}|#[xX][0-9a-fA-F]{2,6}|commat|period|nbsp|quot|hyphen|plus|lpar|rpar);"
)
_SPOKEN: Final = re.compile(
    r"\s?[\[({<]\s?(?:at|@|dot|\.|punkt|punto|point|dash|minus)\s?[\])}>]\s?"
    r"|(?<=\w) (?:at) (?=[\w-]+ (?:dot|punkt) \w)|(?<=\w) (?:dot|punkt) (?=\w)", re.IGNORECASE,
)
_BRACKETED: Final = re.compile(
    r"[\[({<]\s?(?:[aA][tT]|@|\.|[dD][oO][tT]|punkt|punto|point|dash|minus)\s?[\])}>]")
_ENTITIES: Final = {
    "commat": "@", "period": ".", "nbsp": " ", "quot": '"', "hyphen": "-", "plus": "+", "lpar": "(", "rpar": ")",
}
_SAID: Final = {"at": "@", "@": "@", "dot": ".", ".": ".", "punkt": ".", "punto": ".", "point": ".", "dash": "-",
                "minus": "-"}
_DASHES: Final = frozenset("\u2212\u02d7\u30fc\u1806\u2043")
_QUOTES: Final = {"\u2018": "'", "\u2019": "'", "\u201c": '"', "\u201d": '"', "\u201e": '"', "\u201a": "'",
                  "\u2032": "'", "\u00b4": "'"}
_INVISIBLE: Final = frozenset({0x34F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x3164, 0xFFA0, *range(0xFE00, 0xFE10)})
_SPACES: Final = frozenset("\u2800")


class Folded:
    """A text as it is read; `place` maps a span of it to the original one."""

    __slots__ = ("_ends", "_starts", "text")

    def __init__(self, text: str, starts: list[int] | None = None, ends: list[int] | None = None) -> None:
        self.text, self._starts, self._ends = text, starts, ends

    def place(self, start: int, end: int) -> tuple[int, int]:
        """The span of the original text that was read as `text[start:end]`."""
        if self._starts is None or self._ends is None:
            return start, end
        return self._starts[start], self._ends[end - 1]

    def reading(self, text: str) -> Folded:
        """Another reading of the same length."""
        return Folded(text, self._starts, self._ends)

    def replaced(self, pattern: re.Pattern[str], read_as: Callable[[re.Match[str]], str]) -> Folded:
        """With what the pattern finds read as something else, and the places kept."""
        text = self.text
        matches = [(match.start(), match.end(), read_as(match)) for match in pattern.finditer(text)]
        parts: list[str] = []
        last = 0
        for start, end, new in matches:
            parts += text[last:start], new
            last = end
        parts.append(text[last:])
        joined = "".join(parts)
        if all(end - start == len(new) for start, end, new in matches):
            return Folded(joined, self._starts, self._ends)
        starts: list[int] = []
        ends: list[int] = []
        own_starts = range(len(text)) if self._starts is None else self._starts
        own_ends = range(1, len(text) + 1) if self._ends is None else self._ends
        last = 0
        for start, end, new in matches:
            starts += own_starts[last:start]
            ends += own_ends[last:start]
            starts += [own_starts[start]] * len(new)
            ends += [own_ends[end - 1]] * len(new)
            last = end
        starts += own_starts[last:]
        ends += own_ends[last:]
        return Folded(joined, starts, ends)


@lru_cache(maxsize=4096)
def _read_as(char: str) -> str:
    """What one character is read as; nothing for what cannot be seen."""
    if char in _QUOTES:
        return _QUOTES[char]
    category = unicodedata.category(char)
    if category == "Cf" or ord(char) in _INVISIBLE or 0xE0000 <= ord(char) <= 0xE01EF:
        return ""
    if category == "Zs" or char in _SPACES or category in ("Zl", "Zp"):
        return " "
    if category == "Pd" or char in _DASHES:
        return "-"
    value = unicodedata.digit(char, None)
    if value is not None:
        return str(value)
    plain = unicodedata.normalize("NFKC", char)
    return plain if plain.isascii() and plain.strip() else char


def fold(text: str) -> Folded:
    """The text as detectors read it. Plain text is returned as it is, after three looks at the speed of C."""
    strange = not text.isascii() and _STRANGE.search(text) is not None
    encoded = ("%" in text or "\\" in text or "&" in text) and _ENCODED.search(text) is not None
    spoken = _may_be_spoken(text)
    folded = Folded(text)
    if encoded:
        folded = folded.replaced(_ENCODED, _decoded)
        strange = strange or (not folded.text.isascii() and _STRANGE.search(folded.text) is not None)
        spoken = spoken or _may_be_spoken(folded.text)
        if "%" in folded.text:
            folded = folded.replaced(_ENCODED, _decoded)  # %2540
    if strange:
        folded = _without_strange(folded)
        spoken = spoken or _may_be_spoken(folded.text)
    if spoken:
        folded = folded.replaced(_SPOKEN, _said)
    return folded


def _without_strange(folded: Folded) -> Folded:
    """With each strange character read as what it stands for; where all of them stand for one, no place moves."""
    text = folded.text
    readings = {char: _read_as(char) for char in set(_STRANGE.findall(text))}
    if any(len(shown) != 1 for shown in readings.values()):
        return folded.replaced(_STRANGE, lambda match: readings[match[0]])
    for char, shown in readings.items():
        if char != shown:
            text = text.replace(char, shown)
    return folded if text is folded.text else folded.reading(text)


def _may_be_spoken(text: str) -> bool:
    return _BRACKETED.search(text) is not None or " dot " in text or " DOT " in text or " punkt " in text


def _decoded(match: re.Match[str]) -> str:
    code = match[0]
    if code[0] == "%":
        return chr(int(code[1:], 16))
    if code[0] == "&":
        name = code[1:-1]
        if name[0] != "#":
            return _ENTITIES[name]
        number = int(name[2:], 16) if name[1] in "xX" else int(name[1:])
        return chr(number) if 32 <= number < 0xD800 else code
    letters = code.lstrip("\\")
    if letters[0] in "ux" and len(letters) > 1:
        number = int(letters[-4:] if letters[0] == "u" else letters[1:], 16)
        return chr(number) if 32 <= number < 0xD800 else " "
    return " " if letters in "nrt" else letters


def _said(match: re.Match[str]) -> str:
    return _SAID[match[0].strip().strip("[](){}<>").strip().lower()]
