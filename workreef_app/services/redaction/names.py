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
_ENDING: Final = re.compile(
    rf"(?<![\w])[{_CAP}][^\W\d_]{{1,}}?(?:(?<=[bcdfghklmnprstvzj])(?:ov|ova|ev|eva|yev|yeva|iev|ski|sky|ska|skaya)|ić|ič|ович"
    r"|[bdfgklmnrstv]sson|[kmnrtdbl]sen|dóttir|dottir|[aeiou]nen|enko|čuk|shvili|yan|ovich|ová|ský|ská|čić|ović|"
    r"öglu|oglu|ődi|éry|ffy|escu|opoulos|akis|idis|wicz|czyk|czak|inho|strøm|ström|qvist|kvist|lund|gaard|gård|"
    r"hashi|moto|yama|mura|kawa|saki|wara|guchi)(?!\w)"
)
_CUED: Final = re.compile(
    rf"(?:(?<!\w)(?:Mr|Mrs|Ms|Mx|Dr|Prof|Sr|Sra|Herr|Frau|Mme|Mlle|Miss|Sir|Madam|Professor|Doctor|Officer|Judge)\.?\s"
    r"|(?i:my name is|name's|(?<!\w)i am|(?<!\w)i'm|this is|named|name:|attn:?|regards,|sincerely,|contact:|called|"
    r"patient|employee|customer|signed by|assigned to|reported by|(?<!\w)dear|(?<!\w)hi|(?<!\w)hello)\s+)"
    rf"([{_CAP}][\w'\-]+)"
)
_CUE_WORDS: Final = frozenset(
    b"Mr Mrs Ms Mx Dr Prof Sr Sra Herr Frau Mme Mlle Miss Sir Madam Professor Doctor Officer Judge name Name named "
    b"am m this This attn Attn ATTN regards Regards sincerely Sincerely contact Contact called patient Patient employee "
    b"Employee customer Customer signed Signed assigned Assigned reported Reported dear Dear hi Hi hello Hello".split())
#: What follows a name that is then no person's.
_NO_PERSON: Final = frozenset(
    ["street", "st", "str", "road", "rd", "avenue", "ave", "boulevard", "blvd", "lane", "drive", "court", "square", "plaza", "place", "way", "mall", "bridge", "park", "union", "inc", "ltd", "llc", "corp", "corporation", "company", "co", "group", "gmbh", "ag", "sa", "plc", "university", "college", "school", "institute", "hospital", "clinic", "church", "museum", "airport", "station", "center", "centre", "county", "city", "state", "river", "lake", "mountain", "island", "islands", "valley", "forest", "beach", "bay", "coast", "hills", "springs", "heights", "point", "port", "bank", "foundation", "association", "society", "committee", "department", "technologies", "systems", "solutions", "services", "industries", "partners", "associates", "holdings", "labs", "laboratories", "energy", "media", "harbor", "harbour", "flat", "flats", "ridge", "pass", "junction", "crossing", "mills", "creek", "cove", "gardens", "garden", "village", "township", "isle", "union", "unions", "spur", "trail", "ways", "walk", "well", "wells", "view", "views", "vista", "extension", "gateway", "common", "commons", "estate", "estates", "fork", "forks", "gorge", "green", "grove", "haven", "inlet", "key", "keys", "knoll", "land", "loop", "manor", "meadow", "mews", "motorway", "mount", "neck", "oval", "parkway", "parks", "path", "pike", "pine", "plain", "plains", "port", "ports", "prairie", "radial", "ramp", "ranch", "rapid", "rest", "row", "route", "rue", "run", "shoal", "shore", "skyway", "spring", "squares", "stravenue", "stream", "streets", "summit", "terrace", "throughway", "trace", "track", "trafficway", "tunnel", "turnpike", "underpass", "viaduct", "ville", "burg", "burgs", "bypass", "camp", "canyon", "cape", "causeway", "circle", "circles", "cliff", "club", "cp", "dam", "dale", "divide", "expressway", "fall", "falls", "ferry", "field", "fields", "ford", "freeway", "glen", "glens", "highway", "hollow", "insurance", "international", "capital", "data", "tales", "times", "news", "street's", "avenue's"])
