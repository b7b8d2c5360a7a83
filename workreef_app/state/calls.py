"""Calling the door from a state handler: in a bounded thread pool, as the caller whom the guard found."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from functools import partial
from typing import Any

from workreef_app.services.door import Caller
from workreef_app.services.process import current

#: A blocking call in a handler would freeze every user; these many may wait for the database at once.
POOL = ThreadPoolExecutor(max_workers=16, thread_name_prefix="door")

#: Set by the guard for the one event that it let through.
CALLER: ContextVar[Caller] = ContextVar("workreef_caller")


async def in_pool(function: Any, *arguments: Any) -> Any:
    """Runs a blocking function in the pool."""
    return await asyncio.get_running_loop().run_in_executor(POOL, partial(function, *arguments))


async def perform(name: str, payload: dict[str, Any]) -> Any:
    """Runs an operation as the event's caller. Raises a Refusal when it is not done."""
    return await in_pool(current().perform, CALLER.get(), name, payload)
