"""Watches what can fail while nobody looks, so that "since when" is known to within seconds."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Final

from workreef_app.services.alarms.kinds import AlarmKind
from workreef_app.services.jobs.kinds import Queue
from workreef_app.services.posture import degradation, looking
from workreef_app.services.posture.degradation import Look
from workreef_app.services.posture.status import Workers
from workreef_app.services.tenancy.errors import TenancyError
from workreef_app.services.tenancy.platform import Platform
from workreef_app.services.vault.errors import KeyUnavailable

log = logging.getLogger("workreef.status")

SECONDS: Final = 10.0
#: What is degraded for so long is worth an alarm; a worker that is started again is not.
LASTING: Final = timedelta(seconds=90)
#: Redis is back sooner where it is only started again: worth a note, and no alarm.
LIMITER_LASTING: Final = timedelta(seconds=10)
#: So many tenants' keys are asked at each turn, one after the other: a key service is not asked in bursts.
KEYS: Final = 10
KEY: Final = "key"
LIMITER: Final = "rate_limiter"


def component(queue: Queue) -> str:
    """The name under which the lack of workers of a queue is noted."""
    return f"worker_{queue.value}"


def looks(crews: Mapping[Queue, Workers]) -> dict[str, Look]:
    """What the workers' signs of life say."""
    return {component(queue): Look(not crew.alive, crew.last_sign) for queue, crew in crews.items()}


#: Performs an operation as the part of the system that watches: tenant's slug, operation, payload.
Tell = Callable[[str, str, dict[str, str]], object]


def never() -> bool:
    """Nothing is degraded."""
    return False


def nobody(slug: str, operation: str, payload: dict[str, str]) -> None:
    """Tells nobody."""


_UNREACHABLE = {"kind": AlarmKind.LIMITER_UNREACHABLE.value}


def _missing(queue: Queue) -> dict[str, str]:
    return {"kind": AlarmKind.WORKERS_MISSING.value, "subject": f"queue:{queue.value}"}


class Watch:
    """Looks again and again, and notes what is degraded. One a process; several processes may watch.

    `limiter` says whether this process counts calls by itself though it should not.

    What lasts is told to every tenant by an alarm, once over all processes, and so is its end.
    """

    def __init__(self, platform: Platform, tell: Tell = nobody, limiter: Callable[[], bool] = never) -> None:
        self._platform = platform
        self._tell = tell
        self._limiter = limiter
        self._turn = 0

    def look(self, now: datetime) -> None:
        """One look. Raises OperationalError when the control plane does not answer."""
        control = self._platform.control
        with control.connect() as connection:
            crews = looking.workers(connection, now)
        found = degradation.observe(control, looks(crews), now)
        lasting, over = found.lasting(LASTING), found.lasted(LASTING)
        for queue in Queue:
            if component(queue) in lasting:
                self._tell_all("alarms.raise", _missing(queue))
            elif component(queue) in over:
                self._tell_all("alarms.clear", _missing(queue))
        self._look_at_limiter(now)
        for slug in self._next_tenants():
            self._key(slug, now)

    def _look_at_limiter(self, now: datetime) -> None:
        found = degradation.observe(self._platform.control, {LIMITER: Look(self._limiter())}, now)
        if found.lasting(LIMITER_LASTING):
            self._tell_all("alarms.raise", _UNREACHABLE)
        elif found.lasted(LIMITER_LASTING):
            self._tell_all("alarms.clear", _UNREACHABLE)

    def _tell_all(self, operation: str, payload: dict[str, str]) -> None:
        for row in self._platform.tenants():
            try:
                self._tell(row.slug, operation, payload)
            except Exception as error:  # one tenant that does not answer keeps nothing from the others
                log.warning("a tenant was not told", extra={"tenant": row.slug, "error": type(error).__name__})

    def _next_tenants(self) -> Iterator[str]:
        slugs = [row.slug for row in self._platform.tenants()]
        begin = self._turn * KEYS % max(1, len(slugs))
        self._turn += 1
        return islice(iter([*slugs[begin:], *slugs[:begin]]), min(KEYS, len(slugs)))

    def _key(self, slug: str, now: datetime) -> None:
        try:
            tenant = self._platform.tenant(slug)
            dark = self._platform.locked(tenant)
        except (TenancyError, KeyUnavailable):
            return  # the tenant is gone, or it is the platform's own key that does not answer
        degradation.observe(self._platform.control, {KEY: Look(dark)}, now, tenant.info.id)

    def run(self, stop: threading.Event) -> None:
        """Looks until told to stop. A database that is away is asked again at the next turn."""
        while not stop.is_set():
            try:
                self.look(datetime.now(UTC))
            except Exception as error:  # whatever went wrong now may go well at the next turn
                log.warning("nobody could look", extra={"error": type(error).__name__})
            stop.wait(SECONDS)


@contextmanager
def watched(platform: Platform, tell: Tell = nobody, limiter: Callable[[], bool] = never) -> Iterator[None]:
    """Watches in a thread for the length of the block."""
    stop = threading.Event()
    thread = threading.Thread(target=Watch(platform, tell, limiter).run, args=(stop,), name="watch", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(SECONDS)
