"""What each persona is promised, over every operation that is open to it."""

from __future__ import annotations

import re
import threading
import typing
from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import pytest
from pydantic import BaseModel
from sqlalchemy import text

from tests.registry import test_registry
from tests.registry.examples import EXAMPLES, World, new_task, new_word, raw_lines
from tests.registry.examples_matrix import new_note
from tests.registry.test_registry import PEOPLES, SIGNED_IN, Watch, _as, _same_but_for_the_request
from tests.registry.test_registry import _cheap_passwords as _cheap_passwords
from tests.serving import import_lines
from tests.web import AUDITOR, Site
from workreef_app.services.access.wording import for_whom
from workreef_app.services.door import Door
from workreef_app.services.operation import ANYONE, REGISTRY, Event, FileResult, Persona

#: What nobody is told about their own work.
JUDGES = re.compile(
    r"scor|saving|saved|agree|percent|share|uniform|handl|confiden|automat|rate|ratio|minutes|hours|cost|rank|speed"
)
#: Fields with such a word in their name that judge nobody.
HARMLESS = {"idle_minutes"}


@pytest.fixture(scope="module")
def world(door: Door) -> World:
    """The tenant that the calls are made at."""
    return test_registry._world(door, "personas")


@pytest.fixture(scope="module")
def other(door: Door) -> World:
    """Another tenant, whose rows are nobody's here."""
    return test_registry._world(door, "elsewhere")


def _of(persona: Persona) -> list[str]:
    return [name for name in PEOPLES if persona in REGISTRY[name].by]


def fields(kind: Any, seen: frozenset[Any] = frozenset()) -> Iterator[tuple[str, Any]]:
    """The fields of a result, and of everything in it, with their types."""
    for part in typing.get_args(kind):
        yield from fields(part, seen)
    if isinstance(kind, type) and issubclass(kind, BaseModel) and kind not in seen:
        for name, field in kind.model_fields.items():
            yield name, field.annotation
            yield from fields(field.annotation, seen | {kind})


def _numeric(kind: Any) -> bool:
    return kind in {int, float} or any(_numeric(part) for part in typing.get_args(kind))


def judging(kind: Any) -> list[str]:
    """The fields of a result that are numbers and would tell how well somebody works."""
    return [name for name, of in fields(kind) if _numeric(of) and JUDGES.search(name) and name not in HARMLESS]


def test_the_walk_finds_what_judges() -> None:
    """It does in what operators read; so it would in what contributors do."""
    assert {"score", "uniformity", "handling"} <= set(judging(REGISTRY["tasks.list"].result))
    assert {"uniformity", "handling"} <= set(judging(REGISTRY["proposals.read"].result))


@pytest.mark.parametrize("name", _of(Persona.CONTRIBUTOR))
def test_no_result_that_a_contributor_can_reach_has_a_number_that_judges(name: str) -> None:
    assert judging(REGISTRY[name].result) == []


def test_a_contributor_is_told_no_number_about_their_work(site: Site, world: World) -> None:
    new_task(world)
    caller = world.people[Persona.CONTRIBUTOR]
    answer = site.call(world.tenant, "my_work.read", {}, caller).json()
    said = " ".join(str(answer[name]) for name in ("status", "changes", "ask"))
    assert not re.search(r"[0-9%]", said)
    assert {key for row in answer["timeline"] for key in row} <= {"entry", "at", "text"}
    assert not re.search(r"[0-9%]", " ".join(row["text"] for row in answer["timeline"]))


def test_a_contributor_reads_the_own_entries_only(site: Site, world: World) -> None:
    caller, admin = world.people[Persona.CONTRIBUTOR], world.people[Persona.ADMIN]
    site.call(world.tenant, "notes.add", {"text": "Mine."}, caller)
    site.call(world.tenant, "settings.change", {"name": "digest.hour", "number": 7}, admin)
    known = world.door.actor(caller)
    assert known is not None
    rows, before = [], None
    while True:
        answer = site.call(world.tenant, "my_work.read", {"limit": 2, "before": before}, caller).json()
        rows += answer["timeline"]
        before = answer["next_before"]
        if before is None:
            break
    with world.door.platform.unit_of_work(world.tenant, AUDITOR) as session:
        own = session.execute(
            text("SELECT seq FROM audit_entry WHERE actor = :me AND event <> 'data.read' ORDER BY seq DESC"),
            {"me": known[0].id},
        ).scalars().all()
    assert [row["entry"] for row in rows] == own
    assert rows[0]["text"] == "You added a note."


