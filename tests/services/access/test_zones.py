"""Time zones by name."""

from __future__ import annotations

import re
from zoneinfo import ZoneInfo

import pytest

from workreef_app.services.access import zones


def test_every_zone_that_is_offered_exists_and_fits_its_column() -> None:
    assert len(zones.known()) > 400
    assert {"UTC", "Europe/Berlin", "America/St_Johns", "Asia/Kathmandu"} <= set(zones.known())
    for name in zones.known():
        assert re.match(zones.PATTERN, name), name
        assert zones.zone(name) == ZoneInfo(name)


@pytest.mark.parametrize("name", ["", "localtime", "Factory", "Europe", "../etc/passwd", "/etc/passwd", "europe/berlin",
                                  "UTC\x00", "Mars/Phobos"])
def test_what_is_no_zone_is_none_and_read_as_utc(name: str) -> None:
    assert not zones.exists(name)
    assert zones.zone(name) == ZoneInfo("UTC")
