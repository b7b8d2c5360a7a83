"""Finding numbers of people: social security, employer, telephone. One look tells whether there is any to examine."""

from __future__ import annotations

import re
from collections.abc import Iterator, Set
from typing import Final

import phonenumbers

from workreef_app.services.redaction.found import Found
from workreef_app.services.redaction.profiles import EIN, PHONE, SSN

#: A run of at least seven digits with what may stand between them.
_RUN: Final = re.compile(r"\d(?:[ \t().\-/_]{0,3}\d){6,40}")
_SSN: Final = re.compile(r"(?<!\d)(?!000|666|9)\d{3}([-./_ ]{1,3})(?!00)\d{2}([-./_ ]{1,3})(?!0000)\d{4}(?!\d)")
_NINE: Final = re.compile(r"(?<!\d)(?!000|666|9)\d{3}(?!00)\d{2}(?!0000)\d{4}(?!\d)")
_SSN_CUE: Final = re.compile(
    r"(?<![a-z])(?:ssn|ssns|social[\s_-]*sec(?:urity)?|soc\.?\s*sec|ss\s*#|ss\s*no|social)(?![a-rt-z])", re.IGNORECASE)
_EIN: Final = re.compile(r"(?<!\d)(\d{2})[- ]?\d{7}(?!\d)")
_EIN_CUE: Final = re.compile(
    r"(?<![a-z])(?:f?ein|eins|employer[\s_-]*id\w*|tax[\s_-]*(?:payer)?[\s_-]*(?:id\w*|no|num\w*)|tin|"
    r"federal[\s_-]*(?:tax|id)\w*|irs)(?![a-z])", re.IGNORECASE)
#: The prefixes that the IRS has assigned to campuses and to its internet service.
_EIN_PREFIXES: Final = frozenset(
    f"{n:02}" for n in (*range(1, 7), *range(10, 17), *range(20, 28), *range(30, 49), *range(50, 69), *range(71, 78),
                        *range(80, 89), *range(90, 96), 98, 99))
_PHONE_CUE: Final = re.compile(
    r"(?:phone|tel|call|mobile|cell|fax|dial|whats\s?app|sms|text|number|contact|ring|reach|handy|mobil|hotline)"
    r"(?!\w{0,3}card)\w*", re.IGNORECASE)
_CANDIDATE: Final = re.compile(
    r"(?:\+|(?<!\d)00(?=[1-9]))?[ ]?(?:\(\+?\d{1,5}\)|\d{1,5})(?:[ \t]?[-./][ \t]?|[ \t]{1,2}|(?=\())?"
    r"(?:\(\d{1,5}\)[-. ]{0,2})?\d{2,13}(?:[-./ \t]{1,3}\d{2,5}){0,5}"
    r"(?:[ ,]{0,2}(?:x|ext\.?|extension|#)[ .]{0,2}\d{1,6})?", re.IGNORECASE)
_DATE: Final = re.compile(r"(?:19|20)\d\d[-./](?:0?[1-9]|1[0-2])[-./](?:0?[1-9]|[12]\d|3[01])(?!\d)"
                          r"|(?:0?[1-9]|[12]\d|3[01])[-./](?:0?[1-9]|[12]\d|3[01])[-./](?:19|20)\d\d(?!\d)")
_IP: Final = re.compile(r"\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}$")
_NANP: Final = re.compile(r"(?:\+?1[-. ]{0,2})?\(?[2-9]\d\d\)?[-. ]{0,2}[2-9]\d\d[-. ]?\d{4}")
#: A number before a word is a house's; one at the end of a line after a place is a post code.
_STREET: Final = re.compile(r"\s[^\W\d_]{2,}")
_NO_SEPARATORS: Final = str.maketrans("", "", " \t-./_()+#,xXeEtTnsio")
_LEFT = 48


def find(text: str, wanted: Set[str]) -> Iterator[Found]:
    """Social security, employer and telephone numbers, those first that are surest."""
    for run in _RUN.finditer(text):
        taken: list[Found] = []
        if SSN in wanted:
            taken += _social(text, run)
        if EIN in wanted and not taken:
            taken += _employer(text, run)
        yield from taken
        if PHONE in wanted:
            for found in _phones(text, run):
                if not any(found.start < other.end and other.start < found.end for other in taken):
                    yield found