def test_a_note_is_read_by_its_author_and_the_people_of_its_department(site: Site, world: World) -> None:
    said = f"Only on Fridays {uuid4()}"
    done = site.call(world.tenant, "notes.add", {"text": f"  {said} "}, world.people[Persona.CONTRIBUTOR])
    assert (done.json()["text"], done.json()["mine"]) == (said, True)
    for persona, caller in world.people.items():
        answer = site.call(world.tenant, "notes.list", {}, caller)
        readers = {Persona.CONTRIBUTOR, Persona.OPERATOR, Persona.DEPT_LEAD}
        assert (said in answer.text) == (persona in readers), persona
    lead = site.call(world.tenant, "notes.list", {}, world.people[Persona.DEPT_LEAD]).json()["rows"][0]
    assert (lead["author"], lead["department"], lead["mine"]) == ("one contributor", "Claims", False)
    assert said not in site.call(world.tenant, "notes.list", {}, world.spare[Persona.CONTRIBUTOR]).text


@pytest.mark.parametrize(("payload", "field"), [
    ({"text": "   "}, "text"), ({"text": "x" * 2001}, "text"), ({"text": "a", "department": "billing"}, "department"),
    ({"text": "a", "department": "nowhere"}, "department"), ({"text": "a", "person_id": str(UUID(int=0))}, "person_id"),
])
def test_a_note_that_does_not_fit_is_refused_by_its_field(
    site: Site, world: World, chain: Watch, payload: dict[str, str], field: str
) -> None:
    here = chain(world.tenant)
    answer = site.call(world.tenant, "notes.add", payload, world.people[Persona.CONTRIBUTOR])
    assert answer.status_code == 422
    assert set(answer.json()["fields"]) == {field}
    assert here.new() == []


def test_a_note_that_was_taken_back_is_erased_and_anothers_looks_missing(
    site: Site, world: World, chain: Watch
) -> None:
    note = new_note(world)
    here, stranger = chain(world.tenant), world.spare[Persona.CONTRIBUTOR]
    out = site.call(world.tenant, "notes.withdraw", {"note_id": note}, stranger)
    (denied,) = here.new()
    missing = site.call(world.tenant, "notes.withdraw", {"note_id": str(uuid4())}, stranger)
    assert out.status_code == 404
    _same_but_for_the_request(out, missing)
    assert (denied.facts["event"], denied.facts["target"]) == (Event.SCOPE_DENIED, f"note:{note}")
    assert here.new() == []
    author = world.people[Persona.CONTRIBUTOR]
    assert site.call(world.tenant, "notes.withdraw", {"note_id": note}, author).status_code == 200
    again = site.call(world.tenant, "notes.withdraw", {"note_id": note}, author)
    _same_but_for_the_request(again, missing)
    (done,) = here.new()
    assert (done.facts["event"], done.facts["target"]) == (Event.NOTE_WITHDRAWN, f"note:{note}")


WITH_ID = [
    name for name in SIGNED_IN
    if name in PEOPLES and any(
        field.is_required() and (field.annotation is UUID or key == "seq")
        for key, field in REGISTRY[name].command.model_fields.items()
    )
]


@pytest.mark.parametrize("name", WITH_ID)
def test_a_row_of_another_tenant_answers_as_a_missing_one(
    name: str, site: Site, world: World, other: World, chain: Watch
) -> None:
    payload, caller = EXAMPLES[name].payload(other), _as(world, REGISTRY[name])
    kinds = REGISTRY[name].command.model_fields
    ids = {field: payload[field] for field in payload if kinds[field].annotation is UUID or field == "seq"}
    assert ids, "the example names no row"
    here, there = chain(world.tenant), chain(other.tenant)
    nowhere = {field: 10**12 if field == "seq" else str(uuid4()) for field in ids}
    missing = site.call(world.tenant, name, payload | nowhere, caller)
    assert missing.status_code == 404, missing.text
    if name not in {"audit.read", "audit.receipt"}:  # numbers of entries are counted from 1 in every tenant
        _same_but_for_the_request(site.call(world.tenant, name, payload, caller), missing)
    assert here.new() == there.new() == []


def test_the_answer_does_not_wait_for_the_audit_of_a_row_out_of_scope(site: Site, world: World, chain: Watch) -> None:
    """Else the time of the answer would tell it from a missing row: that one is written, the other is not."""
    hidden = str(new_task(world, "billing").task_id)
    here, held, release = chain(world.tenant), threading.Event(), threading.Event()

    def hold() -> None:
        with world.door.platform.unit_of_work(world.tenant, AUDITOR) as session:
            session.execute(text("SELECT audit_append('{}')"))
            held.set()
            release.wait(30)
            session.rollback()

    thread = threading.Thread(target=hold)
    thread.start()
    try:
        assert held.wait(15)
        answer = site.call(world.tenant, "tasks.read", {"task_id": hidden}, world.people[Persona.OPERATOR])
        assert answer.status_code == 404
        assert not release.is_set(), "answered while nothing can be written to the log"
    finally:
        release.set()
        thread.join()
    assert [entry.facts["target"] for entry in here.new()] == [f"task:{hidden}"]


