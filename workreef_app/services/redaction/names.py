"""Finding names of people by lists, endings, titles and what a text says of itself; no model is asked.

Words are looked up all at once, as bytes in a set, before any position is looked at. A name that is also a word or a
place counts only beside another sign. Names in a script or a spelling without capitals are found only in the
tenant's own directory.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache
from importlib import resources
from typing import Final

from workreef_app.services.redaction.found import Found
from workreef_app.services.redaction.profiles import PERSON

#: ASCII letters and every byte of a longer UTF-8 sequence stay; all else becomes a space, so that `split` gives words.
_WORDS: Final = bytes(b if (chr(b).isalpha() and b < 128) or b >= 128 else 32 for b in range(256))
_CAP: Final = "A-ZÀ-ÖØ-ÞĀĂĄĆČĎĐĒĖĘĚĞĢĪĮİĶĹĻĽŁŃŅŇŌŐŒŔŘŚŞŠŢŤŪŮŰŲŸŹŻŽȘȚ\u0386\u0388-\u03ab\u0410-\u042f"
_PARTICLE: Final = r"(?:(?:de|da|do|dos|del|della|di|du|la|le|van|von|der|den|ten|ter|zu|bin|al|el|y|e|z|of the)\s)"
_NEXT: Final = re.compile(rf"\s{_PARTICLE}{{0,2}}([{_CAP}](?:\.|[\w'\-]*\w)?)")
_PREVIOUS: Final = re.compile(rf"(?<![\w'.\-])([{_CAP}](?:\.|[\w'\-]*\w)?)\s{_PARTICLE}{{0,2}}\Z")
#: How surnames end in languages whose names no list holds in full; of three, four and five bytes.
_CONSONANTS: Final = "bcdfghjklmnprstvz"
_ENDINGS: Final = frozenset(ending.encode() for ending in (
    *(f"{c}{e}" for c in _CONSONANTS for e in ("ov", "ev")), *(f"{c}ski" for c in "nwlt"), *(f"{c}sky" for c in "nlvt"),
    *(f"{c}sen" for c in "ndtlrkmg"), *(f"{c}nen" for c in "aiouy"), "ova", "eva", "ić", "ič", "ský", "ová",
    "yeva", "iyev", "nska", "wska", "skaya", "ович", "sson", "dóttir", "dottir", "enko", "vili", "yan", "vich",
    "escu", "ulos", "akis", "idis", "wicz", "czyk", "czak", "oglu", "qvist", "kvist", "lund", "gaard", "gård",
    "hashi", "moto", "yama", "mura", "kawa", "saki", "guchi", "ffy",
))
_LENGTHS: Final = tuple(sorted({len(ending) for ending in _ENDINGS}))
_TITLED: Final = re.compile(
    rf"(?<!\w)(?:Mr|Mrs|Ms|Mx|Dr|Prof|Sr|Sra|Herr|Frau|Mme|Mlle|Miss|Sir|Madam|Professor|Doctor|Officer|Judge|mr|mrs|ms|dr)"
    rf"\.?\s([{_CAP}][\w'\-]+)")
_TITLES: Final = frozenset(
    b"Mr Mrs Ms Mx Dr Prof Sr Sra Herr Frau Mme Mlle Miss Sir Madam Professor Doctor Officer Judge mr mrs ms dr"
    .split())
#: What a text says before a name, and the word of it that is looked for first.
_SAID_BEFORE: Final = tuple((word.encode(), phrase) for word, phrase in (
    ("name", "name is "), ("name", "name: "), ("am", "i am "), ("m", "i'm "), ("is", "this is "), ("named", "named "),
    ("him", "him "), ("attn", "attn: "), ("regards", "regards,"), ("sincerely", "sincerely,"),
    ("contact", "contact: "),
    ("me", "call me "), ("called", "called "), ("patient", "patient "), ("employee", "employee "), ("by", "signed by "),
    ("by", "reported by "), ("to", "assigned to "), ("says", "says "), ("said", "said "), ("dear", "dear "),
    ("hi", "hi "),
    ("hello", "hello "), ("under", "under "),
))
_SAID_WORDS: Final = frozenset(
    shown for word, _ in _SAID_BEFORE for shown in (word, word.capitalize(), word.upper()))
_NAMED: Final = re.compile(rf"\s{{0,3}}([{_CAP}][\w'\-]+)")
_MOST_WORDS: Final = 4


@cache
def _list(name: str) -> frozenset[bytes]:
    return frozenset(resources.files(__package__).joinpath(name).read_bytes().split())


def warm() -> None:
    """Reads the lists once, so that no first call waits for them."""
    for name in ("names.txt", "doubtful_names.txt", "common_words.txt", "after_places.txt"):
        _list(name)


class People:
    """The names of a tenant's own people, found whatever their case."""

    def __init__(self, names: Iterable[str]) -> None:
        full: set[str] = set()
        single: set[str] = set()
        for name in names:
            words = [word for word in name.split() if len(word) > 1]
            if words:
                full.add(" ".join(words))
            single.update(word for word in words if len(word) > 2)
        parts = sorted(full | {word for word in single if word.lower().encode() not in _list("common_words.txt")},
                       key=len, reverse=True)
        self._first = {word for part in parts for word in _words(part.casefold().encode())}
        self._pattern = re.compile(
            rf"(?<!\w)(?:{'|'.join(re.escape(part).replace(chr(92) + ' ', chr(92) + 's+') for part in parts)})(?!\w)",
            re.IGNORECASE) if parts else None

    def find(self, text: str) -> Iterator[Found]:
        """Where the text names somebody of the directory."""
        if self._pattern is None or self._first.isdisjoint(_words(text.casefold().encode("utf-8", "replace"))):
            return
        for match in self._pattern.finditer(text):
            yield Found(PERSON, *match.span(), "person-directory")


