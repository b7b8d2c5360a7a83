"""Finding email addresses, from each `@` outwards."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from workreef_app.services.redaction.found import Found
from workreef_app.services.redaction.profiles import EMAIL

_LONGEST = 80
_LOCAL_BACKWARDS: Final = re.compile(r"[\w.!#$&'*+/=?^`{|}~-]{1,80}")
_DOMAIN: Final = re.compile(
    r"(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.){0,8}[^\W_](?:[\w-]{0,61}[^\W_])?|\[(?:IPv6:)?[0-9A-Fa-f:.]{3,45}\]"
)
_VERSION: Final = re.compile(r"v?\d+(?:\.(?:\d+|x))*(?:[-.](?:alpha|beta|rc|next|dev|post)[\w.-]*)?$", re.IGNORECASE)
_ADDRESS: Final = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}$")
_NEVER: Final = frozenset({"git", "hg", "svn"})


def find(text: str) -> Iterator[Found]:
    """Addresses, quoted local parts and internal domains included; `git@host:` and `package@1.2` are none."""
    at = text.find("@")
    while at >= 0:
        found = _around(text, at)
        if found is not None:
            yield found
        at = text.find("@", found.end if found else at + 1)


def _around(text: str, at: int) -> Found | None:
    domain = _DOMAIN.match(text, at + 1)
    if domain is None or at == 0:
        return None
    start = _start(text, at)
    if start is None or start == at:
        return None
    local, host, end = text[start:at], domain[0], domain.end()
    if _ADDRESS.fullmatch(host) is None and _VERSION.fullmatch(host):
        return None
    after = text[end:end + 1]
    if after == ":" and (local in _NEVER or ("." not in host and text[end + 1:end + 2] in ("/", "~", "."))):
        return None
    if local in _NEVER and text[max(0, start - 3):start] == "://":
        return None
    if "." not in host and host[0] != "[" and (len(host) < 3 or len(local) < 2):
        return None
    return Found(EMAIL, start, end, "email")


def _start(text: str, at: int) -> int | None:
    """Where the local part begins; None where there is none, or where it is a password of an address."""
    if text[at - 1] == '"':
        opening = text.rfind('"', max(0, at - _LONGEST), at - 1)
        return opening if opening >= 0 and "\n" not in text[opening:at] and at - opening > 2 else None
    reached = _LOCAL_BACKWARDS.match(text[at - 1:at - 1 - _LONGEST if at > _LONGEST else None:-1])
    if reached is None:
        return None
    start = at - reached.end()
    local = text[start:at]
    cut = max(local.rfind("/"), local.rfind("="))
    if 0 <= cut < len(local) - 1:
        start += cut + 1
    if text[start - 1:start] == ":" and "//" in text[max(0, start - 60):start].rsplit(" ", 1)[-1]:
        return None
    while start < at and text[start] in ".'`*&?|{}=!":
        start += 1
    return start
