"""A process of the product under the chaos harness: changes one after the other, each told once it is done."""

from __future__ import annotations

import itertools
import os
import signal
import sys
import threading
from types import FrameType

from workreef_app import settings
from workreef_app.services.door import Caller, Door
from workreef_app.services.operation import Conflict, DiskFull, OutcomeUnknown, Unavailable
from workreef_app.services.process import opened, refusal_of
from workreef_app.services.tenancy.platform import Tenant


def one(door: Door, admin: Caller, slug: str) -> str:
    """Makes a department; what came of it in a word."""
    try:
        door.perform(admin, "departments.create", {"slug": slug, "name": slug})
    except OutcomeUnknown:
        return "unknown"
    except Unavailable:
        return "away"
    except DiskFull:
        return "full"
    except Conflict:
        return "there"
    return "done"


def found(door: Door, slug: str) -> Tenant:
    """The tenant, as soon as the database answers: a writer may be begun while it is away."""
    while True:
        try:
            return door.platform.tenant(slug)
        except Exception as error:
            if not isinstance(refusal_of(error), Unavailable):
                raise
            threading.Event().wait(0.1)


def run(slug: str) -> None:
    """Writes until SIGTERM, which ends it in order."""
    with opened(settings.load(), prepare=False) as door:
        admin = Caller(found(door, slug), "chaos-writer", cli_user="writer")
        for number in itertools.count():
            name = f"w{os.getpid()}-{number}"
            print(one(door, admin, name), name, flush=True)


def _end(number: int, frame: FrameType | None) -> None:
    raise SystemExit(0)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, _end)
    run(sys.argv[1])