def _words(raw: bytes) -> list[bytes]:
    return raw.translate(_WORDS).split()


def find(text: str) -> Iterator[Found]:
    """Names of people in the text, each with the words around it that belong to it."""
    words = set(_words(text.encode("utf-8", "replace")))
    starts: dict[int, str] = {}
    for hit in words & _list("names.txt"):
        _places(text, hit.decode(), "person-list", starts)
    doubtful = words & _list("doubtful_names.txt")
    for word in words - _list("common_words.txt"):
        if word[-3:] in _ENDINGS or word[-4:] in _ENDINGS or word[-5:] in _ENDINGS:
            _ending(text, word, starts)
    _cued(text, words, doubtful, starts)
    for hit in doubtful:
        shown = hit.decode()
        for start in _all(text, shown):
            step = _NEXT.match(text, start + len(shown))
            if step and len(step[1]) > 2 and step[1].encode() in doubtful and not _both_words(shown, step[1]):
                starts.setdefault(start, "person-pair")
    end = -1
    for start in sorted(starts):
        if start >= end:
            found = _whole(text, start, starts[start], end)
            if found is not None:
                yield found
                end = found.end


def _ending(text: str, word: bytes, starts: dict[int, str]) -> None:
    shown = word.decode()
    if shown[0].isupper() and len(shown) > 4 and shown.istitle() and word.lower() not in _list("common_words.txt"):
        _places(text, shown, "person-ending", starts)


