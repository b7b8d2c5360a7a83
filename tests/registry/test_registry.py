"""What must hold of every operation, over its real HTTP route, with a real Postgres behind."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
from argon2 import PasswordHasher
from argon2.profiles import CHEAPEST

from tests.conftest import PASSWORD
from tests.registry.examples import EXAMPLES, World, claimed, new_task
from tests.web import Chain, Site, end_session, forged
from workreef_app.services.access import passwords, sessions
from workreef_app.services.access.operations import SessionGranted
from workreef_app.services.browser import cookie_name
from workreef_app.services.door import Caller, Door
from workreef_app.services.limiting.limiter import terms
from workreef_app.services.operation import REGISTRY, Event, FileResult, Operation, Persona, WrongPersona
from workreef_app.services.tenancy.platform import Tenant
from workreef_app.services.tenancy.tenants import create_tenant

NAMES = sorted(REGISTRY)
#: Operations that somebody with a browser can do; the others are for jobs alone.
PEOPLES = [name for name in NAMES if REGISTRY[name].public or REGISTRY[name].by]
SIGNED_IN = [name for name in NAMES if not REGISTRY[name].public]
Watch = Callable[[Tenant], Chain]

#: Who may do what, as it was reviewed. A change here is a change of somebody's power: say why in its commit.
REVIEWED = {
    "access.matrix": "admin change_leader contributor dept_lead operator security_reviewer",
    "access.who_can": "admin",
    "alarm_routes.change": "admin",
    "alarm_routes.read": "admin",
    "alarm_routes.test": "admin",
    "alarms.acknowledge": "admin",
    "alarms.assign": "admin",
    "alarms.clear": "jobs",
    "alarms.count": "admin dept_lead operator",
    "alarms.list": "admin dept_lead operator",
    "alarms.plan_delivery": "jobs",
    "alarms.poll": "admin dept_lead operator",
    "alarms.raise": "jobs",
    "alarms.record_delivery": "jobs",
    "alarms.resolve": "admin",
    "audit.begin_verification": "admin change_leader contributor dept_lead operator security_reviewer",
    "audit.checkpoint": "admin security_reviewer jobs",
    "audit.checkpoint_due": "jobs",
    "audit.export": "admin security_reviewer",
    "audit.feed": "admin security_reviewer",
    "siem.change": "admin",
    "siem.next_batch": "jobs",
    "siem.read": "admin security_reviewer",
    "siem.record": "jobs",
    "audit.list": "admin change_leader contributor dept_lead operator security_reviewer",
    "audit.read": "admin change_leader contributor dept_lead operator security_reviewer",
    "audit.read_checkpoint": "admin change_leader contributor dept_lead operator security_reviewer",
    "audit.receipt": "admin change_leader contributor dept_lead operator security_reviewer",
    "audit.rehearse": "admin security_reviewer",
    "audit.tail": "admin change_leader contributor dept_lead operator security_reviewer",
    "audit.verify_piece": "admin change_leader contributor dept_lead operator security_reviewer",
    "audit.verify": "admin change_leader contributor dept_lead operator security_reviewer",
    "departments.create": "admin",
    "departments.list": "admin",
    "digest.measure": "jobs",
    "digest.read": "admin change_leader dept_lead operator",
    "factors.begin": "admin change_leader contributor dept_lead operator security_reviewer",
    "factors.confirm": "admin change_leader contributor dept_lead operator security_reviewer",
    "factors.read": "admin change_leader contributor dept_lead operator security_reviewer",
    "factors.remove": "admin change_leader contributor dept_lead operator security_reviewer",
    "factors.renew_codes": "admin change_leader contributor dept_lead operator security_reviewer",
    "imports.add_chunk": "admin",
    "imports.advance": "jobs",
    "imports.cancel": "admin",
    "imports.chunk": "jobs",
    "imports.close": "admin",
    "imports.finish": "jobs",
    "imports.list": "admin change_leader dept_lead operator",
    "imports.read": "admin",
    "imports.start": "admin",
    "imports.sweep": "jobs",
    "imports.take_up": "jobs",
    "invitations.accept": "public",
    "invitations.renew": "admin",
    "invitations.revoke": "admin",
    "jobs.cancel": "admin",
    "jobs.claim": "jobs",
    "jobs.end": "jobs",
    "jobs.list": "admin security_reviewer",
    "jobs.poll": "admin security_reviewer",
    "jobs.retry": "admin",
    "jobs.schedule": "jobs",
    "jobs.watch": "jobs",
    "links.mailed": "jobs",
    "links.prepare": "jobs",
    "me.change": "admin change_leader contributor dept_lead operator security_reviewer",
    "me.read": "admin change_leader contributor dept_lead operator security_reviewer",
    "my_work.read": "contributor",
    "notes.add": "contributor",
    "notes.list": "contributor dept_lead operator",
    "notes.withdraw": "contributor",
    "observations.list": "admin change_leader dept_lead operator",
    "passwords.ask_reset": "public",
    "passwords.change": "admin change_leader contributor dept_lead operator security_reviewer",
    "passwords.reset": "public",
    "people.activate": "admin",
    "people.change": "admin",
    "people.create": "admin",
    "people.create_first": "jobs",
    "people.deactivate": "admin",
    "people.end_sessions": "admin",
    "people.list": "admin",
    "people.reset_factor": "admin",
    "people.reset_link": "admin",
    "proposals.decide": "change_leader dept_lead operator",
    "proposals.list": "admin change_leader dept_lead operator",
    "proposals.read": "admin change_leader dept_lead operator",
    "redaction.change": "admin",
    "redaction.history": "admin security_reviewer",
    "redaction.preview": "admin security_reviewer",
    "redaction.read": "admin security_reviewer",
    "redaction.test": "admin security_reviewer",
    "sessions.end": "admin change_leader contributor dept_lead operator security_reviewer",
    "sessions.extend": "admin change_leader contributor dept_lead operator security_reviewer",
    "sessions.list": "admin change_leader contributor dept_lead operator security_reviewer",
    "sessions.prove": "public",
    "sessions.refresh": "admin change_leader contributor dept_lead operator security_reviewer",
    "sessions.revoke": "admin change_leader contributor dept_lead operator security_reviewer",
    "sessions.start": "public",
    "settings.change": "admin",
    "settings.history": "admin security_reviewer",
    "settings.read": "admin security_reviewer",
    "sources.list": "admin change_leader dept_lead operator",
    "sso.begin": "jobs",
    "sso.change": "admin",
    "sso.hand_over": "admin",
    "sso.map_group": "admin",
    "sso.offer": "jobs",
    "sso.read": "admin security_reviewer",
    "sso.refuse": "jobs",
    "sso.sign_in": "jobs",
    "sso.take_up": "jobs",
    "sso.test": "admin",
    "sso.unmap_group": "admin",
    "status.poll": "admin security_reviewer",
    "status.read": "admin security_reviewer",
    "witnesses.add": "admin",
    "witnesses.behind": "jobs",
    "witnesses.list": "admin security_reviewer",
    "witnesses.record": "jobs",
    "witnesses.remove": "admin",
    "tasks.list": "admin change_leader dept_lead operator",
    "tasks.read": "admin change_leader dept_lead operator",
    "tokens.create": "admin",
    "tokens.list": "admin",
    "tokens.revoke": "admin",
}


def _people(door: Door, tenant: Tenant, mark: str) -> tuple[dict[Persona, Caller], dict[Persona, str]]:
    admin, people, emails = Caller(tenant, "test-world", cli_user="tester"), {}, {}
    for number, persona in enumerate(Persona):
        email = f"{mark}.{persona.value}@example.com"
        invited = door.perform(admin, "people.create", {
            "email": email, "name": f"{mark} {persona.value}", "personas": [persona], "departments": ["claims"],
        })
        host = f"{tenant.info.slug}.{door.platform.settings.public_host}"
        browser = Caller(tenant, "test-world", host=host, address=f"10.7.{len(mark)}.{number}")
        granted = door.perform(
            browser, "invitations.accept", {"token": invited.invitation_token, "password": PASSWORD}
        )
        people[persona], emails[persona] = replace(browser, token=granted.token), email
    return people, emails


def _world(door: Door, slug: str) -> World:
    create_tenant(door.platform, slug=slug, name=f"World {slug}")
    tenant = door.platform.tenant(slug)
    admin = Caller(tenant, "test-world", cli_user="tester")
    for department in ("claims", "billing"):
        door.perform(admin, "departments.create", {"slug": department, "name": department.title()})
    people, emails = _people(door, tenant, "one")
    spare, _ = _people(door, tenant, "spare")
    return World(door, tenant, admin, people, spare, emails)


@pytest.fixture(scope="module", autouse=True)
def _cheap_passwords() -> Iterator[None]:
    """Hundreds of sign-ins are made here, and none is about how slow a password's hash is."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "_hasher", PasswordHasher.from_parameters(CHEAPEST))
        patch.setattr(passwords, "_nobody", passwords.hash_password("no person has this password"))
        yield


