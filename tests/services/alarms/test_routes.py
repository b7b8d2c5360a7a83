"""Where alarms are sent: changed by admins, its secret shown once, tried by each channel."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.services.alarms.conftest import Box, use_settings
from tests.services.outbound.conftest import Web, answer
from workreef_app.services.door import Caller, Door
from workreef_app.services.operation import Invalid, WrongPersona
from workreef_app.services.tenancy.platform import Tenant

Cli = Callable[[Tenant], Caller]
pytestmark = pytest.mark.usefixtures("fresh_limits")
URL = "https://hooks.acme.test/in?key=1"


def read(door: Door, admin: Caller) -> Any:
    return door.perform(admin, "alarm_routes.read", {})


def test_nothing_is_set_up_at_first(door: Door, tenant: Tenant, cli: Cli) -> None:
    found = read(door, cli(tenant))
    assert (found.mail_recipients, found.webhook_url, found.webhook_secret_set, found.minimum_severity) == (
        [], "", False, "warning")
    assert (found.mail_server, found.updated_at) == (False, None)


def test_what_is_changed_is_read_and_the_secret_is_shown_once(
    door: Door, tenant: Tenant, cli: Cli, routes: Any
) -> None:
    made = routes(tenant, mail_recipients=["Ops@Acme.test", "ops@acme.test"], webhook_url=URL)
    assert len(made.new_secret) == 64
    assert made.new_secret not in repr(made)
    found = read(door, cli(tenant))
    assert (found.mail_recipients, found.webhook_url, found.minimum_severity) == (["ops@acme.test"], URL, "notice")
    assert (found.webhook_secret_set, found.new_secret) == (True, None)
    assert routes(tenant, webhook_url=URL).new_secret is None, "the same webhook keeps its secret"
    renewed = routes(tenant, webhook_url=URL, renew_secret=True).new_secret
    moved = routes(tenant, webhook_url=URL + "2").new_secret
    assert len({made.new_secret, renewed, moved}) == 3
    off = routes(tenant)
    assert (off.webhook_url, off.webhook_secret_set, off.new_secret) == ("", False, None)


def test_what_the_log_says_of_a_change_names_nobody(door: Door, tenant: Tenant, cli: Cli, routes: Any) -> None:
    secret = routes(tenant, mail_recipients=["ops@acme.test"], webhook_url=URL).new_secret
    (entry,) = door.perform(cli(tenant), "audit.list", {"event": "alarm_routes.changed"}).rows
    shown = door.perform(cli(tenant), "audit.read", {"seq": entry.seq}).model_dump_json()
    assert '\\"recipients\\":1' in shown or '"recipients":1' in shown
    assert not any(word in shown for word in (secret, "acme.test", "hooks"))
    routes(tenant)
    after = door.perform(cli(tenant), "audit.list", {"event": "alarm_routes.changed"}).rows[0]
    told = json.loads(door.perform(cli(tenant), "audit.read", {"seq": after.seq}).content)["detail"]
    assert (told["recipients_before"], told["recipients"]) == (1, 0)
    assert (told["webhook_before"], told["webhook"]) == (True, False)


def test_recipients_and_secret_are_sealed(tenant: Tenant, routes: Any, sql_as_owner: Any) -> None:
    secret = routes(tenant, mail_recipients=["ops@acme.test"], webhook_url=URL).new_secret
    with sql_as_owner(tenant) as sql:
        row = sql.execute("SELECT * FROM alarm_route").fetchone()
    kept = b"".join(bytes(value) for value in row if isinstance(value, bytes | memoryview))
    assert not any(word in kept for word in (b"acme", secret.encode(), b"hooks"))


@pytest.mark.parametrize(("change", "field"), [
    ({"webhook_url": "ftp://hooks.acme.test/"}, "webhook_url"),
    ({"webhook_url": "hooks.acme.test"}, "webhook_url"),
    ({"webhook_url": "https://"}, "webhook_url"),
    ({"webhook_url": "https://[::1"}, "webhook_url"),
    ({"webhook_url": "https://a.test:99999/"}, "webhook_url"),
    ({"webhook_url": "https://a.test/#b"}, "webhook_url"),
    ({"webhook_url": "https://a.test/ b"}, "webhook_url"),
    ({"webhook_url": "https://a.test/\r\nX: y"}, "webhook_url"),
    ({"webhook_url": "https://ä.test/"}, "webhook_url"),
    ({"webhook_url": "https://u:p@a.test/"}, "webhook_url"),
    ({"webhook_url": "https://a.test/" + "x" * 500}, "webhook_url"),
    ({"mail_recipients": ["nobody"]}, "mail_recipients.0"),
    ({"mail_recipients": ["a@b.test\nBcc: c@d.test"]}, "mail_recipients.0"),
    ({"mail_recipients": ["a@b.test, c@d.test"]}, "mail_recipients.0"),
    ({"mail_recipients": [f"a{n}@b.test" for n in range(21)]}, "mail_recipients"),
    ({"minimum_severity": "loud"}, "minimum_severity"),
])
def test_what_is_no_route_is_refused_by_name(
    door: Door, tenant: Tenant, cli: Cli, change: dict[str, Any], field: str
) -> None:
    with pytest.raises(Invalid) as refusal:
        door.perform(cli(tenant), "alarm_routes.change", change)
    assert list(refusal.value.fields) == [field]
    assert read(door, cli(tenant)).updated_at is None


@pytest.mark.parametrize("url", ["http://hooks.acme.test/", "https://127.0.0.1/", "https://[::1]/",
                                 "https://169.254.169.254/latest", "https://10.0.0.1:8443/"])
def test_production_takes_https_at_a_public_host_alone(
    door: Door, tenant: Tenant, cli: Cli, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    use_settings(door, monkeypatch, env="production")
    with pytest.raises(Invalid) as refusal:
        door.perform(cli(tenant), "alarm_routes.change", {"webhook_url": url})
    assert list(refusal.value.fields) == ["webhook_url"]
    assert door.perform(cli(tenant), "alarm_routes.change", {"webhook_url": URL}).webhook_url == URL


def test_a_test_goes_by_each_channel_and_says_that_it_is_one(
    door: Door, tenant: Tenant, cli: Cli, web: Web, box: Box, routes: Any, log: Any
) -> None:
    assert routes(tenant, mail_recipients=["ops@acme.test"], webhook_url=web.url()).mail_server
    found = door.perform(cli(tenant), "alarm_routes.test", {})
    assert [(o.channel, o.ok, o.answer) for o in found.outcomes] == [("mail", True, 250), ("webhook", True, 200)]
    assert json.loads(web.seen[0][3])["type"] == "test"
    assert b"WorkReef test" in box.taken[0].content
    assert log(tenant)[-1][0] == "alarm_routes.tested"
    assert door.perform(cli(tenant), "alarms.list", {}).rows == []


def test_a_test_that_fails_says_how_and_is_not_repeated(
    door: Door, tenant: Tenant, cli: Cli, web: Web, routes: Any
) -> None:
    web.replies(answer(500))
    routes(tenant, mail_recipients=["ops@acme.test"], webhook_url=web.url())
    found = door.perform(cli(tenant), "alarm_routes.test", {})
    assert [(o.channel, o.ok, o.failure, o.answer) for o in found.outcomes] == [
        ("mail", False, "unconfigured", None), ("webhook", False, "unavailable", 500),
    ]
    assert len(web.seen) == 1


def test_with_no_channel_there_is_nothing_to_test(door: Door, tenant: Tenant, cli: Cli) -> None:
    assert door.perform(cli(tenant), "alarm_routes.test", {}).outcomes == []


@pytest.mark.parametrize("persona", ["operator", "dept_lead", "change_leader", "contributor", "security_reviewer"])
def test_routes_are_the_admins_affair(
    door: Door, shared: Tenant, person: Callable[..., Caller], persona: str
) -> None:
    caller = person(shared, [persona])
    for name in ("alarm_routes.read", "alarm_routes.change", "alarm_routes.test"):
        with pytest.raises(WrongPersona):
            door.perform(caller, name, {})
