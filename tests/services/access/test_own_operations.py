"""Who am I, in which zone, and until when am I signed in."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from workreef_app.services.door import Caller, Door
from workreef_app.services.operation import Invalid, NoSession
from workreef_app.services.tenancy.platform import Tenant
from workreef_app.services.vault.errors import KeyUnavailable
from workreef_app.settings import Environment, would_refuse

Cli = Callable[[Tenant], Caller]


@pytest.fixture
def ann(tenant: Tenant, clock: Any, person: Callable[..., Caller]) -> Caller:
    return person(tenant, ["operator"], ["claims"])


def test_the_zone_is_the_persons_else_the_tenants_else_utc(door: Door, tenant: Tenant, ann: Caller, cli: Cli) -> None:
    def shown() -> tuple[str, str, str]:
        me = door.perform(ann, "me.read", {})
        return me.time_zone, me.own_time_zone, me.tenant_time_zone

    assert shown() == ("UTC", "", "UTC")
    door.perform(cli(tenant), "settings.change", {"name": "time_zone", "word": "Europe/Berlin"})
    assert shown() == ("Europe/Berlin", "", "Europe/Berlin")
    door.perform(ann, "me.change", {"time_zone": "Asia/Kathmandu"})
    assert shown() == ("Asia/Kathmandu", "Asia/Kathmandu", "Europe/Berlin")
    assert door.perform(ann, "me.change", {"time_zone": ""}).time_zone == "Europe/Berlin"
    assert shown() == ("Europe/Berlin", "", "Europe/Berlin")


def test_one_persons_zone_is_not_anothers(door: Door, ann: Caller, person: Callable[..., Caller]) -> None:
    other = person(ann.tenant, ["operator"], ["claims"])
    door.perform(ann, "me.change", {"time_zone": "Asia/Tokyo"})
    assert door.perform(other, "me.read", {}).time_zone == "UTC"


@pytest.mark.parametrize("zone", ["Mars/Phobos", "localtime", " UTC", "x" * 65, "UTC\x00", None, 5])
def test_what_is_no_zone_is_refused(door: Door, ann: Caller, zone: Any) -> None:
    with pytest.raises(Invalid):
        door.perform(ann, "me.change", {"time_zone": zone})
    assert door.perform(ann, "me.read", {}).own_time_zone == ""


def test_the_log_tells_of_the_change_without_the_zone(
    door: Door, tenant: Tenant, ann: Caller, person: Callable[..., Caller], log: Any
) -> None:
    door.perform(ann, "me.change", {"time_zone": "Asia/Tokyo"})
    event, actor, target = log(tenant)[-1]
    assert (event, actor) == ("person.changed", target)
    reviewer = person(tenant, ["security_reviewer"])
    entry = door.perform(reviewer, "audit.list", {"event": "person.changed"}).rows[0]
    content = door.perform(reviewer, "audit.read", {"seq": entry.seq}).content
    assert '"changed":"time_zone"' in content
    assert "Tokyo" not in content


def test_the_command_line_is_no_person_and_has_no_session(door: Door, tenant: Tenant, cli: Cli) -> None:
    assert door.perform(cli(tenant), "me.read", {}).session is None
    for name, payload in (("me.change", {"time_zone": "UTC"}), ("sessions.extend", {})):
        with pytest.raises(Invalid, match="Only a"):
            door.perform(cli(tenant), name, payload)


def test_without_an_idle_limit_only_the_sessions_own_end_is_told(door: Door, clock: Any, ann: Caller) -> None:
    begin = clock.now
    clock.turn(days=2)
    times = door.perform(ann, "me.read", {}).session
    assert (times.now, times.ends_at, times.idle_ends_at) == (clock.now, begin + timedelta(days=14), None)


def test_the_idle_end_is_the_moment_at_which_the_session_ends(
    door: Door, tenant: Tenant, clock: Any, ann: Caller, cli: Cli
) -> None:
    door.perform(cli(tenant), "settings.change", {"name": "session.idle_minutes", "number": 10})
    clock.turn(minutes=4)
    end = door.perform(ann, "me.read", {}).session.idle_ends_at
    clock.now = end - timedelta(seconds=1)
    assert door.actor(ann) is not None
    clock.now = end
    assert door.actor(ann) is None


def test_staying_signed_in_moves_the_idle_end_and_not_the_sessions_own(
    door: Door, tenant: Tenant, clock: Any, ann: Caller, cli: Cli, log: Any
) -> None:
    door.perform(cli(tenant), "settings.change", {"name": "session.idle_minutes", "number": 10})
    before = door.perform(ann, "me.read", {}).session
    clock.turn(minutes=9, seconds=30)
    after = door.perform(ann, "sessions.extend", {})
    assert after.ends_at == before.ends_at
    assert after.idle_ends_at == clock.now + timedelta(minutes=10)
    assert after.mark == before.mark
    assert log(tenant)[-1][0] == "session.extended"
    clock.turn(minutes=9)
    assert door.actor(ann) is not None
    clock.turn(minutes=1)
    with pytest.raises(NoSession):
        door.perform(ann, "sessions.extend", {})


def test_a_session_that_reached_its_end_is_not_extended(door: Door, clock: Any, ann: Caller) -> None:
    clock.turn(days=13, hours=23, minutes=59)
    door.perform(ann, "sessions.extend", {})
    clock.turn(minutes=1)
    with pytest.raises(NoSession):
        door.perform(ann, "sessions.extend", {})


def test_the_mark_names_a_session_and_opens_nothing(
    door: Door, ann: Caller, person: Callable[..., Caller]
) -> None:
    mark = door.perform(ann, "me.read", {}).session.mark
    other = door.perform(person(ann.tenant, ["operator"]), "me.read", {}).session.mark
    assert mark != other
    assert len(mark) == 16
    assert mark not in str(ann.token)


def test_zone_and_session_are_told_while_the_key_is_dead(
    door: Door, ann: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    door.perform(ann, "me.change", {"time_zone": "Asia/Tokyo"})

    def dead(*_: Any) -> None:
        raise KeyUnavailable("The key does not answer.")

    monkeypatch.setattr(door.platform.keyring, "cipher", dead)
    me = door.perform(ann, "me.read", {})
    assert (me.locked, me.time_zone) == (True, "Asia/Tokyo")
    assert me.session is not None
    door.perform(ann, "sessions.extend", {})


def test_in_development_an_admin_is_told_of_what_production_would_refuse(
    door: Door, tenant: Tenant, ann: Caller, person: Callable[..., Caller], monkeypatch: pytest.MonkeyPatch
) -> None:
    admin, settings = person(tenant, ["admin"], []), door.platform.settings
    wrong = len(would_refuse(settings))
    assert wrong > 1, "the settings of these tests are for one host"
    for environment, told in ((Environment.DEVELOPMENT, wrong), (Environment.DEMO, 0)):
        monkeypatch.setattr(door.platform, "settings", settings.model_copy(update={"env": environment}))
        assert door.perform(admin, "me.read", {}).unfit == told
        assert door.perform(ann, "me.read", {}).unfit == 0
