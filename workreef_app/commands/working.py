"""`workreef worker`: a process that runs jobs of one queue until it is told to stop."""

from __future__ import annotations

import asyncio
import signal

from workreef_app.commands.frame import notes, open_door
from workreef_app.services.door import Door
from workreef_app.services.jobs.kinds import Queue
from workreef_app.services.workers.process import Crew


def work(queue: Queue) -> None:
    """Runs jobs until SIGTERM or Ctrl-C; the job under way is let go at its next step and goes on elsewhere."""
    with open_door() as door:
        notes.print(f"Working on the queue {queue.value}.")
        asyncio.run(_until_stopped(door, queue))
    notes.print("Stopped; no job is left behind.")


async def _until_stopped(door: Door, queue: Queue) -> None:
    crew = Crew(door, [queue])
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, crew.stop)
    await crew.run()
