"""Sign-up of a tenant: open where it may be, made once, by the link alone."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from pydantic import ValidationError
from sqlalchemy import text
from uuid_utils.compat import uuid7

from tests.services.access.test_links import Post, link_in, post  # noqa: F401
from tests.services.conftest import Clock
from tests.services.outbound.conftest import closed_port  # noqa: F401
from workreef_app.services import signup
from workreef_app.services.access.sessions import token_hash
from workreef_app.services.door import Caller, Door
from workreef_app.services.operation import Conflict, Limited, Unavailable
from workreef_app.services.tenancy.errors import UnknownTenant
from workreef_app.settings import Environment

_numbers = itertools.count(1)
Ask = Callable[..., str]


def wanted(**changes: str) -> signup.SignUp:
    given = {"organisation": "Northwind", "slug": f"north{next(_numbers)}", "name": "Ana", "email": "ana@north.test"}
    return signup.SignUp.model_validate(given | changes)


def address() -> str:
    number = next(_numbers)
    return f"10.77.{number // 250}.{number % 250}"


def token_of(link: str | None) -> str:
    assert link is not None
    return link.rpartition("/")[2]


def confirm(door: Door, token: str, where: str = "") -> str:
    return signup.confirm(door, token, where or address(), uuid7().hex)


def test_an_organisation_is_made_by_its_link_once_with_its_first_admin(door: Door) -> None:
    command = wanted()
    token = token_of(signup.ask(door, command, address()).link)
    with pytest.raises(UnknownTenant):
        door.platform.tenant(command.slug)
    link = confirm(door, token)
    assert link.startswith(f"http://{command.slug}.localhost:3999/invite/")
    with pytest.raises(Conflict, match="used, has expired"):
        confirm(door, token)
    tenant = door.platform.tenant(command.slug)
    browser = Caller(tenant, "test", host=f"{command.slug}.localhost", address=address())
    door.perform(browser, "invitations.accept", {"token": token_of(link), "password": "four purple giraffes whistle"})
    people = door.perform(Caller(tenant, "test", cli_user="tester"), "people.list", {}).rows
    assert [(row.email, row.name, [p.persona for p in row.personas]) for row in people] == [
        ("ana@north.test", "Ana", ["admin"])]


def test_what_was_asked_for_is_sealed_and_then_gone(door: Door) -> None:
    token = token_of(signup.ask(door, wanted(), address()).link)

    def kept() -> Any:
        with door.platform.control.connect() as connection:
            query = text("SELECT asked FROM signup WHERE token_hash = :hash")
            return connection.execute(query, {"hash": token_hash(token)}).scalar_one()

    assert b"ana@north.test" not in bytes(kept())
    confirm(door, token)
    assert kept() is None


def test_a_link_that_is_opened_twice_at_once_makes_one(door: Door) -> None:
    token = token_of(signup.ask(door, wanted(), address()).link)

    def open_it(_: int) -> bool:
        try:
            return bool(confirm(door, token))
        except Conflict:
            return False

    with ThreadPoolExecutor(3) as pool:
        assert sorted(pool.map(open_it, range(3))) == [False, False, True]


def test_a_link_expires_and_an_address_is_given_once(door: Door, clock: Clock) -> None:
    first, second = wanted(slug="taken-once"), wanted(slug="taken-once")
    tokens = [token_of(signup.ask(door, command, address()).link) for command in (first, second)]
    confirm(door, tokens[0])
    with pytest.raises(Conflict, match="taken meanwhile"):
        confirm(door, tokens[1])
    with pytest.raises(Conflict, match="is taken"):
        signup.ask(door, wanted(slug="taken-once"), address())
    late = token_of(signup.ask(door, wanted(), address()).link)
    clock.turn(hours=24)
    with pytest.raises(Conflict):
        confirm(door, late)
    for token in ("", "x", "\x00", "é" * 10):
        with pytest.raises(Conflict):
            confirm(door, token)


@pytest.mark.parametrize("slug", [
    "", "www", "admin", "signup", "xn--northwind", "-a", "a-", "A", "a.b", "a b", "ä", "a" * 41, "a\n", "\x00", "a/b",
])
def test_an_address_that_is_none_or_reserved_is_refused(slug: str) -> None:
    with pytest.raises(ValidationError):
        wanted(slug=slug)


def test_asking_and_opening_are_limited_by_address(door: Door) -> None:
    where = address()
    for _ in range(10):
        signup.ask(door, wanted(), where)
    with pytest.raises(Limited):
        signup.ask(door, wanted(), where)
    assert signup.ask(door, wanted(), address()).link
    for _ in range(10):
        with pytest.raises(Conflict):
            confirm(door, "none", where)
    with pytest.raises(Limited):
        confirm(door, "none", where)


@pytest.mark.parametrize(("env", "setting", "mail", "opened"), [
    ("development", "", False, True), ("demo", "", False, True), ("development", "closed", True, False),
    ("production", "", True, False), ("production", "closed", True, False), ("production", "open", False, False),
    ("production", "open", True, True),
])
def test_where_it_is_open(
    door: Door, monkeypatch: pytest.MonkeyPatch, env: str, setting: str, mail: bool, opened: bool
) -> None:
    settings = type(door.platform.settings).model_validate(door.platform.settings.model_dump() | {
        "env": Environment(env), "signup": setting, "smtp_url": "smtps://mail.acme.test" if mail else "",
        "mail_from": "workreef@acme.test" if mail else "",
    })
    assert signup.is_open(settings) is opened
    if not opened:
        monkeypatch.setattr(door.platform, "settings", settings)
        with pytest.raises(signup.SignUpClosed):
            signup.ask(door, wanted(), address())
        with pytest.raises(signup.SignUpClosed):
            confirm(door, "none")


def test_where_mail_is_set_up_the_link_is_mailed_and_not_shown(
    door: Door, post: Post, monkeypatch: pytest.MonkeyPatch  # noqa: F811
) -> None:
    command = wanted()
    assert signup.ask(door, command, address()).link is None
    (mail,) = post.taken
    assert mail.rcpt_tos == ["ana@north.test"]
    assert confirm(door, link_in(mail, "/signup/"))

    async def refuse(server: Any, session: Any, envelope: Any) -> str:
        return "550 no"

    monkeypatch.setattr(post, "handle_DATA", refuse)
    with pytest.raises(Unavailable, match="could not be sent"):
        signup.ask(door, wanted(), address())
