"""A checkpoint of every log to which something was added, each minute."""

from __future__ import annotations

import logging
import time
from typing import Final

from uuid_utils.compat import uuid7

from workreef_app.services.door import Caller, Door

log = logging.getLogger("workreef.jobs")

SECONDS: Final = 60.0


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
        if not self._door.perform(caller, "audit.checkpoint_due", {}).due:
            return 0
        self._door.perform(caller, "audit.checkpoint", {})
        return 1
