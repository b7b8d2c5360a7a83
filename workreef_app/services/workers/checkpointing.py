"""A checkpoint of every log to which something was added, each minute, and its way to the tenant's witnesses."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
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
        self._last = time.monotonic()
        slugs = [row.slug for row in self._door.platform.tenants()]
        # All are signed before anything is sent: a place that answers slowly keeps no tenant from its checkpoint.
        made = sum(self._for(slug, checkpoint) for slug in slugs)
        for slug in slugs:
            self._for(slug, push)
            self._for(slug, feed)
        return made

    def _for(self, slug: str, step: Callable[[Door, Caller], int]) -> int:
        try:
            return step(self._door, Caller(self._door.platform.tenant(slug), uuid7().hex, system="checkpoints"))
        except Exception as error:  # whatever is wrong with one tenant, the others have their checkpoints
            log.warning("%s waits", step.__name__, extra={"tenant": slug, "error": type(error).__name__})
            return 0


def checkpoint(door: Door, caller: Caller) -> int:
    """Makes a checkpoint if one is due; how many it made."""
    if not door.perform(caller, "audit.checkpoint_due", {}).due:
        return 0
    door.perform(caller, "audit.checkpoint", {})
    return 1


def feed(door: Door, caller: Caller) -> int:
    """Pushes to the SIEM what it has not taken, batch after batch; how many batches it took.

    What it refuses is sent again a minute later.
    """
    for taken in range(BATCHES):
        batch = door.perform(caller, "siem.next_batch", {})
        if batch.feed is None:
            return taken
        failure = events.send(batch.entries, batch.feed, door.clock()).failure
        door.perform(caller, "siem.record", {"upto": batch.upto, "failure": failure})
        if failure is not None:
            return taken
    return BATCHES


def push(door: Door, caller: Caller) -> int:
    """Hands the last checkpoint to each witness that is behind; how many those were.

    What does not take it is tried again a minute later.
    """
    found = door.perform(caller, "witnesses.behind", {}).rows
    for behind in found:
        outcome = sending.send(behind.parcel, behind.target, door.clock())
        door.perform(caller, "witnesses.record", {
            "witness_id": behind.witness_id, "size": behind.parcel.size, "failure": outcome.failure,
        })
    return len(found)
