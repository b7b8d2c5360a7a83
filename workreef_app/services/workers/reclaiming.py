"""Giving back to the queue what a worker holds and does not run: it died, or could not say how a job ended."""

from __future__ import annotations

import logging
from typing import Final

from procrastinate import App
from procrastinate.jobs import Job as Pointer

from workreef_app.services.jobs.queue import TASK
from workreef_app.services.workers.queueing import Taken

log = logging.getLogger("workreef.jobs")

HEARTBEAT_SECONDS: Final = 5.0
#: Without a heartbeat for so long a worker counts as dead. With the pace below, its job runs again within 30 seconds.
STALL_SECONDS: Final = 20.0
PACE_SECONDS: Final = 5.0


class Reclaimer:
    """Looks after the queue from one worker."""

    def __init__(self, app: App, taken: Taken) -> None:
        self._app = app
        self._taken = taken
        self._suspects: frozenset[int] = frozenset()

    async def sweep(self, worker_id: int | None) -> list[int]:
        """Returns pointers of dead workers, and our own that we do not run, to the queue; their numbers."""
        manager = self._app.job_manager
        returned = []
        for pointer in [
            *await manager.get_stalled_jobs(task_name=TASK, seconds_since_heartbeat=STALL_SECONDS),
            *await self._forgotten(worker_id),
        ]:
            await manager.retry_job(pointer)
            log.warning("a job is taken back", extra={"pointer": pointer.id, "worker": pointer.worker_id})
            returned.append(pointer.id or 0)
        await manager.prune_stalled_workers(seconds_since_heartbeat=3 * STALL_SECONDS)
        return returned

    async def _forgotten(self, worker_id: int | None) -> list[Pointer]:
        """Pointers in our name that we did not run at this look nor at the one before.

        Their end could not be written down while the database was away.
        """
        ours = [
            pointer for pointer in await self._app.job_manager.list_jobs_async(
                task=TASK, status="doing", worker_id=worker_id
            ) if pointer.id not in self._taken
        ] if worker_id is not None else []
        before, self._suspects = self._suspects, frozenset(pointer.id or 0 for pointer in ours)
        return [pointer for pointer in ours if pointer.id in before]
