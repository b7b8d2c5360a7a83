"""Profiles: which classes are found, what is always redacted, what never, and a customer's own patterns."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Final

import re2

EMAIL, PHONE, SSN, EIN, PERSON = "EMAIL", "PHONE", "SSN", "EIN", "PERSON"
IP, CARD, IBAN, ADDRESS, DOB, MRN = "IP", "CARD", "IBAN", "ADDRESS", "DOB", "MRN"
URL, API_KEY, ITIN, DENIED = "URL", "API_KEY", "ITIN", "DENIED"

STANDARD_CLASSES: Final = frozenset({EMAIL, PHONE, SSN, EIN, PERSON})
AGGRESSIVE_CLASSES: Final = STANDARD_CLASSES | {IP, CARD, IBAN, ADDRESS, DOB, MRN, URL, API_KEY, ITIN}
#: In the order in which they are shown.
CLASSES: Final = (EMAIL, PHONE, SSN, EIN, PERSON, IP, CARD, IBAN, ADDRESS, DOB, MRN, URL, API_KEY, ITIN)
NAMES: Final = ("off", "standard", "aggressive", "custom")
MOST_ENTRIES, MOST_PATTERNS, LONGEST_ENTRY, LONGEST_PATTERN = 200, 50, 100, 300
_CLASS_NAME: Final = re.compile(r"[A-Z][A-Z_]{0,19}[A-Z]")
_MEMORY: Final = 1 << 20  # bytes that a compiled pattern may take


class ProfileError(ValueError):
    """A profile that cannot be used: `field` names the part, as `patterns.2`; the message says what to mend."""

    def __init__(self, part: str, message: str) -> None:
        super().__init__(message)
        self.field = part


@dataclass(frozen=True, slots=True)
class Pattern:
    """A customer's own pattern and the class of what it finds."""

    name: str
    expression: str


@dataclass(frozen=True, slots=True)
class Profile:
    """What is redacted. `deny` is always found and `allow` never, both whatever the case.

    `response` says whether personal data that a model itself puts in an answer is redacted too.
    """

    name: str
    classes: frozenset[str] = frozenset()
    deny: tuple[str, ...] = ()
    allow: tuple[str, ...] = ()
    patterns: tuple[Pattern, ...] = ()
    response: bool = False
    compiled: tuple[tuple[str, Any], ...] = field(default=(), compare=False, repr=False)

    @property
    def off(self) -> bool:
        return self.name == "off"


OFF: Final = Profile("off")
STANDARD: Final = Profile("standard", STANDARD_CLASSES)
AGGRESSIVE: Final = Profile("aggressive", AGGRESSIVE_CLASSES, response=True)
BUILT_IN: Final = {"off": OFF, "standard": STANDARD, "aggressive": AGGRESSIVE}


def custom(
    *, classes: frozenset[str], deny: tuple[str, ...] = (), allow: tuple[str, ...] = (),
    patterns: tuple[Pattern, ...] = (), response: bool = False,
) -> Profile:
    """A checked profile of a customer's own. Raises ProfileError."""
    unknown = sorted(classes - AGGRESSIVE_CLASSES)
    if unknown:
        raise ProfileError("classes", f"there is no class {', '.join(unknown)}")
    for part, entries in (("deny", deny), ("allow", allow)):
        _check_entries(part, entries)
    both = {entry.casefold() for entry in deny} & {entry.casefold() for entry in allow}
    if both:
        raise ProfileError("allow", "an entry cannot be on both lists")
    if len(patterns) > MOST_PATTERNS:
        raise ProfileError("patterns", f"there can be {MOST_PATTERNS} patterns")
    compiled = tuple((pattern.name, _compiled(index, pattern)) for index, pattern in enumerate(patterns))
    return Profile("custom", classes, deny, allow, patterns, response, compiled)


def _check_entries(part: str, entries: tuple[str, ...]) -> None:
    if len(entries) > MOST_ENTRIES:
        raise ProfileError(part, f"there can be {MOST_ENTRIES} entries")
    for index, entry in enumerate(entries):
        if len(entry.strip()) < 2 or len(entry) > LONGEST_ENTRY:
            raise ProfileError(f"{part}.{index}", f"must have 2 to {LONGEST_ENTRY} characters")
        if "⟦" in entry or "⟧" in entry:
            raise ProfileError(f"{part}.{index}", "must not hold the brackets of tokens, ⟦ and ⟧")


def _compiled(index: int, pattern: Pattern) -> Any:
    """The pattern in the linear-time engine, which knows no construct that can blow up. Raises ProfileError."""
    part = f"patterns.{index}"
    if not _CLASS_NAME.fullmatch(pattern.name):
        raise ProfileError(part, "the name must be 2 to 21 capital letters or underscores, as BADGE_NUMBER")
    if pattern.name in AGGRESSIVE_CLASSES or pattern.name == DENIED:
        raise ProfileError(part, f"the name {pattern.name} is taken by a class of ours")
    if not 1 <= len(pattern.expression) <= LONGEST_PATTERN:
        raise ProfileError(part, f"the pattern must have 1 to {LONGEST_PATTERN} characters")
    options = re2.Options()
    options.max_mem, options.log_errors = _MEMORY, False
    try:
        compiled = re2.compile(pattern.expression, options=options)
    except re2.error as error:
        said = error.args[0].decode() if error.args and isinstance(error.args[0], bytes) else str(error)
        raise ProfileError(part, f"not a pattern that runs in linear time: {said}") from None
    if compiled.search("") is not None:
        raise ProfileError(part, "the pattern must not find empty text")
    return compiled
