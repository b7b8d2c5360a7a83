"""Where calls of the door come from."""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import UUID

from workreef_app.services.limiting.memory import Standing
from workreef_app.services.operation import Actor, Reach
from workreef_app.services.tenancy.platform import Tenant


@dataclass(frozen=True, slots=True)
class JobClaim:
    """A job that calls, and the number of the claim under which it runs; 0 to claim it."""

    job_id: UUID
    claim: int = 0


@dataclass(slots=True)
class Told:
    """What the door tells whoever answers the call, besides its result: how the caller stands with its limit."""

    standing: Standing | None = None


@dataclass(frozen=True, slots=True)
class Caller:
    """Where a call comes from, at one tenant: a browser's session token, a program's API token, a command line, a job,
    or a part of us.
    """

    tenant: Tenant
    request_id: str
    host: str = ""
    address: str = ""
    agent: str = field(default="", repr=False)
    token: str | None = field(default=None, repr=False)
    bearer: str | None = field(default=None, repr=False)
    cli_user: str | None = None
    job: JobClaim | None = None
    system: str | None = None
    told: Told = field(default_factory=Told, repr=False, compare=False)

    @property
    def trusted(self) -> bool:
        """Whether it holds the data directory's secrets itself, so that no limit is for it.

        A part of the system that gives an address acts for whoever is there: the limit is theirs.
        """
        return self.cli_user is not None or (self.automatic and not self.address)

    @property
    def automatic(self) -> bool:
        return self.job is not None or self.system is not None


#: What jobs may see: their operations are few and reviewed, and each runs for a tenant as a whole.
JOB_REACH = frozenset({Reach.ALL_WORK, Reach.PEOPLE})


def automatic_actor(caller: Caller) -> Actor:
    """A job, or a part of the system, as an actor."""
    if caller.job is None:
        return Actor(id=f"system:{caller.system}", extra_reach=JOB_REACH, automatic=True)
    job_id, claim = caller.job.job_id, caller.job.claim
    return Actor(id=f"job:{job_id}", extra_reach=JOB_REACH, automatic=True, job_id=job_id, claim=claim)
