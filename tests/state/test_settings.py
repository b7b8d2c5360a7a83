"""Settings and their history as the page shows them."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from workreef_app.services.access.settings_operations import ChangeRow, SettingRow
from workreef_app.services.access.tenant_settings import ALL
from workreef_app.state.settings import _parsed, change_line, field, title_of

AT = datetime(2026, 11, 14, 21, 19, 7, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")


def setting(**changes: object) -> SettingRow:
    facts: dict[str, object] = {
        "name": "signals.min_times", "kind": "number", "number": 1200, "word": None, "default": 5, "minimum": 2,
        "maximum": 100000, "unit": "times", "meaning": "Times.", "version": 3, "changed_at": AT,
        "changed_by": "Dana Ito",
    }
    return SettingRow.model_validate({**facts, **changes})


def change(**changes: object) -> ChangeRow:
    facts: dict[str, object] = {
        "id": UUID(int=7), "name": "signals.min_times", "unit": "times", "before": 5, "after": 1200, "by": "Dana Ito",
        "at": AT, "entry": 1204,
    }
    return ChangeRow.model_validate({**facts, **changes})


def test_a_number_is_typed_plainly_and_read_grouped() -> None:
    shown = field(setting(), BERLIN)
    assert (shown.value, shown.shown, shown.default, shown.bounds) == ("1200", "1,200", "5", "2 to 100,000")
    assert (shown.title, shown.changed) == ("Signals: min times", "14 Nov 2026, 22:19 CET by Dana Ito")


def test_a_name_has_no_bounds_and_what_nobody_changed_says_nothing() -> None:
    shown = field(setting(name="time_zone", kind="zone", number=None, word="Asia/Tokyo", default="UTC", minimum=None,
                          maximum=None, changed_at=None, changed_by=""), BERLIN)
    assert (shown.title, shown.value, shown.shown, shown.bounds, shown.changed) == (
        "Time zone", "Asia/Tokyo", "Asia/Tokyo", "", "")


def test_a_change_leads_to_its_entry_and_can_be_undone() -> None:
    line = change_line(change(), {"signals.min_times": 1200}, True, BERLIN)
    assert (line.before, line.after, line.by, line.at) == ("5", "1,200", "Dana Ito", "14 Nov 2026, 22:19 CET")
    assert (line.entry, line.entry_href, line.can_undo) == ("#1,204", "/audit/1204", True)


@pytest.mark.parametrize(("now", "may"), [
    ({"signals.min_times": 5}, True), ({"signals.min_times": 1200}, False), ({}, True),
])
def test_there_is_no_undo_of_what_holds_already_or_is_not_ones_to_change(now: dict[str, int | str], may: bool) -> None:
    assert not change_line(change(entry=None), now, may, BERLIN).can_undo
    assert change_line(change(entry=None), now, may, BERLIN).entry_href == ""


@pytest.mark.parametrize(("kind", "typed", "value"), [
    ("number", "12", 12), ("number", "1,200", 1200), ("number", "-3", -3), ("number", "1.5", None),
    ("number", "", None), ("number", "9" * 30, None), ("number", "twelve", None), ("zone", "Asia/Tokyo", "Asia/Tokyo"),
    ("zone", "", ""),
])
def test_what_was_typed_is_a_value_or_none(kind: str, typed: str, value: int | str | None) -> None:
    assert _parsed(kind, typed) == value


def test_every_setting_has_a_title_of_its_own() -> None:
    titles = [title_of(name) for name in ALL]
    assert len(set(titles)) == len(titles)
    assert not any("_" in title or "." in title for title in titles)
