"""A checkpoint of every log to which something was added, each minute, and its way to the tenant's witnesses."""

from __future__ import annotations

import logging
import time
from typing import Final

from uuid_utils.compat import uuid7

from workreef_app.services.door import Caller, Door
from workreef_app.services.siem import sending as events
from workreef_app.services.witnesses import sending

log = logging.getLogger("workreef.jobs")

SECONDS: Final = 60.0
#: Batches of events that a tenant has pushed at its turn, so that a long log keeps nobody else waiting.
BATCHES: Final = 20


class Checkpointer:
    """Makes what is due for every tenant. Any number of processes may do so."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self._last = -SECONDS

    def tick(self) -> int:
        """Makes the checkpoints that are due, once a minute; how many. A tenant that fails is left out."""
        if time.monotonic() - self._last < SECONDS:
            return 0
        self._last, made = time.monotonic(), 0
        for row in self._door.platform.tenants():
            try:
                made += self._tenant(row.slug)
            except Exception as error:  # whatever is wrong with one tenant, the others have their checkpoints
                log.warning("a checkpoint waits", extra={"tenant": row.slug, "error": type(error).__name__})
        return made

    def _tenant(self, slug: str) -> int:
        caller = Caller(self._door.platform.tenant(slug), uuid7().hex, system="checkpoints")
        due: bool = self._door.perform(caller, "audit.checkpoint_due", {}).due
        if due:
            self._door.perform(caller, "audit.checkpoint", {})
        push(self._door, caller)
        feed(self._door, caller)
        return int(due)


def feed(door: Door, caller: Caller) -> None:
    """Pushes to the SIEM what it has not taken, batch after batch. What it refuses is sent again a minute later."""
    for _ in range(BATCHES):
        batch = door.perform(caller, "siem.next_batch", {})
        if batch.feed is None:
            return
        failure = events.send(batch.entries, batch.feed, door.clock()).failure
        door.perform(caller, "siem.record", {"upto": batch.upto, "failure": failure})
        if failure is not None:
            return


def push(door: Door, caller: Caller) -> None:
    """Hands the last checkpoint to each witness that is behind. What does not take it is tried again a minute later."""
    for behind in door.perform(caller, "witnesses.behind", {}).rows:
        outcome = sending.send(behind.parcel, behind.target, door.clock())
        door.perform(caller, "witnesses.record", {
            "witness_id": behind.witness_id, "size": behind.parcel.size, "failure": outcome.failure,
        })
