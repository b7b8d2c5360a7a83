"""Puts the HTTP application and the front layer around the pages, and opens the process's door while it serves."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, ExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

from uuid_utils.compat import uuid7

from workreef_app import settings
from workreef_app.http import app as http_app
from workreef_app.http import logs
from workreef_app.http.frontend import content_security_policy, script_hashes
from workreef_app.http.middleware import ASGIApp, Front, TabOwner
from workreef_app.services.access import ended
from workreef_app.services.door import Caller, Door
from workreef_app.services.posture import boot
from workreef_app.services.posture.watching import watched
from workreef_app.services.process import opened


@dataclass(frozen=True)
class Tabs:
    """The open tabs: closes those of a session that has ended, or looks at all, after word was missed."""

    close: Callable[[UUID], Coroutine[Any, Any, None]]
    look_again: Callable[[], Coroutine[Any, Any, None]]


def page_folders(directory: Path) -> frozenset[str]:
    """The paths of the built pages that are kept as a folder with an index."""
    return frozenset(
        f"/{index.parent.relative_to(directory).as_posix()}"
        for index in directory.rglob("index.html") if index.parent != directory
    )


class NotFit(Exception):
    """The configuration may not serve production; the text names every fault with its cure."""


def tell(door: Door, slug: str, operation: str, payload: dict[str, str]) -> None:
    """Performs an operation at a tenant, as the part of the system that watches."""
    door.perform(Caller(door.platform.tenant(slug), uuid7().hex, system="watch"), operation, payload)


@asynccontextmanager
async def lifespan(tabs: Tabs) -> AsyncIterator[None]:
    """Opens the door before the first request, and closes it in order after the last one."""
    logs.configure()
    loop = asyncio.get_running_loop()
    with ExitStack() as stack:
        door = await asyncio.to_thread(stack.enter_context, opened(settings.load(), prepare=False))
        faults = await asyncio.to_thread(boot.faults, door.platform.settings, door.platform)
        if faults:
            # However the server was started, it refuses what the command line refuses.
            raise NotFit(" ".join(f"{fault.wrong} {fault.cure}" for fault in faults))
        stack.enter_context(watched(door.platform, partial(tell, door), door.limits.limiter.degraded))
        stack.enter_context(ended.listening(
            door.platform.url, lambda one: asyncio.run_coroutine_threadsafe(tabs.close(one), loop),
            lambda: asyncio.run_coroutine_threadsafe(tabs.look_again(), loop),
        ))
        yield
        await asyncio.to_thread(stack.close)


def install(app: Any, tabs: Tabs) -> None:
    """Wires a Reflex app: the HTTP routes beside its pages, the door for its lifetime."""
    app.api_transformer = http_app.create()

    def door_open() -> AbstractAsyncContextManager[None]:
        return lifespan(tabs)

    app.register_lifespan_task(door_open)


def front(app: ASGIApp, tab_owner: TabOwner) -> ASGIApp:
    """The layer around everything, also around what the page framework puts around itself."""
    directory = Path(os.environ.get("REFLEX_WEB_WORKDIR", ".web")) / "build" / "client"
    policy = content_security_policy(script_hashes(directory))
    return Front(app, policy, tab_owner, page_folders(directory))
