"""Time zones by their IANA names."""

from __future__ import annotations

from functools import cache
from zoneinfo import ZoneInfo, available_timezones

DEFAULT = "UTC"
#: What every name in the database keeps to; whether there is such a zone is asked of `known`.
PATTERN = "^[A-Za-z][A-Za-z0-9_+-]{0,30}(/[A-Za-z0-9_+-]{1,30}){0,2}$"
#: Entries of the zone database that are no place: the machine's own zone, and "not set up".
_NO_ZONES = frozenset({"localtime", "Factory", "posixrules"})


@cache
def known() -> tuple[str, ...]:
    """The names of all zones, sorted."""
    return tuple(sorted(available_timezones() - _NO_ZONES))


@cache
def _set() -> frozenset[str]:
    return frozenset(known())


def exists(name: str) -> bool:
    """Whether there is a zone of this name."""
    return name in _set()


def zone(name: str) -> ZoneInfo:
    """The zone of a name; UTC where this machine's zone database does not know it."""
    return ZoneInfo(name if exists(name) else DEFAULT)
