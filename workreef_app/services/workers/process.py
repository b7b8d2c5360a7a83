"""A process, or a thread, that runs jobs of some queues, one at a time, and looks after the queue meanwhile."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import Final

from procrastinate.worker import Worker
from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert

from workreef_app.services.door import Door
from workreef_app.services.jobs.control_models import WorkerRow
from workreef_app.services.jobs.kinds import Queue
from workreef_app.services.workers.checkpointing import Checkpointer
from workreef_app.services.workers.queueing import Taken, make_app
from workreef_app.services.workers.reclaiming import HEARTBEAT_SECONDS, PACE_SECONDS, STALL_SECONDS, Reclaimer
from workreef_app.services.workers.scheduling import Scheduler

log = logging.getLogger("workreef.jobs")

POLL_SECONDS: Final = 2.0
SCHEDULE_SECONDS: Final = 15.0
LONGEST_PAUSE_SECONDS: Final = 10.0


class Crew:
    """One worker of a process: begun anew whenever the database was away, until it is told to stop."""

    def __init__(self, door: Door, queues: Sequence[Queue]) -> None:
        self._door = door
        self._queues = queues
        self._stop = threading.Event()
        self._stopped = asyncio.Event()
        self._loop = asyncio.get_running_loop()

    def stop(self) -> None:
        """Lets the running job go at its next step, takes no other, and ends. May be called from any thread."""
        self._stop.set()
        self._loop.call_soon_threadsafe(self._stopped.set)

    async def run(self) -> None:
        """Runs jobs until `stop`."""
        pause = 0.5
        while not self._stop.is_set():
            try:
                await self._once()
                pause = 0.5
            except Exception as error:  # the database went away; it is asked again until it answers
                log.warning("the queue does not answer", extra={"error": type(error).__name__})
                pause = min(2 * pause, LONGEST_PAUSE_SECONDS)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopped.wait(), pause)

    async def _once(self) -> None:
        taken = Taken()
        app = make_app(self._door, taken, self._stop.is_set)
        async with app.open_async():
            worker = Worker(
                app, queues=[queue.value for queue in self._queues], name=f"{socket.gethostname()}:{os.getpid()}",
                concurrency=1, install_signal_handlers=False, delete_jobs="successful",
                fetch_job_polling_interval=POLL_SECONDS, abort_job_polling_interval=POLL_SECONDS,
                update_heartbeat_interval=HEARTBEAT_SECONDS, stalled_worker_timeout=3 * STALL_SECONDS,
            )
            working = asyncio.create_task(worker.run())  # type: ignore[no-untyped-call]
            sides = [asyncio.create_task(self._keep(worker, Reclaimer(app, taken)))]
            if Queue.INTERACTIVE in self._queues:
                sides += [asyncio.create_task(self._schedule()), asyncio.create_task(self._checkpoint())]
            waiting = asyncio.create_task(self._stopped.wait())
            try:
                await asyncio.wait({working, waiting}, return_when=asyncio.FIRST_COMPLETED)
                worker.stop()  # type: ignore[no-untyped-call]
                # The heartbeat of procrastinate ends here, ours goes on until the job is let go.
                await working
            finally:
                for side in (waiting, *sides):
                    side.cancel()
                await asyncio.gather(waiting, *sides, return_exceptions=True)

    async def _keep(self, worker: Worker, reclaimer: Reclaimer) -> None:
        """Heartbeat, registration and reclaiming. What goes wrong here is tried again at the next turn."""
        registered: int | None = None
        while True:
            try:
                number = worker.worker_id
                if number is not None:
                    if number != registered:
                        await asyncio.to_thread(self._register, number)
                        registered = number
                    await worker.app.job_manager.update_heartbeat(number)
                await reclaimer.sweep(number)
            except Exception as error:
                log.warning("the queue was not looked after", extra={"error": type(error).__name__})
            await asyncio.sleep(PACE_SECONDS)

    def _register(self, number: int) -> None:
        """Tells the status page who works where, and forgets who works no more."""
        with self._door.platform.control.begin() as connection:
            for queue in self._queues:
                connection.execute(insert(WorkerRow).values(
                    id=number, queue=queue.value, host=socket.gethostname(), pid=os.getpid(),
                    started_at=datetime.now(UTC),
                ).on_conflict_do_nothing())
            connection.execute(text("DELETE FROM worker WHERE id NOT IN (SELECT id FROM procrastinate_workers)"))

    async def _schedule(self) -> None:
        scheduler = Scheduler(self._door)
        while True:
            try:
                await asyncio.to_thread(scheduler.tick, datetime.now(UTC))
            except Exception as error:
                log.warning("schedules were not looked after", extra={"error": type(error).__name__})
            await asyncio.sleep(SCHEDULE_SECONDS)

    async def _checkpoint(self) -> None:
        """Beside the schedules, which must not wait for what this sends."""
        checkpointer = Checkpointer(self._door)
        while True:
            try:
                await asyncio.to_thread(checkpointer.tick)
            except Exception as error:
                log.warning("checkpoints were not looked after", extra={"error": type(error).__name__})
            await asyncio.sleep(SCHEDULE_SECONDS)


async def work(door: Door, queues: Sequence[Queue], started: threading.Event, stop: list[Crew]) -> None:
    """Runs a crew in this loop; puts it in `stop` so that another thread can end it."""
    crew = Crew(door, queues)
    stop.append(crew)
    started.set()
    await crew.run()


@contextmanager
def helping(door: Door, queues: Sequence[Queue] = (Queue.BULK, Queue.INTERACTIVE)) -> Iterator[None]:
    """Runs jobs in a thread of this process for the length of the block, beside the workers there may be."""
    started, crews = threading.Event(), list[Crew]()
    thread = threading.Thread(target=lambda: asyncio.run(work(door, queues, started, crews)), name="helping")
    thread.start()
    started.wait()
    try:
        yield
    finally:
        crews[0].stop()
        thread.join()
