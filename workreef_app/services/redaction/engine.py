"""The redactor of a profile: finds, replaces by tokens, and looks once more at the bytes that leave."""

from __future__ import annotations

import json
import re
from bisect import bisect
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from workreef_app.services.redaction import identifiers, mail, names, numbers
from workreef_app.services.redaction.folding import fold
from workreef_app.services.redaction.found import Found
from workreef_app.services.redaction.profiles import DENIED, EIN, EMAIL, PERSON, PHONE, SSN, Profile
from workreef_app.services.redaction.tokens import TokenMap

__all__ = ["Found", "Redacted", "Redactor"]

_NUMBERS: Final = frozenset({SSN, EIN, PHONE})
_OURS: Final = re.compile(r"⟦[A-Z_]{2,21}_[1-9]\d{0,8}·[a-z0-9]{3,24}⟧")
_ROUNDS: Final = 4
_HANGS: Final = re.compile(r"""[^\s.,;:()\[\]"'<>⟦⟧?!]""")
_JOINTS: Final = frozenset(".'?!:")


@dataclass(frozen=True, slots=True)
class Redacted:
    """A text as it may leave, what was found in the original and where, and how many of each class."""

    text: str
    findings: tuple[Found, ...] = ()
    counts: Counter[str] = field(default_factory=Counter)


class Redactor:
    """Finds and replaces what a profile names. It keeps nothing of a text; values are in the token map alone."""

    def __init__(self, profile: Profile, people: Iterable[str] = ()) -> None:
        self.profile = profile
        self._people = names.People(people) if PERSON in profile.classes else names.People(())
        self._numbers = profile.classes & _NUMBERS
        self._more = profile.classes - _NUMBERS - {EMAIL, PERSON}
        self._deny = _any_of(profile.deny)
        self._allow = _any_of(profile.allow)
        names.warm()

    def redact(self, text: str, tokens: TokenMap, *, ours: bool = False) -> Redacted:
        """The text with tokens in place of what was found; the offsets of findings are those of the original.

        `ours`: tokens that are in the text already, as in an answer, are left as they are.
        """
        if self.profile.off or not text:
            return Redacted(text)
        tokens.prepare((text,))
        found, cut = self._find(text, ours=ours)
        if not found:
            return Redacted(text)
        out = _replace(text, found, tokens)
        if cut or "@" in out or _touches(text, found):
            out = self._again(out, tokens)
        return Redacted(out, found, Counter([item.kind for item in found]))

    def _again(self, text: str, tokens: TokenMap) -> str:
        """What a replaced value hid, as digits that hung on it, shows only now. Mostly there is nothing."""
        for _ in range(_ROUNDS):
            found = self.find(text, ours=True)
            if not found:
                break
            text = _replace(text, found, tokens)
        return text

    def find(self, text: str, *, ours: bool = False) -> tuple[Found, ...]:
        """What the profile names in the text, in its order and without overlaps. `ours`: tokens of ours are in it."""
        return self._find(text, ours=ours)[0]

    def _find(self, text: str, *, ours: bool) -> tuple[tuple[Found, ...], bool]:
        """The finds, and whether another one gave way that reached further than what it gave way to."""
        folded = fold(text)
        finds = list(self._detect(folded.text))
        if not finds:
            return (), False
        if self._allow is not None:
            finds = _not_allowed(self._allow, folded.text, finds)
        kept, cut = _without_overlaps(finds, [match.span() for match in _OURS.finditer(folded.text)] if ours else [])
        if folded.text is text:
            return tuple(kept), cut
        return tuple(Found(item.kind, *folded.place(item.start, item.end), item.rule) for item in kept), cut

    def _detect(self, text: str) -> Iterator[Found]:
        """All finds, those first that win where two overlap."""
        if self._deny is not None:
            for match in self._deny.finditer(text):
                yield Found(DENIED, *match.span(), "deny-list")
        for name, pattern in self.profile.compiled:
            for match in pattern.finditer(text):
                if match.end() > match.start():
                    yield Found(name, match.start(), match.end(), "pattern")
        if self._more:
            yield from identifiers.find(text, self._more)
        if EMAIL in self.profile.classes and "@" in text:
            yield from mail.find(text)
        if self._numbers:
            yield from numbers.find(text, self._numbers)
        if PERSON in self.profile.classes:
            yield from self._people.find(text)
            yield from names.find(text)

    def rescan(self, body: bytes, tokens: TokenMap) -> tuple[Found, ...]:
        """What still is in the exact bytes about to leave; anything at all refuses the call.

        Strings of JSON are read as a model reads them, and the bytes are searched for every value that has a token.
        """
        if self.profile.off:
            return ()
        text = body.decode("utf-8", "replace")
        found = [Found("VALUE", 0, 0, "original-left") for value in tokens.originals() if _left(value, text, self)]
        return (*found, *(item for string in _strings(text) for item in self.find(string, ours=True)))

    def allows(self, value: str) -> bool:
        """Whether the whole value is on the allow list."""
        return self._allow is not None and self._allow.fullmatch(value) is not None


