"""The one door: every read or change, from a page, the API or the command line, passes `Door.perform`.

In this order: look up the session · rate-limit · validate · open the unit of work in the actor's scope · check the
persona · run · append the audit entry as the transaction's last statement · commit.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any
from uuid import UUID

from limits import parse
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from psycopg.errors import UniqueViolation
from pydantic import ValidationError
from sqlalchemy import text
from sqlalchemy.exc import DataError, IntegrityError
from sqlalchemy.orm import Session

from workreef_app.services import operations
from workreef_app.services.access import sessions
from workreef_app.services.access.people import contact
from workreef_app.services.access.wording import for_whom
from workreef_app.services.afterwards import Afterwards
from workreef_app.services.audit import log
from workreef_app.services.callers import Caller, JobClaim, automatic_actor
from workreef_app.services.operation import (
    REGISTRY,
    Actor,
    Command,
    Conflict,
    Event,
    Fact,
    Invalid,
    Limited,
    Locked,
    NoSession,
    NotFound,
    Operation,
    Persona,
    Refusal,
    Work,
    WrongPersona,
)
from workreef_app.services.tenancy.outage import Outage
from workreef_app.services.tenancy.platform import Platform
from workreef_app.services.vault.errors import KeyUnavailable

__all__ = ["Caller", "Door", "JobClaim", "validate"]

operations.load()


@dataclass(slots=True)
class Stage:
    """How far a call has come: `committing` once all is done but the commit of a change."""

    committing: bool = False


def utc_now() -> datetime:
    return datetime.now(UTC)


class Door:
    """Operations on one platform. `clock` gives the time of each call."""

    def __init__(self, platform: Platform, clock: Callable[[], datetime] = utc_now) -> None:
        self.platform = platform
        self.clock = clock
        #: Told, after the commit, which session has just ended, so that its open pages can be closed.
        self.on_session_end: Callable[[UUID], object] = lambda ended: None
        #: Since when the database has not answered this process.
        self.outage = Outage()
        #: Refusals of rows that look missing are audited here, after the answer.
        self.afterwards = Afterwards()
        self._limiter = MovingWindowRateLimiter(MemoryStorage())

    def close(self) -> None:
        """Waits for what is still to be written. Close the door before its platform."""
        self.afterwards.close()

    def actor(self, caller: Caller) -> tuple[Actor, datetime] | None:
        """Who calls, and when they were last active; None without a session that holds."""
        if caller.cli_user is not None:
            return Actor(id=f"cli:{caller.cli_user}", personas=frozenset({Persona.ADMIN})), self.clock()
        if caller.automatic:
            return automatic_actor(caller), self.clock()
        if caller.token is None:
            return None
        with self.platform.unit_of_work(caller.tenant, sessions.GATEKEEPER, keyless=True) as session:
            return sessions.resolve(session, caller.token, caller.host, self.clock())

    def perform(self, caller: Caller, name: str, payload: Mapping[str, Any] | Command) -> Any:
        """Runs one operation and returns its result. Raises a Refusal when it is not done.

        A database that does not answer is a refusal too: Unavailable, or OutcomeUnknown where the commit was begun.
        """
        stage = Stage()
        try:
            result = self._perform(caller, name, payload, stage)
        except Refusal:
            raise
        except Exception as error:
            refusal = self.outage.refusal(error, self.clock(), committing=stage.committing)
            if refusal is None:
                raise
            raise refusal from None
        self.outage.over(self.clock())
        return result

    def _perform(self, caller: Caller, name: str, payload: Mapping[str, Any] | Command, stage: Stage) -> Any:
        spec = REGISTRY.get(name)
        if spec is None:
            raise NotFound("operation", name)
        known = self.actor(caller)
        if known is None and not spec.public:
            raise NoSession("Sign in to go on.")
        actor, last_active = known or (sessions.GATEKEEPER, self.clock())
        if spec.public:
            actor = sessions.GATEKEEPER
        self._limit(spec, caller, actor)
        command = validate(spec, payload)
        try:
            result = self._run(spec, caller, actor, last_active, command, stage)
        except DataError:
            raise Invalid("A value is out of bounds.") from None
        except IntegrityError as error:
            if not isinstance(error.orig, UniqueViolation):
                raise
            raise Conflict("Somebody did the same at the same moment. Look again.") from None
        except KeyUnavailable:
            raise Locked("This tenant is locked: its key does not answer, so its data cannot be read.") from None
        except NotFound as missing:
            # A row out of scope must not be told from a missing one by how long the answer takes either.
            self.afterwards.do(partial(self._record_refusal, spec, caller, actor, missing))
            raise
        except Refusal as refusal:
            self._record_refusal(spec, caller, actor, refusal)
            raise
        if spec.event is Event.SESSION_ENDED and actor.session_id is not None:
            self.on_session_end(actor.session_id)
        return result

    def _limit(self, spec: Operation, caller: Caller, actor: Actor) -> None:
        if caller.trusted:
            return
        item = parse(spec.limit)
        key = (spec.name, caller.tenant.info.slug, caller.address if spec.public else actor.id)
        if not self._limiter.hit(item, *key):
            reset, _ = self._limiter.get_window_stats(item, *key)
            wait = max(1, math.ceil(reset - time.time()))
            raise Limited(f"Too many requests. Try again in {wait} seconds.", retry_after=wait)

    def _run(
        self, spec: Operation, caller: Caller, actor: Actor, last_active: datetime, command: Command, stage: Stage
    ) -> Any:
        fact = Fact()
        with self.platform.unit_of_work(caller.tenant, actor, keyless=spec.keyless) as session:
            work = self._work(session, caller, actor, fact)
            if not spec.allows(actor):
                raise WrongPersona(f"{for_whom(spec.by)} If you need it, ask {contact(work)}.")
            result = spec.run(work, command)
            if spec.event is not None:
                if actor.session_id is not None:
                    sessions.touch(session, actor.session_id, last_active, work.now)
                session.flush()
                self._append(session, spec, caller, fact.actor or actor, spec.event, fact)
            stage.committing = spec.event not in {None, Event.DATA_READ}
            return result

    def _work(self, session: Session, caller: Caller, actor: Actor, fact: Fact) -> Work:
        try:
            cipher = self.platform.keyring.cipher(caller.tenant.key)
        except KeyUnavailable:
            cipher = None

        def keyed(value: str) -> str:
            if cipher is None:
                raise KeyUnavailable("The tenant's key does not answer.")
            return cipher.index("audit_entry", "detail", value).hex()[:32]

        return Work(
            session=session, actor=actor, now=self.clock(), tenant=caller.tenant.info, request_id=caller.request_id,
            host=caller.host, unlocked=cipher is not None, keyed=keyed, fact=fact,
        )

    def _append(
        self, session: Session, spec: Operation, caller: Caller, actor: Actor, event: Event, fact: Fact
    ) -> None:
        log.append(session, log.content(
            at=self.clock(), actor=actor.id, persona=acting_persona(actor, spec), event=event, target=fact.target,
            department=fact.department, detail={"operation": spec.name, **fact.detail}, request=caller.request_id,
        ))

    def _record_refusal(self, spec: Operation, caller: Caller, actor: Actor, refusal: Refusal) -> None:
        """Audits a refusal that must be seen later, in a transaction of its own."""
        event, fact = refusal.event, Fact(detail=dict(refusal.facts))
        if event is None and not isinstance(refusal, NotFound):
            return
        with self.platform.unit_of_work(caller.tenant, actor, keyless=True) as session:
            if isinstance(refusal, NotFound):
                fact = _out_of_scope(session, refusal)
                event = Event.SCOPE_DENIED if fact.target else None
            elif isinstance(refusal, WrongPersona):
                fact.detail["reason"] = "persona"
            if event is not None:
                self._append(session, spec, caller, actor, event, fact)


def _out_of_scope(session: Session, refusal: NotFound) -> Fact:
    """What to audit about a missing row: nothing unless it exists outside the actor's scope."""
    kind, name = refusal.facts["kind"], refusal.facts["id"]
    if kind == "entry":
        query, row_id = "SELECT CAST(:id AS numeric) BETWEEN 1 AND seq FROM audit_head", name
    else:
        try:
            query, row_id = "SELECT row_exists(:kind, :id)", UUID(name)
        except ValueError:
            return Fact()
    exists = session.execute(text(query), {"kind": kind, "id": row_id}).scalar()
    return Fact(target=f"{kind}:{row_id}", detail={"reason": "scope"}) if exists else Fact()


def acting_persona(actor: Actor, spec: Operation) -> str | None:
    """The persona by which the operation is allowed; the first of the actor's where none allows it."""
    for candidates in (actor.personas & spec.by, actor.personas):
        for persona in Persona:
            if persona in candidates:
                return persona.value
    return None


def validate(spec: Operation, payload: Mapping[str, Any] | Command) -> Command:
    """The command, or Invalid naming each field at fault, never repeating what was sent."""
    if isinstance(payload, spec.command):
        return payload
    try:
        return spec.command.model_validate(payload)
    except ValidationError as error:
        fields = {
            ".".join(str(part) for part in item["loc"]) or "body": (
                "is not a known field" if item["type"] == "extra_forbidden" else item["msg"]
            )
            for item in error.errors(include_input=False, include_context=False, include_url=False)
        }
        raise Invalid(f"Not accepted: {', '.join(sorted(fields))}.", fields=fields) from None