def _cued(text: str, words: set[bytes], doubtful: set[bytes], starts: dict[int, str]) -> None:
    """Names after a title, or after what a text says before one."""
    matches: list[re.Match[str]] = []
    if not words.isdisjoint(_TITLES):
        matches += _TITLED.finditer(text)
    said = {word.lower() for word in words & _SAID_WORDS}
    lowered = text.lower() if said else ""
    if len(lowered) == len(text):
        for word, phrase in _SAID_BEFORE:
            at = lowered.find(phrase) if word in said else -1
            while at >= 0:
                match = _NAMED.match(text, at + len(phrase))
                if match is not None and not (at and text[at - 1].isalnum()):
                    matches.append(match)
                at = lowered.find(phrase, at + len(phrase))
    for match in matches:
        word = match[1].removesuffix("'s").encode()
        if word.lower() not in _list("common_words.txt") or word in doubtful:
            starts.setdefault(match.start(1), "person-cue")


def _both_words(first: str, second: str) -> bool:
    common = _list("common_words.txt")
    return first.lower().encode() in common and second.lower().encode() in common


def _all(text: str, word: str) -> list[int]:
    """Where the word stands by itself."""
    starts: list[int] = []
    start, length = text.find(word), len(word)
    while start >= 0:
        end = start + length
        around = text[start - 1:start] + text[end:end + 1]
        if not (around.isalnum() or around[:1].isalnum() or around[-1:].isalnum() or "_" in around or "@" in around):
            starts.append(start)
        start = text.find(word, end)
    return starts


def _places(text: str, word: str, rule: str, starts: dict[int, str]) -> None:
    for start in _all(text, word):
        starts.setdefault(start, rule)


def _belongs(word: str) -> bool:
    """Whether a capitalised word beside a name can be a part of it."""
    lowered = word.lower().encode()
    return word.encode() in _list("doubtful_names.txt") or lowered not in _list("common_words.txt")


def _may_precede(text: str, start: int) -> bool:
    """Whether the word before may be a part of a name: it has a capital, or is one of those that join names."""
    if start < 3 or not text[start - 1].isspace():
        return False
    first = text[max(text.rfind(" ", 0, start - 1), text.rfind("\n", 0, start - 1)) + 1]
    return first.isupper() or first in "dvltbazuyeo"


def _of_place(word: str) -> bool:
    """Whether a word after a name makes it a street's, a firm's or a place's."""
    return word.lower().encode() in _list("after_places.txt")


_BLANKS: Final = frozenset(" \t")
_WORD: Final = re.compile(r"[\w'\-]*\w")


def _whole(text: str, start: int, rule: str, floor: int) -> Found | None:
    """The whole name around a word that is one; None where it belongs to a street, a firm or a place."""
    first = _WORD.match(text, start)
    end = first.end() if first else start
    if text[end - 2:end] in ("'s", "'S"):
        end -= 2
    else:
        for _ in range(_MOST_WORDS):
            step = _NEXT.match(text, end)
            if step is None:
                break
            word = step[1].rstrip(".")
            if _of_place(word):
                return None
            if len(word) > 1 and not _belongs(word.removesuffix("'s")):
                break
            end = step.end() - (2 if step[1].endswith("'s") else 0)
            if step[1].endswith("'s"):
                break
    while text[end - 1] == "." and text[end - 3:end - 2] != " ":
        end -= 1
    for _ in range(2):
        before = _PREVIOUS.search(text, max(0, floor, start - 40), start) if _may_precede(text, start) else None
        if before is None:
            break
        word = before[1].rstrip(".")
        if len(word) > 1 and (not _belongs(word) or _of_place(word) or word.encode() in _TITLES):
            break
        start = before.start(1)
    if _HOUSE_AFTER.match(text, end) or (
        text[start - 1:start] in _BLANKS and _HOUSE_BEFORE.search(text, max(0, start - 6), start)
    ):
        return None
    return Found(PERSON, start, end, rule)


_HOUSE_BEFORE: Final = re.compile(r"(?<![\w.])\d{1,5}[A-Za-z]?[ \t]\Z")
_HOUSE_AFTER: Final = re.compile(
    r"[ \t](?:\d{1,4}(?![\w\-.@]|\s?(?:%|years|yrs|am|pm|times|days))|str(?:\.|eet)?(?!\w)|u\.\s|út(?!\w))")