def _left(value: str, text: str, redactor: Redactor) -> bool:
    """Whether a value is in the text as it is, as a word of its own."""
    if len(value) < 5 or redactor.allows(value):
        return False
    for shown in {value, json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1]}:
        if shown in text and re.search(rf"(?<!\w){re.escape(shown)}(?!\w)", text):
            return True
    return False


#: What a request says in words of the protocol's own, which name no person.
PROTOCOL: Final = frozenset({"model", "role", "type", "object", "finish_reason", "tool_choice", "response_format"})


def _strings(text: str) -> Iterator[str]:
    try:
        value = json.loads(text)
    except ValueError:
        yield text
        return
    yield from strings_of(value)


def strings_of(value: Any) -> Iterator[str]:
    """Every string of a JSON value, keys and numbers too; not those of the protocol's own words."""
    stack = [value]
    while stack:
        item = stack.pop()
        if isinstance(item, str):
            yield item
        elif isinstance(item, dict):
            for key, inner in item.items():
                yield key
                if key not in PROTOCOL or not isinstance(inner, str):
                    stack.append(inner)
        elif isinstance(item, list | tuple):
            stack.extend(item)
        elif isinstance(item, int | float) and not isinstance(item, bool) and abs(item) >= 1_000_000:
            yield str(item)


def _not_allowed(allow: re.Pattern[str], text: str, finds: list[Found]) -> list[Found]:
    """The finds without those that lie within what the allow list names; the deny list stands above it."""
    spans = [match.span() for match in allow.finditer(text)]
    return [item for item in finds if item.rule == "deny-list" or not any(
        start <= item.start and item.end <= end for start, end in spans)]


def _without_overlaps(finds: list[Found], taken: list[tuple[int, int]]) -> tuple[list[Found], bool]:
    """The finds in the order of the text, and whether one that gave way reached further than the one that stayed.

    Of two that overlap, the first in the list stays. `taken` is sorted.
    """
    kept: list[Found] = []
    cut = False
    for item in finds:
        place = bisect(taken, (item.start, item.end))
        if (place == 0 or taken[place - 1][1] <= item.start) and (
            place == len(taken) or item.end <= taken[place][0]
        ):
            taken.insert(place, (item.start, item.end))
            kept.append(item)
        else:
            cut = cut or not any(
                start <= item.start and item.end <= end for start, end in taken[max(0, place - 1):place + 1])
    kept.sort(key=lambda item: item.start)
    return kept, cut


def _touches(text: str, found: tuple[Found, ...]) -> bool:
    """Whether what was found hung together with what stands beside it."""
    for item in found:
        before, after = text[max(0, item.start - 2):item.start], text[item.end:item.end + 2]
        if _HANGS.search(before[-1:] + after[:1]):
            return True
        if (after[:1] in _JOINTS and after[1:].isalnum()) or (before[-1:] in _JOINTS and before[:1].isalnum()):
            return True
        if item.kind != PERSON and (before[:1].isdigit() or after[1:].isdigit() or (
            after[:1] == " " and after[1:].isupper())):
            return True
        if item.kind != PERSON and before[1:] == " " and before[0].isalpha() and text[item.start].isdigit():
            word = text[text.rfind(" ", 0, item.start - 1) + 1:item.start]
            if not word.islower():
                return True
    return False


def _replace(text: str, found: tuple[Found, ...], tokens: TokenMap) -> str:
    parts: list[str] = []
    last = 0
    in_json = text.lstrip()[:1] in ("{", "[") and _is_json(text)
    for item in found:
        start, end = item.start, item.end
        parts.append(text[last:start])
        token = tokens.token(item.kind, text[start:end])
        parts.append(f'"{token}"' if in_json and _bare(text, start, end) else token)
        last = end
    parts.append(text[last:])
    return "".join(parts)


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def _bare(text: str, start: int, end: int) -> bool:
    """Whether a span of JSON is a number and no part of a string."""
    before, after = text[:start].rstrip()[-1:], text[end:].lstrip()[:1]
    return text[start:end].isdigit() and before in (":", "[", ",") and after in (",", "}", "]", "")


def _any_of(entries: tuple[str, ...]) -> re.Pattern[str] | None:
    if not entries:
        return None
    wanted = "|".join(re.escape(entry.strip()) for entry in sorted(entries, key=len, reverse=True))
    return re.compile(rf"(?<!\w)(?:{wanted})(?!\w)", re.IGNORECASE)