@pytest.fixture(scope="module")
def world(door: Door) -> World:
    """The tenant that the calls are made at."""
    return _world(door, "registry")


@pytest.fixture(scope="module")
def other(door: Door) -> World:
    """Another tenant, in which nothing may ever happen."""
    return _world(door, "witness")


def _as(world: World, spec: Operation) -> Caller | None:
    example = EXAMPLES[spec.name]
    if example.caller is not None:
        return example.caller(world)
    if example.persona is None:
        return None
    return world.signed_in(example.persona) if example.own_session else world.people[example.persona]


def _secrets(world: World) -> list[str]:
    callers = [*world.people.values(), *world.spare.values()]
    return [caller.token for caller in callers if caller.token]


def _allowed(spec: Operation) -> str:
    words = sorted(persona.value for persona in spec.by) + (["jobs"] if spec.jobs else [])
    return "public" if spec.public else " ".join(words)


def test_every_operation_has_an_example_of_success() -> None:
    missing = sorted(set(REGISTRY) - set(EXAMPLES))
    assert not missing, f"operations without an example in tests/registry/examples.py: {', '.join(missing)}"
    assert not set(EXAMPLES) - set(REGISTRY), "examples of operations that are gone"


def test_the_access_matrix_is_the_reviewed_one() -> None:
    found = {name: _allowed(spec) for name, spec in REGISTRY.items()}
    changed = {name: (REVIEWED.get(name), found.get(name)) for name in {*REVIEWED, *found}
               if REVIEWED.get(name) != found.get(name)}
    assert not changed, f"who may do what differs from what was reviewed (before, now): {changed}"


