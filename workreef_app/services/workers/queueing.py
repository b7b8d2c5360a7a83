"""The queue in one process: procrastinate on the control plane, with the one task that runs jobs by their pointers."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from procrastinate import App, BaseRetryStrategy, JobContext, PsycopgConnector, RetryDecision
from procrastinate.jobs import Job as Pointer
from procrastinate.jobs import Status
from procrastinate.manager import JobManager
from sqlalchemy import URL

from workreef_app.services.door import Door
from workreef_app.services.jobs.queue import TASK
from workreef_app.services.workers import running

APPLICATION: Final = "workreef-queue"


class BackToQueue(Exception):
    """Not a failure: the pointer is to be taken again later."""

    def __init__(self, delay: float) -> None:
        super().__init__("back to the queue")
        self.at = datetime.now(UTC) + timedelta(seconds=delay)


class OnlyWhenAsked(BaseRetryStrategy):
    """Puts back what asks for it. Attempts are counted in the job's row, apart from this."""

    def get_retry_decision(self, *, exception: BaseException, job: Pointer) -> RetryDecision | None:
        return RetryDecision(retry_at=exception.at) if isinstance(exception, BackToQueue) else None


class Taken:
    """Which pointers this process runs, by their numbers in the queue."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._numbers: set[int] = set()

    def add(self, number: int) -> None:
        with self._lock:
            self._numbers.add(number)

    def remove(self, number: int) -> None:
        with self._lock:
            self._numbers.discard(number)

    def __contains__(self, number: object) -> bool:
        with self._lock:
            return number in self._numbers


class OwnPointers(JobManager):
    """Ends and puts back only pointers that are still held by the worker they were taken by.

    Procrastinate ends a pointer by its number alone: a worker that was paused, and given up meanwhile, would take
    the job away from the one that runs it now.
    """

    async def finish_job(self, job: Pointer, status: Status, delete_job: bool) -> None:
        """Ends a pointer. Leaves it alone when it is another worker's by now."""
        await self._if_held(
            "procrastinate_finish_job_v1(id, CAST(%(end_status)s AS procrastinate_job_status), %(delete_job)s)",
            job, end_status=status.value, delete_job=delete_job,
        )

    async def retry_job(
        self, job: Pointer, retry_at: datetime | None = None, priority: int | None = None, queue: str | None = None,
        lock: str | None = None,
    ) -> None:
        """Puts a pointer back. Leaves it alone when it is another worker's by now."""
        await self._if_held(
            "procrastinate_retry_job_v2(id, CAST(%(retry_at)s AS timestamptz), NULL, NULL, NULL)",
            job, retry_at=retry_at or datetime.now(UTC),
        )

    async def _if_held(self, call: str, job: Pointer, **values: Any) -> None:
        await self.connector.execute_query_all_async(
            f"SELECT {call} FROM procrastinate_jobs"  # nosec B608: the calls are the two above
            " WHERE id = %(number)s AND status = 'doing' AND worker_id IS NOT DISTINCT FROM %(holder)s",
            number=job.id, holder=job.worker_id, **values,
        )


def conninfo(url: URL) -> str:
    """The control plane's address as libpq takes it."""
    return url.set(drivername="postgresql").render_as_string(hide_password=False)


def age(job_id: UUID) -> float:
    """Seconds since a UUIDv7 was made (RFC 9562, 5.7: its first 48 bits are milliseconds since 1970)."""
    return time.time() - (job_id.int >> 80) / 1000


def make_app(door: Door, taken: Taken, stopping: Callable[[], bool]) -> App:
    """The queue with its task. `stopping` says whether this process is to let its jobs go."""
    app = App(connector=PsycopgConnector(
        conninfo=conninfo(door.platform.url), min_size=1, max_size=4, kwargs={"application_name": APPLICATION},
    ))

    app.job_manager = OwnPointers(app.connector)

    @app.task(name=TASK, retry=OnlyWhenAsked(), pass_context=True)
    def run(context: JobContext, tenant: str, job: str) -> None:
        number, job_id = context.job.id or 0, UUID(job)
        taken.add(number)
        try:
            again = running.run(door, UUID(tenant), job_id, age(job_id), lambda: stopping() or context.should_abort())
        finally:
            taken.remove(number)
        if again is not None:
            raise BackToQueue(again.delay)

    return app
