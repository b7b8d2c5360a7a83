"""Bare procrastinate for `benchmarks.jobs`: a queue of its own on the same server, with a task that does nothing."""

from __future__ import annotations

import asyncio
import time

from procrastinate import App, PsycopgConnector
from procrastinate.types import JSONValue

from workreef_app.services.door import Door
from workreef_app.services.tenancy import server
from workreef_app.services.workers.queueing import conninfo

DATABASE = "bench_bare"
TASK = "nothing"


class Tally:
    """When the bodies ran. `done` is set, in the loop of the worker, with the last of them."""

    def __init__(self, count: int) -> None:
        self.done = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._count = count
        self._times: list[float] = []

    def add(self) -> None:
        self._times.append(time.perf_counter())
        if len(self._times) == self._count:
            self._loop.call_soon_threadsafe(self.done.set)

    def rate(self) -> float:
        """Bodies a second."""
        return (len(self._times) - 1) / (self._times[-1] - self._times[0])


def bare_app(door: Door) -> App:
    """Procrastinate as it comes, on a database of its own."""
    return App(connector=PsycopgConnector(conninfo=conninfo(door.platform.url.set(database=DATABASE))))


async def work_bare(door: Door, count: int) -> float:
    """Runs so many bare tasks; tasks a second."""
    tally, app = Tally(count), bare_app(door)

    @app.task(name=TASK)
    def nothing(number: int) -> None:
        tally.add()

    async with app.open_async():
        running = asyncio.create_task(app.run_worker_async(
            concurrency=1, delete_jobs="successful", install_signal_handlers=False,
        ))
        await tally.done.wait()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    return tally.rate()


async def fill_bare(door: Door, count: int) -> None:
    """Puts so many tasks in the bare queue."""
    app = bare_app(door)
    numbers: list[dict[str, JSONValue]] = [{"number": number} for number in range(count)]
    async with app.open_async():
        await app.configure_task(TASK, allow_unknown=True).batch_defer_async(*numbers)


async def make_bare(door: Door) -> None:
    """The bare queue's database and schema."""
    with server.admin(door.platform.url) as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {DATABASE}")
    app = bare_app(door)
    async with app.open_async():
        await app.schema_manager.apply_schema_async()