@pytest.mark.parametrize("name", NAMES)
def test_every_operation_says_what_it_is_and_has_a_limit(name: str) -> None:
    spec = REGISTRY[name]
    assert spec.summary.endswith(".")
    assert terms(spec.limit)[0] > 0
    assert spec.command.model_config["extra"] == "forbid"
    assert spec.event is not None or not spec.public


@pytest.mark.parametrize("name", PEOPLES)
def test_success_leaves_exactly_the_declared_entry(
    name: str, site: Site, world: World, other: World, chain: Watch
) -> None:
    spec, example = REGISTRY[name], EXAMPLES[name]
    payload, caller = example.payload(world), _as(world, spec)
    here, there = chain(world.tenant), chain(other.tenant)
    response = site.call(world.tenant, name, payload, caller)
    assert response.status_code == 200, response.text
    entries = here.new()
    assert [entry.facts["event"] for entry in entries] == ([spec.event] if spec.event else [])
    assert there.new() == []
    for entry in entries:
        facts = entry.facts
        assert facts["request"] == response.headers["x-request-id"]
        assert facts["detail"]["operation"] == name
        # Nobody is signed in who has forgotten a password.
        assert facts["actor"].startswith("person:") or (spec.public and spec.result is not SessionGranted)
        if not spec.public:
            assert facts["persona"] in spec.by
        assert not any(secret in entry.content for secret in [PASSWORD, *_secrets(world)])
        assert "@example.com" not in entry.content
    if spec.result is not FileResult:
        assert response.headers["content-type"] == "application/json"
    assert response.headers["cache-control"] == "no-store"
    assert not any(secret.encode() in response.content for secret in _secrets(world))