_MOST_WORDS: Final = 4


@cache
def _list(name: str) -> frozenset[bytes]:
    return frozenset(resources.files(__package__).joinpath(name).read_bytes().split())


def warm() -> None:
    """Reads the lists once, so that no first call waits for them."""
    for name in ("names.txt", "doubtful_names.txt", "common_words.txt"):
        _list(name)


class People:
    """The names of a tenant's own people, found whatever their case."""

    def __init__(self, names: Iterable[str]) -> None:
        full, single = set(), set()
        for name in names:
            words = [word for word in name.split() if len(word) > 1]
            if words:
                full.add(" ".join(words))
            single.update(word for word in words if len(word) > 2)
        parts = sorted(full | {word for word in single if word.lower().encode() not in _list("common_words.txt")},
                       key=len, reverse=True)
        self._first = {word.casefold().encode() for part in parts for word in _words(part.casefold().encode())}
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
    hits = words & _list("names.txt")
    starts: dict[int, str] = {}
    for hit in hits:
        _places(text, hit.decode(), "person-list", starts)
    doubtful = words & _list("doubtful_names.txt")
    for match in _ENDING.finditer(text):
        starts.setdefault(match.start(), "person-ending")
    if not words.isdisjoint(_CUE_WORDS):
        for match in _CUED.finditer(text):
            if match[1].lower().encode() not in _list("common_words.txt") or match[1].encode() in doubtful:
                starts.setdefault(match.start(1), "person-cue")
    for hit in doubtful:
        for start in _all(text, hit.decode()):
            step = _NEXT.match(text, start + len(hit.decode()))
            if step and len(step[1]) > 2 and step[1].encode() in doubtful:
                starts.setdefault(start, "person-pair")
    end = -1
    for start in sorted(starts):
        if start >= end:
            found = _whole(text, start, starts[start], end)
            if found is not None:
                yield found
                end = found.end
            

def _all(text: str, word: str) -> Iterator[int]:
    start = text.find(word)
    while start >= 0:
        end = start + len(word)
        if not (start and _inside(text[start - 1])) and not (end < len(text) and _inside(text[end])):
            yield start
        start = text.find(word, end)


def _inside(char: str) -> bool:
    return char.isalnum() or char == "_" or char == "@"


def _places(text: str, word: str, rule: str, starts: dict[int, str]) -> None:
    for start in _all(text, word):
        starts.setdefault(start, rule)


def _belongs(word: str) -> bool:
    """Whether a capitalised word beside a name can be a part of it."""
    lowered = word.lower().encode()
    return word.encode() in _list("doubtful_names.txt") or lowered not in _list("common_words.txt")


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
            if word.lower() in _NO_PERSON:
                return None
            if len(word) > 1 and not _belongs(word.removesuffix("'s")):
                break
            end = step.end() - (2 if step[1].endswith("'s") else 0)
            if step[1].endswith("'s"):
                break
    while text[end - 1] == "." and text[end - 3:end - 2] != " ":
        end -= 1
    for _ in range(2):
        before = _PREVIOUS.search(text, max(0, floor, start - 40), start)
        if before is None:
            break
        word = before[1].rstrip(".")
        if len(word) > 1 and (not _belongs(word) or word.lower() in _NO_PERSON or word.encode() in _CUE_WORDS):
            break
        start = before.start(1)
    if _HOUSE_BEFORE.search(text, max(0, start - 6), start) or _HOUSE_AFTER.match(text, end):
        return None
    return Found(PERSON, start, end, rule)


_HOUSE_BEFORE: Final = re.compile(r"(?<![\w.])\d{1,5}[A-Za-z]?\s\Z")
_HOUSE_AFTER: Final = re.compile(r"\s(?:\d{1,4}(?![\d\-.]|\s?(?:%|years|yrs|am|pm|times|days))|str(?:\.|eet)?(?!\w)|u\.\s|út(?!\w))")
