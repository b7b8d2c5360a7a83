"""One-time links: mailed to whoever they are for, made void by what comes after, the same answer for everybody."""

from __future__ import annotations

import tracemalloc
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import pytest
from aiosmtpd.controller import Controller
from sqlalchemy import event, text

from tests.conftest import PASSWORD
from tests.services.conftest import Clock
from tests.services.outbound.conftest import closed_port  # noqa: F401
from workreef_app.services.door import Caller, Door
from workreef_app.services.limiting import limiter
from workreef_app.services.operation import (
    Actor,
    Conflict,
    Invalid,
    Limited,
    NoSession,
    Reach,
    Refusal,
    SignInRefused,
)
from workreef_app.services.tenancy.platform import Tenant
from workreef_app.services.workers import running

pytestmark = pytest.mark.usefixtures("cheap_passwords")
Cli = Callable[[Tenant], Caller]
NEW = "four purple giraffes whistle"
READER = Actor(id="test", extra_reach=frozenset({Reach.PEOPLE, Reach.ALL_WORK}))


@dataclass
class Post:
    """A mail server, and the jobs that mail links."""

    door: Door
    taken: list[Any]

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.taken.append(envelope)
        return "250 taken"

    def jobs(self, tenant: Tenant) -> list[UUID]:
        with self.door.platform.unit_of_work(tenant, READER) as session:
            query = "SELECT id FROM job WHERE kind = 'mail_link' AND status = 'queued' ORDER BY id"
            return [row.id for row in session.execute(text(query))]

    def work(self, tenant: Tenant) -> list[Any]:
        """Runs the jobs as a worker does; the mails that were taken."""
        before = len(self.taken)
        for job_id in self.jobs(tenant):
            running.run(self.door, tenant.info.id, job_id, 0.0, lambda: False)
        return self.taken[before:]

    def requests(self, tenant: Tenant) -> int:
        with self.door.platform.unit_of_work(tenant, READER) as session:
            return int(session.execute(text("SELECT count(*) FROM link_request")).scalar_one())