def _social(text: str, run: re.Match[str]) -> Iterator[Found]:
    for match in _SSN.finditer(text, *run.span()):
        start, end = match.span()
        if match[1].strip() == match[2].strip() and not _part_of_longer(text, start, end, match[1][0]):
            yield Found(SSN, start, end, "ssn")
    for match in _NINE.finditer(text, *run.span()) if run.end() - run.start() >= 9 else ():
        if _SSN_CUE.search(text, max(0, match.start() - _LEFT), match.start()):
            yield Found(SSN, *match.span(), "ssn-cue")


def _part_of_longer(text: str, start: int, end: int, separator: str) -> bool:
    """Whether more digits hang on by the same separator."""
    return (text[start - 1:start] == separator and text[start - 2:start - 1].isdigit() and start >= 2) or (
        text[end:end + 1] == separator and separator != "." and text[end + 1:end + 2].isdigit())


def _employer(text: str, run: re.Match[str]) -> Iterator[Found]:
    for match in _EIN.finditer(text, *run.span()):
        start, end = match.span()
        if match[1] in _EIN_PREFIXES and (
            _EIN_CUE.search(text, max(0, start - _LEFT), start) or _EIN_CUE.search(text, end, end + 24)
        ):
            yield Found(EIN, start, end, "ein")


def _phones(text: str, run: re.Match[str]) -> Iterator[Found]:
    position, stop = run.span()
    while position and text[position - 1] in "+(":
        position -= 1
    while position < stop:
        match = _CANDIDATE.search(text, position)
        if match is None or match.start() >= stop:
            return
        start, end = match.span()
        if text[start] == " ":
            start += 1
        rule = _is_phone(text, start, end)
        if rule:
            yield Found(PHONE, start, end, rule)
        position = max(end, position + 1)


def _is_phone(text: str, start: int, end: int) -> str:
    """The rule by which a candidate is a telephone number; empty where it is none."""
    shown = text[start:end]
    before, after = text[max(0, start - 1):start], text[end:end + 1]
    digits = len(shown.translate(_NO_SEPARATORS))
    if not 7 <= digits <= 20 or before.isdigit() or after.isdigit():
        return ""
    if before in ("-", ".", "/", ",", ":", "#") and text[start - 2:start - 1].isalnum() and start >= 2:
        return ""
    if (after in ("-", "/", ":") or after == ".") and text[end + 1:end + 2].isdigit():
        return ""
    if after == "%" or before in ("$", "€", "£"):
        return ""
    if _DATE.search(shown) or _IP.match(shown) or _SSN_SHAPE.fullmatch(shown):
        return ""
    if shown[0] == "+" or shown[:2] == "(+":
        return "phone-international" if possible(shown if shown[0] == "+" else shown[1:].replace(")", "", 1)) else ""
    if _NANP.match(shown) and any(not c.isdigit() for c in shown):
        return "phone-nanp"
    cue = _PHONE_CUE.search(text, max(0, start - _LEFT), start) is not None
    if shown.isdigit():
        if before == "_" or before.isalpha():
            return ""
        national = digits == 10 and shown[0] not in "01" and shown[3] not in "01"
        if cue and 7 <= digits <= 11:
            return "phone-cue"
        return "phone-nanp" if national and after != "." and possible("+1" + shown) else ""
    if not cue and _STREET.match(text, end) and shown.count(" ") == 1:
        return ""
    return "phone-national" if _grouped(shown, cue) else ""


_SSN_SHAPE: Final = re.compile(r"\d{3}[-. ]\d{2}[-. ]\d{4}|\d{5}-\d{4}|\d{4}-\d{3}|\d{2}-\d{7}")
_GROUPS: Final = re.compile(r"\d+")


def _grouped(shown: str, cue: bool) -> bool:
    """Whether digits in groups, without a country, are written as telephone numbers are."""
    groups = [len(group) for group in _GROUPS.findall(re.split(r"(?i)x|ext|#", shown)[0])]
    total = sum(groups)
    if not 7 <= total <= 13 or len(groups) < 2 or max(groups) > 8 or (groups[0] == 1 and not cue):
        return False
    if "/" in shown and not cue:
        return False
    if len(groups) == 2 and "." in shown and not cue:
        return False  # a number with decimals
    if groups[0] == 1 or (groups[1:] == [3] * (len(groups) - 1) and groups[0] < 2):
        return cue
    return True


def possible(number: str) -> bool:
    """Whether an international number can exist, by the parser of `phonenumbers`."""
    try:
        return phonenumbers.is_possible_number(phonenumbers.parse(re.split(r"(?i)[ ,]*(?:x|ext)", number)[0], None))
    except phonenumbers.NumberParseException:
        return False
