"""What a tenant can set for itself: numbers with bounds, and names from a list, each with a default and a meaning."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from sqlalchemy import select
from sqlalchemy.orm import Session
from sqlmodel import col

from workreef_app.services.access import zones
from workreef_app.services.access.models import Setting
from workreef_app.services.operation import Invalid


@dataclass(frozen=True, slots=True)
class Number:
    """A setting that is a whole number: its default, its bounds, what it means, and what it counts."""

    default: int
    minimum: int
    maximum: int
    meaning: str
    unit: str

    def checked(self, value: int | str) -> int:
        """The value as it is kept. Raises Invalid."""
        if not isinstance(value, int) or not self.minimum <= value <= self.maximum:
            raise Invalid(
                "The number is out of bounds.", fields={"number": f"must be {self.minimum} to {self.maximum}"}
            )
        return value


@dataclass(frozen=True, slots=True)
class Zone:
    """A setting that is the name of a time zone."""

    default: str
    meaning: str
    unit: str = "IANA name"

    def checked(self, value: int | str) -> str:
        """The value as it is kept. Raises Invalid."""
        if not isinstance(value, str) or not zones.exists(value):
            raise Invalid("There is no such time zone.", fields={"word": "is not the name of a time zone"})
        return value


#: The tenant's own zone: of the times that nobody in particular reads, and of those who chose none.
TIME_ZONE = "time_zone"

KNOWN: Mapping[str, Number] = MappingProxyType({
    "session.idle_minutes": Number(
        0, 0, 20160, "Minutes without activity that end a session; 0 is off.", "minutes"),
    "signals.window_days": Number(
        30, 1, 365, "Days that recurrence is measured over, up to the newest line.", "days"),
    "signals.min_times": Number(5, 2, 100000, "Times in the window from which a signal is a task.", "times"),
    "recommend.min_days": Number(3, 1, 365, "Days with an occurrence from which a task may be proposed.", "days"),
    "recommend.min_uniformity": Number(
        500, 0, 1000, "Uniformity, in thousandths, from which it may be proposed.", "thousandths"),
    "recommend.min_handling": Number(700, 0, 1000, "Handler consistency, in thousandths, for do_now.", "thousandths"),
    "digest.hour": Number(5, 0, 23, "Hour at which the nightly digest is made, in the tenant's time zone.", "o'clock"),
})
WORDS: Mapping[str, Zone] = MappingProxyType({
    TIME_ZONE: Zone(zones.DEFAULT, "Time zone of people who chose none, and of the nightly digest."),
})
ALL: Mapping[str, Number | Zone] = MappingProxyType({**KNOWN, **WORDS})


def named(name: str) -> Number | Zone:
    """The setting of this name. Raises Invalid."""
    found = ALL.get(name)
    if found is None:
        raise Invalid("There is no such setting.", fields={"name": "is not a known setting"})
    return found


def value_of(row: Setting | None, known: Number | Zone) -> int | str:
    """What holds: the tenant's own value, or the default."""
    own = None if row is None else row.number if isinstance(known, Number) else row.word
    return known.default if own is None else own


def read(session: Session) -> dict[str, int]:
    """All settings that are numbers, the tenant's own or the default."""
    own = {row.name: row.number for row in session.scalars(select(Setting)) if row.number is not None}
    return {name: own.get(name, known.default) for name, known in KNOWN.items()}


def time_zone(session: Session) -> str:
    """The IANA name of the tenant's time zone."""
    own = session.scalars(select(col(Setting.word)).where(col(Setting.name) == TIME_ZONE)).first()
    return own or zones.DEFAULT
