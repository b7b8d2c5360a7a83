"""What the aggressive profile finds beside the standard classes; each class behind a look at the speed of C."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Set
from ipaddress import AddressValueError, IPv6Address
from typing import Final

from workreef_app.services.redaction.found import Found
from workreef_app.services.redaction.profiles import ADDRESS, API_KEY, CARD, DOB, IBAN, IP, ITIN, MRN, URL

_IPV4: Final = re.compile(r"(?<![\w.])(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)(?![\w]|\.\d)")
_IPV6: Final = re.compile(r"(?<![\w:.])[0-9A-Fa-f]{0,4}:[0-9A-Fa-f:]{1,36}(?:\d{1,3}(?:\.\d{1,3}){3})?(?![\w:])")
_CARD: Final = re.compile(r"(?<!\d)(?<!\d[-. ])\d(?:[-. ]?\d){11,18}(?![-. ]?\d)")
_IBAN: Final = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{2}\d{2}(?:[ -]?[A-Za-z0-9]){11,30}")
_STREET: Final = re.compile(
    r"(?<![\w.])(?:P\.?\s?O\.?\s?Box\s\d{1,6}|\d{1,5}[A-Za-z]?(?:\s(?:N|S|E|W|North|South|East|West)\.?)?"
    r"(?:\s[A-Z0-9][\w.'\-]*){1,4}?\s(?:Street|St|Avenue|Ave|Road|Rd|Boulevard|Blvd|Lane|Ln|Drive|Dr|Court|Ct|Square|Sq"
    r"|Place|Pl|Way|Terrace|Ter|Parkway|Pkwy|Highway|Hwy|Circle|Cir|Close|Crescent)(?!\w)\.?"
    r"|[A-ZÀ-Ž][\wÀ-ž\-]*(?:straße|strasse|gasse|weg|allee|platz|straat|laan|gade|vej|gatan|vägen|katu|tie)\s\d{1,4}[a-z]?"
    r"|(?:Rue|Via|Calle|Avenida|Avda\.?|Rua|Rúa|Av\.|Ulica|ul\.)(?:\s[\w.'\-]+){1,5}?\s\d{1,4}(?!\d))"
    r"(?:,?\s(?:Apt|Suite|Ste|Unit|Flat|#)\.?\s?\w{1,6})?(?:,?\s[A-Z][a-z]+(?:\s[A-Z][a-z]+)?,\s[A-Z]{2}\s\d{5}(?:-\d{4})?)?"
)
_BORN: Final = re.compile(
    r"(?:(?<![a-z])(?:dob|d\.o\.b\.?|date[\s_-]of[\s_-]birth|birth[\s_-]?da(?:te|y)|born(?:\son)?|geb(?:oren)?)(?![a-z])"
    r"[^\w\n]{0,4}(?:(?:is|was|am|on)\s)?)(\d{1,4}[-./ ]\d{1,2}[-./ ]\d{1,4}|\d{1,2}\.?\s[A-Z][a-z]{2,8}\.?,?\s\d{4}"
    r"|[A-Z][a-z]{2,8}\.?\s\d{1,2},?\s\d{4})", re.IGNORECASE)
_RECORD: Final = re.compile(
    r"(?<![a-z])(?:mrn|medical[\s_-]record(?:[\s_-](?:no|number|num|id))?|patient[\s_-](?:id|no|number)|chart[\s_-]no)"
    r"(?![a-z])[^\w\n]{0,4}(?:is\s|no\.?\s|number\s)?([A-Z]{0,4}[- ]?\d[\d-]{3,13}\d)", re.IGNORECASE)
#: Written as social security numbers are, from 900 on, where none is ever given out; the IRS numbers others so.
_TAXPAYER: Final = re.compile(r"(?<!\d)(?<!\d[-. ])9\d\d([-. ])\d\d\1\d{4}(?!\d)")
_CREDENTIALS: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]{1,20}://[^\s/@:\"'<>]{0,100}:[^\s/@\"'<>]{1,200}@[^\s\"'<>\\]{1,300}")
_QUERY_SECRET: Final = re.compile(
    r"https?://[^\s\"'<>]{1,300}[?&](?:access_token|token|api_?key|key|sig|signature|password|secret)=[^\s\"'<>&]{6,}"
    r"[^\s\"'<>]{0,200}", re.IGNORECASE)
_KEY: Final = re.compile(
    r"(?<![A-Za-z0-9])(?:sk-(?:proj-|ant-|live-|test-)?[A-Za-z0-9_\-]{16,200}|(?:sk|pk|rk)_(?:live|test)_[A-Za-z0-9]{10,100}"
    r"|(?:AKIA|ASIA|AROA|AIDA)[A-Z0-9]{16}|gh[pousr]_[A-Za-z0-9]{20,255}|github_pat_[A-Za-z0-9_]{20,255}"
    r"|glpat-[A-Za-z0-9_\-]{16,100}|xox[abprs]-[A-Za-z0-9\-]{10,200}|AIza[A-Za-z0-9_\-]{30,45}|ya29\.[A-Za-z0-9_\-]{20,300}"
    r"|hf_[A-Za-z0-9]{20,60}|npm_[A-Za-z0-9]{30,60}|pypi-[A-Za-z0-9_\-]{30,300}|SG\.[A-Za-z0-9_\-]{16,40}\.[A-Za-z0-9_\-]{16,60}"
    r"|eyJ[A-Za-z0-9_\-]{8,2000}\.eyJ[A-Za-z0-9_\-]{8,4000}\.[A-Za-z0-9_\-]{8,1000}|wr_[A-Za-z0-9_\-]{20,200})"
)
_NAMED_KEY: Final = re.compile(
    r"(?:api[_\- ]?key|secret(?:[_\- ]?(?:access)?[_\- ]?key)?|access[_\- ]?token|auth[_\- ]?token|password|passwd"
    r"|bearer)"
    r"[\"']?\s?[:= ]\s?[\"']?([A-Za-z0-9_+/=.\-]{16,200})", re.IGNORECASE)
_PEM: Final = re.compile(
    r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----.*?(?:-----END [A-Z ]{0,30}PRIVATE KEY-----|\Z)", re.DOTALL)


def find(text: str, wanted: Set[str]) -> Iterator[Found]:
    """Finds of the wanted classes of this module, those first that others may overlap."""
    for kind, detect in _DETECTORS:
        if kind in wanted:
            yield from detect(text)


def _keys(text: str) -> Iterator[Found]:
    for match in _PEM.finditer(text) if "PRIVATE KEY" in text else ():
        yield Found(API_KEY, *match.span(), "private-key")
    for match in _KEY.finditer(text):
        yield Found(API_KEY, *match.span(), "api-key")
    for match in _NAMED_KEY.finditer(text):
        value = match[1]
        if any(c.isdigit() for c in value) and any(c.isalpha() for c in value):
            yield Found(API_KEY, *match.span(1), "api-key-named")


def _urls(text: str) -> Iterator[Found]:
    if "://" in text:
        for match in _CREDENTIALS.finditer(text):
            yield Found(URL, *match.span(), "url-credentials")
        for match in _QUERY_SECRET.finditer(text):
            yield Found(URL, *match.span(), "url-secret")


def _ibans(text: str) -> Iterator[Found]:
    for match in _IBAN.finditer(text):
        shown = match[0]
        for end in range(len(shown), 14, -1):
            plain = re.sub(r"[ -]", "", shown[:end]).upper()
            if shown[end - 1] not in " -" and 15 <= len(plain) <= 34 and _iban_holds(plain):
                yield Found(IBAN, match.start(), match.start() + end, "iban")
                break


def _iban_holds(plain: str) -> bool:
    moved = plain[4:] + plain[:4]
    return int("".join(str(int(c, 36)) for c in moved)) % 97 == 1


def _cards(text: str) -> Iterator[Found]:
    for match in _CARD.finditer(text):
        digits = [int(c) for c in match[0] if c.isdigit()]
        if luhn(digits) and len(set(digits)) > 1:
            yield Found(CARD, *match.span(), "card-luhn")


def luhn(digits: list[int]) -> bool:
    """Whether the check digit of a card number holds."""
    doubled = [2 * d - 9 * (d > 4) for d in digits[-2::-2]]
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


def _addresses(text: str) -> Iterator[Found]:
    for match in _IPV4.finditer(text):
        yield Found(IP, *match.span(), "ipv4")
    if text.count(":") >= 2:
        for match in _IPV6.finditer(text):
            if match[0].count(":") >= 2 and _is_ipv6(match[0]):
                yield Found(IP, *match.span(), "ipv6")


def _is_ipv6(shown: str) -> bool:
    try:
        IPv6Address(shown)
    except AddressValueError:
        return False
    return len(shown) > 2


def _streets(text: str) -> Iterator[Found]:
    for match in _STREET.finditer(text):
        yield Found(ADDRESS, *match.span(), "street")


def _births(text: str) -> Iterator[Found]:
    for match in _BORN.finditer(text):
        yield Found(DOB, *match.span(1), "date-of-birth")


def _records(text: str) -> Iterator[Found]:
    for match in _RECORD.finditer(text):
        yield Found(MRN, *match.span(1), "medical-record")


def _taxpayers(text: str) -> Iterator[Found]:
    for match in _TAXPAYER.finditer(text):
        yield Found(ITIN, *match.span(), "taxpayer")


_DETECTORS: Final[tuple[tuple[str, Callable[[str], Iterator[Found]]], ...]] = (
    (API_KEY, _keys), (URL, _urls), (IBAN, _ibans), (CARD, _cards), (MRN, _records), (ITIN, _taxpayers),
    (DOB, _births), (IP, _addresses), (ADDRESS, _streets),
)