@pytest.mark.parametrize("name", [name for name in NAMES if REGISTRY[name].jobs])
def test_a_job_that_succeeds_leaves_exactly_the_declared_entry(
    name: str, world: World, other: World, chain: Watch
) -> None:
    spec, prepare = REGISTRY[name], EXAMPLES[name].job
    assert prepare is not None, "an operation for jobs needs an example of a job that succeeds"
    caller, payload = prepare(world)
    here, there = chain(caller.tenant), chain(other.tenant)
    world.door.perform(caller, name, payload)
    entries = here.new()
    assert [entry.facts["event"] for entry in entries] == ([spec.event] if spec.event else [])
    assert there.new() == []
    for entry in entries:
        assert entry.facts["detail"]["operation"] == name
        if spec.result is SessionGranted:  # a part of the system let a person in, and they are who did it
            assert entry.facts["actor"].startswith("person:")
        else:
            assert entry.facts["actor"].partition(":")[0] in {"job", "system"}
            assert entry.facts["persona"] is None


@pytest.mark.parametrize("name", [name for name in SIGNED_IN if not REGISTRY[name].jobs])
def test_a_job_may_not_do_what_is_for_people(name: str, world: World, chain: Watch) -> None:
    payload, caller = EXAMPLES[name].payload(world), claimed(world)
    here = chain(world.tenant)
    with pytest.raises(WrongPersona):
        world.door.perform(caller, name, payload)
    assert [entry.facts["event"] for entry in here.new()] == [Event.SCOPE_DENIED]


@pytest.mark.parametrize("name", PEOPLES)
def test_a_result_never_holds_a_session_token(name: str, site: Site, world: World) -> None:
    spec = REGISTRY[name]
    payload = EXAMPLES[name].payload(world)
    caller = _as(world, spec)
    response = site.call(world.tenant, name, payload, caller)
    assert response.status_code == 200, response.text
    granted = response.cookies.get(cookie_name(site.door.platform.settings))
    for secret in (caller.token if caller else None, granted, granted.rsplit(".", 1)[0] if granted else None):
        assert secret is None or secret.encode() not in response.content
    assert bool(granted) == (isinstance(spec.result, type) and issubclass(spec.result, SessionGranted))


@pytest.mark.parametrize("name", PEOPLES)
def test_a_form_works_as_well_as_json(name: str, site: Site, world: World, chain: Watch) -> None:
    spec, example = REGISTRY[name], EXAMPLES[name]
    payload = {field: v if isinstance(v, list) else str(v) for field, v in example.payload(world).items()}
    caller, here = _as(world, spec), chain(world.tenant)
    response = site.post(world.tenant, f"/api/v1/{name}", caller, data=payload)
    assert response.status_code == 200, response.text
    assert [entry.facts["event"] for entry in here.new()] == ([spec.event] if spec.event else [])


def test_a_form_that_cannot_carry_the_fields_is_refused(site: Site, world: World, chain: Watch) -> None:
    here = chain(world.tenant)
    response = site.post(world.tenant, "/api/v1/imports.advance", world.people[Persona.ADMIN], data={"batch": "0"})
    assert response.status_code == 422
    assert response.json()["detail"] == "This operation takes a JSON body only."
    assert here.new() == []


