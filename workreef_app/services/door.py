"""The one door: every read or change, from a page, the API or the command line, passes `Door.perform`.

In this order: look up the session · rate-limit · validate · open the unit of work in the actor's scope · check the
persona · run · append the audit entry as the transaction's last statement · commit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any
from uuid import UUID

from psycopg.errors import UniqueViolation
from sqlalchemy.exc import DataError, IntegrityError
from sqlalchemy.orm import Session

from workreef_app.services import operations
from workreef_app.services.access import sessions, tokens
from workreef_app.services.access.people import contact
from workreef_app.services.access.wording import for_whom
from workreef_app.services.afterwards import Afterwards
from workreef_app.services.audit import log
from workreef_app.services.callers import Caller, JobClaim, automatic_actor
from workreef_app.services.limits import Limits
from workreef_app.services.operation import (
    REGISTRY,
    Actor,
    Command,
    Conflict,
    Event,
    Fact,
    FactorRequired,
    Invalid,
    Later,
    Locked,
    NoSession,
    NotFound,
    Operation,
    Persona,
    Refusal,
    SignInAgain,
    TokenRefused,
    TokenScope,
    Work,
    WrongPersona,
)
from workreef_app.services.tenancy.outage import Outage
from workreef_app.services.tenancy.platform import Platform
from workreef_app.services.validating import acting_persona, out_of_scope, validate
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
        #: Since when the database has not answered this process.
        self.outage = Outage()
        #: Refusals of rows that look missing are audited here, after the answer.
        self.afterwards = Afterwards()
        self.limits = Limits(platform.settings)

    def close(self) -> None:
        """Waits for what is still to be written. Close the door before its platform."""
        self.afterwards.close()
        self.limits.limiter.close()

    def actor(self, caller: Caller) -> tuple[Actor, datetime] | None:
        """Who calls, and when they were last active; None without a session that holds."""
        if caller.cli_user is not None:
            return Actor(id=f"cli:{caller.cli_user}", personas=frozenset({Persona.ADMIN})), self.clock()
        if caller.automatic:
            return automatic_actor(caller), self.clock()
        if caller.token is None and not tokens.well_formed(caller.bearer or ""):
            return None
        with self.platform.unit_of_work(caller.tenant, sessions.GATEKEEPER, keyless=True) as session:
            if caller.bearer is not None:
                return tokens.resolve(session, caller.bearer, self.clock())
            return sessions.resolve(session, caller.token or "", caller.host, self.clock())

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
        caller.told.standing = None
        spec = REGISTRY.get(name)
        if spec is None:
            raise NotFound("operation", name)
        known = self.actor(caller)
        if known is None and caller.bearer is not None:
            self.limits.of_token(caller)
            raise TokenRefused
        if known is None and not spec.public:
            raise NoSession("Sign in to go on.")
        actor, last_active = known or (sessions.GATEKEEPER, self.clock())
        if spec.public and caller.bearer is None:
            actor = sessions.GATEKEEPER
        self.limits.of_call(spec, caller, actor)
        command = validate(spec, payload)
        account = self.limits.of_account(spec, caller, command)
        try:
            had = known[0].session_id if known else None
            result, follow = self._run(spec, caller, actor, last_active, command, stage, had)
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
            if not refusal.kept:
                self._record_refusal(spec, caller, actor, refusal)
            raise
        self.limits.succeeded(account)
        for step in follow:
            step()
        return result.fetch() if isinstance(result, Later) else result

    def _prove(self, spec: Operation, caller: Caller, actor: Actor) -> None:
        """Refuses an admin without the second factor that production asks for, and what wants a fresh proof."""
        if not spec.enrolling and sessions.must_enrol(actor, production=self.platform.settings.production):
            raise FactorRequired("Set up a second factor first: here, admins sign in with one. It is under Account.")
        if spec.fresh and not caller.trusted and not sessions.fresh(actor, self.clock()):
            raise SignInAgain("Prove who you are once more, then do it again.")

    def _run(
        self, spec: Operation, caller: Caller, actor: Actor, last_active: datetime, command: Command, stage: Stage,
        browser_session: UUID | None,
    ) -> tuple[Any, list[Callable[[], object]]]:
        """The operation's result, and what is to follow the commit."""
        fact, refused, result = Fact(), None, None
        with self.platform.unit_of_work(caller.tenant, actor, keyless=spec.keyless) as session:
            work = self._work(session, caller, actor, fact, browser_session)
            if actor.operations is not None and spec.name not in actor.operations:
                raise TokenScope("This API token does not list this operation.")
            if not spec.allows(actor):
                raise WrongPersona(f"{for_whom(spec.by)} If you need it, ask {contact(work)}.")
            self._prove(spec, caller, actor)
            try:
                result = spec.run(work, command)
            except Refusal as refusal:
                if not refusal.kept or refusal.event is None:
                    raise
                refused = refusal
                fact.target, fact.detail = refusal.facts.get("target"), _detail(refusal)
                self._append(session, spec, caller, fact.actor or actor, refusal.event, fact)
            if actor.token_id is not None:
                tokens.touch(session, actor.token_id, last_active, work.now)
            if refused is None and spec.event is not None:
                if actor.session_id is not None:
                    sessions.touch(session, actor.session_id, last_active, work.now)
                session.flush()
                self._append(session, spec, caller, fact.actor or actor, spec.event, fact)
            stage.committing = spec.event not in {None, Event.DATA_READ}
        if refused is not None:
            raise refused
        return result, work.afterwards

    def _work(
        self, session: Session, caller: Caller, actor: Actor, fact: Fact, browser_session: UUID | None
    ) -> Work:
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
            address=caller.address, agent=caller.agent, browser_session=browser_session,
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
        event, fact = refusal.event, Fact(target=refusal.facts.get("target"), detail=_detail(refusal))
        if event is None and not isinstance(refusal, NotFound):
            return
        with self.platform.unit_of_work(caller.tenant, actor, keyless=True) as session:
            if isinstance(refusal, NotFound):
                fact = out_of_scope(session, refusal)
                event = Event.SCOPE_DENIED if fact.target else None
            elif isinstance(refusal, WrongPersona | TokenScope):
                fact.detail["reason"] = "persona" if isinstance(refusal, WrongPersona) else "token"
            if event is not None:
                self._append(session, spec, caller, actor, event, fact)


def _detail(refusal: Refusal) -> dict[str, Any]:
    return {name: value for name, value in refusal.facts.items() if name != "target"}