@pytest.fixture
def post(door: Door, closed_port: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[Post]:  # noqa: F811
    """A mail server that is this installation's own."""
    post = Post(door, [])
    controller = Controller(post, hostname="127.0.0.1", port=closed_port)
    controller.start()
    settings = type(door.platform.settings).model_validate(
        door.platform.settings.model_dump()
        | {"smtp_url": f"smtp://127.0.0.1:{closed_port}", "mail_from": "workreef@acme.test"}
    )
    monkeypatch.setattr(door.platform, "settings", settings)
    yield post
    controller.stop()


def link_in(mail: Any, path: str) -> str:
    """The token of the link in a mail."""
    content = mail.content.decode().replace("=\r\n", "").replace("=3D", "=")
    return str(content.split(path)[1].split()[0])


def test_an_invitation_is_mailed_and_then_not_shown(
    door: Door, tenant: Tenant, person: Any, browser: Cli, post: Post, cli: Cli
) -> None:
    admin = person(tenant, ["admin"])
    sent = {"email": "rui@acme.test", "name": "Rui", "personas": ["operator"]}
    invited = door.perform(admin, "people.create", sent)
    assert (invited.invitation_token, invited.mailed) == (None, True)
    (mail,) = post.work(tenant)
    assert mail.rcpt_tos == ["rui@acme.test"]
    token = link_in(mail, "/invite/")
    granted = door.perform(browser(tenant), "invitations.accept", {"token": token, "password": NEW})
    assert granted.person_id == invited.person_id
    assert post.requests(tenant) == 0
    by_command = door.perform(cli(tenant), "people.create", sent | {"email": "ana@acme.test"})
    assert by_command.invitation_token, "whoever holds the data directory's secrets is shown it"


def test_a_forgotten_password_is_set_by_a_mailed_link_once(
    door: Door, tenant: Tenant, person: Any, browser: Cli, post: Post, log: Any
) -> None:
    caller = person(tenant, ["operator"], email="dana@acme.test")
    door.perform(browser(tenant), "passwords.ask_reset", {"email": " ｄana@ACME.test "})
    (mail,) = post.work(tenant)
    assert mail.rcpt_tos == ["dana@acme.test"], "to the email that is kept, not to what was typed"
    token = link_in(mail, "/reset/")
    with pytest.raises(Conflict):  # it is no invitation
        door.perform(browser(tenant), "invitations.accept", {"token": token, "password": NEW})
    with pytest.raises(Invalid, match="made of"):
        door.perform(browser(tenant), "passwords.reset", {"token": token, "password": "dana@acme.test"})
    door.perform(browser(tenant), "passwords.reset", {"token": token, "password": NEW})
    with pytest.raises(NoSession):
        door.perform(caller, "me.read", {})
    with pytest.raises(Conflict):
        door.perform(browser(tenant), "passwords.reset", {"token": token, "password": PASSWORD})
    with pytest.raises(SignInRefused):
        door.perform(browser(tenant), "sessions.start", {"email": "dana@acme.test", "password": PASSWORD})
    assert door.perform(browser(tenant), "sessions.start", {"email": "dana@acme.test", "password": NEW}).token
    assert {entry[0] for entry in log(tenant)} >= {"reset.asked", "link.prepared", "link.mailed", "password.reset"}


def statements(door: Door, tenant: Tenant, run: Callable[[], Any]) -> list[str]:
    """The statements that a call sends to the tenant's database."""
    found: list[str] = []

    def note(connection: Any, cursor: Any, statement: str, *more: Any) -> None:
        found.append(statement)

    with door.platform.engines.use(tenant.info.id, tenant.url) as engine:
        event.listen(engine, "before_cursor_execute", note)
        try:
            run()
        finally:
            event.remove(engine, "before_cursor_execute", note)
    return found


def test_asking_takes_the_same_work_and_gets_the_same_answer_for_everybody(
    door: Door, tenant: Tenant, person: Any, browser: Cli, post: Post, cli: Cli, fresh_limits: None
) -> None:
    gone = person(tenant, ["operator"], email="gone@acme.test")
    person(tenant, ["operator"], email="dana@acme.test")
    door.perform(cli(tenant), "people.deactivate", {"person_id": str(door.perform(gone, "me.read", {}).person_id)})
    emails = ["dana@acme.test", "gone@acme.test", "nobody@acme.test", "no email at all"]
    answers: list[Any] = []

    def ask(email: str) -> list[str]:
        return statements(door, tenant, lambda: answers.append(
            door.perform(browser(tenant), "passwords.ask_reset", {"email": email})))

    ask("warm@acme.test")
    did = [ask(email) for email in emails]
    assert did[1:] == did[:-1]
    assert len({answer.model_dump_json() for answer in answers}) == 1
    assert [mail.rcpt_tos for mail in post.work(tenant)] == [["dana@acme.test"]]
    assert post.requests(tenant) == 0, "an email that was given is not kept"


def test_without_mail_an_admin_is_shown_the_link_and_nobody_else(
    door: Door, tenant: Tenant, person: Any, browser: Cli, caplog: pytest.LogCaptureFixture, log: Any
) -> None:
    admin, caller = person(tenant, ["admin"]), person(tenant, ["operator"], email="dana@acme.test")
    assert not door.perform(browser(tenant), "passwords.ask_reset", {"email": "dana@acme.test"}).mail
    who = {"person_id": str(door.perform(caller, "me.read", {}).person_id)}
    first, second = (door.perform(admin, "people.reset_link", who) for _ in range(2))
    assert first.token not in caplog.text
    assert first.token not in repr(first)
    with pytest.raises(Conflict):  # the second voids the first
        door.perform(browser(tenant), "passwords.reset", {"token": first.token, "password": NEW})
    door.perform(browser(tenant), "passwords.reset", {"token": second.token, "password": NEW})


def test_an_invitation_is_renewed_and_voided(
    door: Door, tenant: Tenant, cli: Cli, browser: Cli, clock: Clock
) -> None:
    sent = {"email": "rui@acme.test", "name": "Rui", "personas": ["operator"]}
    first = door.perform(cli(tenant), "people.create", sent)
    who = {"person_id": str(first.person_id)}
    second = door.perform(cli(tenant), "invitations.renew", who)
    third = door.perform(cli(tenant), "invitations.renew", who)
    door.perform(cli(tenant), "invitations.revoke", who)
    with pytest.raises(Conflict, match="no open invitation"):
        door.perform(cli(tenant), "invitations.revoke", who)
    last = door.perform(cli(tenant), "invitations.renew", who)
    for void in (first, second, third):
        with pytest.raises(Conflict, match="used, has expired"):
            door.perform(browser(tenant), "invitations.accept", {"token": void.invitation_token, "password": NEW})
    assert door.perform(cli(tenant), "people.list", who).rows[0].invited_until == last.expires_at
    clock.turn(hours=72)
    with pytest.raises(Conflict):
        door.perform(browser(tenant), "invitations.accept", {"token": last.invitation_token, "password": NEW})
    again = door.perform(cli(tenant), "invitations.renew", who)
    door.perform(browser(tenant), "invitations.accept", {"token": again.invitation_token, "password": NEW})
    with pytest.raises(Conflict, match="does not wait"):
        door.perform(cli(tenant), "invitations.renew", who)


def test_a_link_that_is_used_twice_at_once_works_once(
    door: Door, tenant: Tenant, person: Any, cli: Cli, browser: Cli
) -> None:
    caller = person(tenant, ["operator"])
    who = {"person_id": str(door.perform(caller, "me.read", {}).person_id)}
    token = door.perform(cli(tenant), "people.reset_link", who).token

    def use(number: int) -> bool:
        try:
            sent = {"token": token, "password": f"{NEW} {number}"}
            return bool(door.perform(browser(tenant), "passwords.reset", sent).done)
        except Conflict:
            return False

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(use, range(4))) == [False, False, False, True]