@pytest.mark.parametrize("name", [name for name in SIGNED_IN if REGISTRY[name].by != ANYONE])
def test_a_person_refused_is_told_for_whom_it_is_and_whom_to_ask_and_nothing_else(
    name: str, site: Site, world: World
) -> None:
    spec = REGISTRY[name]
    persona = next(p for p in Persona if p not in spec.by)
    answer = site.call(world.tenant, name, EXAMPLES[name].payload(world), world.people[persona]).json()
    detail = f"{for_whom(spec.by)} If you need it, ask an admin of {world.tenant.info.name}."
    assert {key: answer[key] for key in ("status", "code", "detail", "fields")} == {
        "status": 403, "code": "wrong_persona", "detail": detail, "fields": {},
    }
    assert set(answer) <= {"status", "code", "detail", "fields", "request_id", "type", "title"}


REVIEWERS = _of(Persona.SECURITY_REVIEWER)


def test_a_security_reviewer_is_shown_no_row_of_any_work(
    world: World, door: Door, site: Site
) -> None:
    """By the database: of all scoped tables, only people, the audit log, jobs and the history of settings."""
    new_task(world)
    new_note(world)
    known = door.actor(world.people[Persona.SECURITY_REVIEWER])
    assert known is not None
    with door.platform.unit_of_work(world.tenant, known[0]) as session:
        tables = session.execute(text(
            "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'"
        )).scalars().all()
        seen = {t for t in tables if session.execute(text(f'SELECT 1 FROM "{t}" LIMIT 1')).first()}
    with door.platform.unit_of_work(world.tenant, AUDITOR) as session:
        work = session.execute(text(
            "SELECT c.relname FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relname IN"
            " ('source', 'import_run', 'seen_line', 'signal', 'observation', 'task', 'analysis', 'proposal',"
            "  'decision', 'person_note', 'spool_chunk', 'alarm')"
        )).scalars().all()
    assert len(work) == 12
    assert not seen & set(work)
    assert {"audit_entry", "person", "job"} <= seen, "what it reads is there"


@pytest.mark.parametrize("name", REVIEWERS)
def test_no_operation_open_to_a_security_reviewer_gives_what_was_observed(
    name: str, site: Site, world: World
) -> None:
    word = new_word()
    import_lines(world.door, world.admin, "claims", raw_lines(word))
    note = f"noted{uuid4()}"
    site.call(world.tenant, "notes.add", {"text": note}, world.people[Persona.CONTRIBUTOR])
    reviewer, spec = world.people[Persona.SECURITY_REVIEWER], REGISTRY[name]
    example = EXAMPLES[name]
    payload = example.payload(world)
    if example.caller is not None:  # what is only one's own, and the same for everybody
        caller = example.caller(world)
    else:
        caller = world.signed_in(Persona.SECURITY_REVIEWER) if example.own_session else reviewer
    answer = site.call(world.tenant, name, payload, caller)
    assert answer.status_code == 200, answer.text
    for planted in (f"unit{word}", f"step{word}", note, "disk full"):
        assert planted.encode() not in answer.content
    if spec.result is not FileResult:
        assert not {"summary", "template", "body"} & {n for n, _ in fields(spec.result)} - _summaries(spec.result)


def _summaries(kind: Any) -> set[str]:
    """The matrix tells what an operation does in a summary; that is no observation's."""
    return {"summary"} if kind is REGISTRY["access.matrix"].result else set()


#: One's own sessions and second factor.
OWN = {name for name in REVIEWERS if name.startswith(("sessions.", "factors."))}


def test_what_a_reviewer_may_run_changes_nothing_but_their_own_account() -> None:
    """It reads audit, settings, access, status and jobs, and proves the log; what it writes is its own account."""
    changes = {name for name in REVIEWERS if REGISTRY[name].event not in {Event.DATA_READ, None}}
    proofs = {
        "audit.begin_verification", "audit.checkpoint", "audit.export", "audit.export_events", "audit.receipt",
        "audit.rehearse", "audit.verify",
    }
    assert changes <= {"me.change", "passwords.change", *proofs, *OWN}