@pytest.mark.parametrize("name", SIGNED_IN)
def test_without_a_session_that_holds_nothing_is_done(
    name: str, site: Site, world: World, other: World, chain: Watch
) -> None:
    """None at all, and one that expired, was revoked, was changed, or is another host's or another tenant's."""
    persona = EXAMPLES[name].persona
    assert persona is not None
    payload = EXAMPLES[name].payload(world)
    expired, revoked, good = (world.signed_in(persona) for _ in range(3))
    end_session(world.door, expired, expire=True)
    end_session(world.door, revoked)
    stranger, settings = other.people[persona], world.door.platform.settings
    cookie, key = site.cookie(good), cookie_name(settings)
    secret = settings.secret_key.get_secret_value()
    resigned = sessions.sign(stranger.token or "", good.host, secret)
    cookies = {
        "none": "", "empty": f"{key}=", "garbage": f"{key}=a.b", "unsigned": f"{key}={good.token}",
        "expired": site.cookie(expired), "revoked": site.cookie(revoked),
        "changed token": cookie.replace("=", "=A", 1), "changed signature": forged(cookie),
        "other secret": f"{key}={sessions.sign(good.token or '', good.host, 'x' * 40)}",
        "other host": site.cookie(good, "elsewhere.localhost"), "other tenant": site.cookie(stranger),
        "other tenant, signed anew": f"{key}={resigned}",
    }
    here, there = chain(world.tenant), chain(other.tenant)
    for kind, header in cookies.items():
        response = site.call(world.tenant, name, payload, headers={"cookie": header} if header else {})
        assert response.status_code == 401, (kind, response.text)
        assert response.json()["code"] == "no_session"
        assert response.headers["content-type"] == "application/problem+json"
    assert site.call(other.tenant, name, payload, good).status_code == 401
    assert here.new() == there.new() == []
    assert site.call(world.tenant, name, payload, good).status_code != 401


@pytest.mark.parametrize(
    ("name", "persona"),
    [(name, persona) for name in SIGNED_IN for persona in Persona if persona not in REGISTRY[name].by],
)
def test_a_wrong_persona_is_refused_and_audited(
    name: str, persona: Persona, site: Site, world: World, other: World, chain: Watch
) -> None:
    payload = EXAMPLES[name].payload(world)
    here, there = chain(world.tenant), chain(other.tenant)
    response = site.call(world.tenant, name, payload, world.people[persona])
    assert response.status_code == 403, response.text
    assert response.json()["code"] == "wrong_persona"
    (entry,) = here.new()
    assert entry.facts["event"] == Event.SCOPE_DENIED
    assert entry.facts["persona"] == persona.value
    assert entry.facts["detail"] == {"operation": name, "reason": "persona"}
    assert there.new() == []


@pytest.mark.parametrize("name", NAMES)
def test_an_unknown_field_is_refused_by_name(name: str, site: Site, world: World, chain: Watch) -> None:
    payload = EXAMPLES[name].payload(world) | {"tenant_id": "x-planted-x"}
    caller, here = _as(world, REGISTRY[name]), chain(world.tenant)
    response = site.call(world.tenant, name, payload, caller)
    assert response.status_code == 422
    assert response.json()["code"] == "invalid"
    assert response.json()["fields"] == {"tenant_id": "is not a known field"}
    assert "x-planted-x" not in response.text
    assert here.new() == []