def test_a_mail_that_is_not_taken_is_a_job_that_failed_and_keeps_no_email(
    door: Door, tenant: Tenant, person: Any, browser: Cli, post: Post, monkeypatch: pytest.MonkeyPatch, log: Any
) -> None:
    person(tenant, ["operator"], email="dana@acme.test")

    async def refuse(server: Any, session: Any, envelope: Any) -> str:
        return "550 no"

    monkeypatch.setattr(post, "handle_DATA", refuse)
    door.perform(browser(tenant), "passwords.ask_reset", {"email": "dana@acme.test"})
    assert post.work(tenant) == []
    assert post.requests(tenant) == 0
    assert post.jobs(tenant) == []
    with door.platform.unit_of_work(tenant, READER) as session:
        (row,) = session.execute(text("SELECT kind, state FROM alarm")).all()
    assert tuple(row) == ("job_failed", "open")


def test_ten_thousand_wrong_passwords_lock_nobody_out_for_good_and_fill_no_memory(
    door: Door, tenant: Tenant, person: Any, browser: Cli, fresh_limits: None
) -> None:
    """From ten addresses: few are tried, and once the limit's quarter of an hour is over the right one is taken."""
    person(tenant, ["operator"], email="dana@acme.test")
    refused: Counter[type[Refusal]] = Counter()

    def guess(number: int) -> None:
        caller = replace(browser(tenant), address=f"10.66.0.{number % 10}")
        with pytest.raises((SignInRefused, Limited)) as error:
            door.perform(caller, "sessions.start", {"email": "dana@acme.test", "password": f"wrong {number}"})
        refused[error.type] += 1

    for number in range(1000):
        guess(number)
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    for number in range(1000, 10_000):
        guess(number)
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert grown < 1 << 20, grown
    assert sum(refused.values()) == 10_000
    tried, _ = limiter.terms(limiter.ACCOUNT)
    assert refused[SignInRefused] == tried
    door.limits.limiter.storage.reset()
    right = {"email": "dana@acme.test", "password": PASSWORD}
    assert door.perform(browser(tenant), "sessions.start", right).token