@pytest.mark.parametrize("name", NAMES)
def test_over_the_limit_is_refused(
    name: str, site: Site, world: World, chain: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All but the last allowed call are taken from the limiter itself, as thousands of calls would."""
    spec, example = REGISTRY[name], EXAMPLES[name]
    payload, (amount, window), address = example.payload(world), terms(spec.limit), "10.6.6.6"
    caller = world.spare[example.persona] if example.persona else None
    known = world.door.actor(caller) if caller else None
    key = (name, world.tenant.info.slug, known[0].id if known else address)
    world.door.limits.limiter.storage.reset()
    monkeypatch.setattr(world.door.limits.limiter.storage, "_clock", lambda: 0.0)
    assert world.door.limits.limiter.hit(spec.limit, *key, cost=amount - 1).allowed
    empty = {"unknown": 1}  # the last one that is counted; refused for what it holds
    assert site.call(world.tenant, name, empty, caller, address=address).status_code == 422
    here = chain(world.tenant)
    response = site.call(world.tenant, name, payload, caller, address=address)
    assert response.status_code == 429
    assert response.json()["code"] == "limited"
    assert 1 <= int(response.headers["retry-after"]) <= 2 * window
    told = {name: response.headers[f"ratelimit-{name}"] for name in ("limit", "remaining", "policy")}
    assert told == {"limit": str(amount), "remaining": "0", "policy": f"{amount};w={window}"}
    assert response.headers["ratelimit-reset"] == response.headers["retry-after"]
    assert here.new() == []
    again = None if caller is None else _as(world, replace(spec, public=False))
    status = 200 if name in PEOPLES else 403
    assert site.call(world.tenant, name, payload, again).status_code == status, "the limit is another caller's"


@pytest.mark.parametrize("name", NAMES)
def test_a_call_from_another_site_is_refused(name: str, site: Site, world: World, chain: Watch) -> None:
    payload, caller = EXAMPLES[name].payload(world), _as(world, REGISTRY[name])
    here, host = chain(world.tenant), site.host(world.tenant)
    foreign = (
        "https://evil.example", "null", "", f"http://evil.{host}", f"http://{host}.evil.example",
        f"https://{host}", f"http://{host}:81", f"http://witness.{world.door.platform.settings.public_host}",
    )
    for origin in foreign:
        response = site.call(world.tenant, name, payload, caller, headers={"origin": origin})
        assert response.status_code == 403, (origin, response.text)
        assert response.json()["code"] == "wrong_origin"
        assert not any(header.startswith("access-control") for header in response.headers)
    if caller is not None:
        response = site.send("POST", f"/api/v1/{name}", host, {"cookie": site.cookie(caller)}, json=payload)
        assert response.status_code == 403, "a call with a cookie must say where it comes from"
    assert here.new() == []


ROWS = {
    "tasks.read": ("task_id", "task", "task_id", {}),
    "observations.list": ("task_id", "task", "task_id", {}),
    "proposals.read": ("proposal_id", "proposal", "proposal_id", {}),
    "proposals.decide": ("proposal_id", "proposal", "proposal_id", {"choice": "accept"}),
}


def _same_but_for_the_request(one: Any, two: Any) -> None:
    told_per_call = {"x-request-id", "ratelimit-limit", "ratelimit-policy", "ratelimit-remaining", "ratelimit-reset"}

    def rest(response: Any) -> tuple[Any, ...]:
        headers = {name: value for name, value in response.headers.items() if name not in told_per_call}
        request = response.json()["request_id"]
        return response.status_code, headers, response.content.replace(request.encode(), b"")

    assert rest(one) == rest(two)


@pytest.mark.parametrize("name", sorted(ROWS))
def test_a_row_out_of_scope_answers_as_a_missing_one(
    name: str, site: Site, world: World, other: World, chain: Watch
) -> None:
    field, kind, attribute, more = ROWS[name]
    row = new_task(world, "billing")
    foreign = new_task(other, "claims")
    hidden, caller = getattr(row, attribute), world.people[Persona.OPERATOR]
    here = chain(world.tenant)
    out = site.call(world.tenant, name, {field: str(hidden), **more}, caller)
    (entry,) = here.new()
    missing = site.call(world.tenant, name, {field: str(uuid4()), **more}, caller)
    elsewhere = site.call(world.tenant, name, {field: str(getattr(foreign, attribute)), **more}, caller)
    assert here.new() == [], "a row that is nowhere, or in another tenant, leaves nothing"
    assert out.status_code == 404
    _same_but_for_the_request(out, missing)
    _same_but_for_the_request(out, elsewhere)
    assert entry.facts["event"] == Event.SCOPE_DENIED
    assert entry.facts["target"] == f"{kind}:{hidden}"
    assert entry.facts["detail"] == {"operation": name, "reason": "scope"}
    assert entry.facts["request"] == out.headers["x-request-id"]
    allowed = site.call(world.tenant, name, {field: str(hidden), **more}, world.people[Persona.CHANGE_LEADER])
    assert allowed.status_code == 200, "the row is there for those who may see it"


def test_an_audit_entry_out_of_scope_answers_as_a_missing_one(site: Site, world: World, chain: Watch) -> None:
    caller, here = world.people[Persona.OPERATOR], chain(world.tenant)
    out = site.call(world.tenant, "audit.read", {"seq": 1}, caller)
    (entry,) = here.new()
    missing = site.call(world.tenant, "audit.read", {"seq": 10**12}, caller)
    assert here.new() == []
    assert out.status_code == 404
    _same_but_for_the_request(out, missing)
    assert (entry.facts["event"], entry.facts["target"]) == (Event.SCOPE_DENIED, "entry:1")


def test_every_operation_that_takes_a_rows_id_is_tried_out_of_scope() -> None:
    """Imports and people are left to admins, who see all of them; one's own sessions are tried with the sessions."""
    with_id = {
        name for name, spec in REGISTRY.items()
        if any(field.endswith("_id") for field in spec.command.model_fields) and spec.by - {Persona.ADMIN}
    }
    assert with_id == {*ROWS, "sessions.revoke", "notes.withdraw"}, "notes are tried in test_personas"


HOSTILE: tuple[Any, ...] = (
    None, "", "\x00", "a\x00b", "x" * 300, -1, 0, 2**31, 2**63, 10**30, 1.5, True, [], [[]], {}, {"a": 1}, ["\x00"],
    "2026-99-99", "9999-12-31", "~", f"{10**30}~{uuid4()}", f"2026-01-01T00:00:00~{uuid4()}", "'; DROP TABLE x; --",
    {"undated": 2**63 - 1}, {"undated": 10**30},
)


#: What JSON can say and no field takes.
NO_VALUES = ('"\\ud800"', '"\\udfff a"', "NaN", "Infinity", "1e400", "9" * 5000, '["\\ud800"]', '{"\\ud800": 1}')


@pytest.mark.parametrize("name", NAMES)
def test_no_value_of_any_field_is_an_error_of_ours(name: str, site: Site, world: World) -> None:
    spec, example = REGISTRY[name], EXAMPLES[name]
    spent = {"imports.add_chunk", "imports.close", "imports.cancel", "proposals.decide"}
    payload = example.payload(world)
    caller = _as(world, spec)
    for field in spec.command.model_fields:
        for value in HOSTILE:
            sent = json.dumps(payload | {field: value})
            response = site.post(
                world.tenant, f"/api/v1/{name}", caller, content=sent, headers={"content-type": "application/json"}
            )
            assert response.status_code < 500, (field, value, response.text)
            if response.status_code == 200 and name in spent:
                payload = example.payload(world)
            world.door.limits.limiter.storage.reset()
        for text in NO_VALUES:
            sent = json.dumps(payload | {field: "HERE"}).replace('"HERE"', text)
            response = site.post(
                world.tenant, f"/api/v1/{name}", caller, content=sent, headers={"content-type": "application/json"}
            )
            assert response.status_code in {422, 401}, (field, text, response.text)
            world.door.limits.limiter.storage.reset()
