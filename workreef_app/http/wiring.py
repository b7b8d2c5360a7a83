"""Puts the HTTP application and the front layer around the pages, and opens the process's door while it serves."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

from workreef_app import settings
from workreef_app.http import app as http_app
from workreef_app.http import logs
from workreef_app.http.frontend import content_security_policy, script_hashes
from workreef_app.http.middleware import ASGIApp, Front, TabOwner
from workreef_app.services.posture import boot
from workreef_app.services.process import opened


def page_folders(directory: Path) -> frozenset[str]:
    """The paths of the built pages that are kept as a folder with an index."""
    return frozenset(
        f"/{index.parent.relative_to(directory).as_posix()}"
        for index in directory.rglob("index.html") if index.parent != directory
    )


class NotFit(Exception):
    """The configuration may not serve production; the text names every fault with its cure."""


@asynccontextmanager
async def lifespan() -> AsyncIterator[None]:
    """Opens the door before the first request, and closes it in order after the last one."""
    logs.configure()
    with ExitStack() as stack:
        door = await asyncio.to_thread(stack.enter_context, opened(settings.load(), prepare=False))
        faults = await asyncio.to_thread(boot.faults, door.platform.settings, door.platform)
        if faults:
            # However the server was started, it refuses what the command line refuses.
            raise NotFit(" ".join(f"{fault.wrong} {fault.cure}" for fault in faults))
        yield
        await asyncio.to_thread(stack.close)


def install(app: Any) -> None:
    """Wires a Reflex app: the HTTP routes beside its pages, the door for its lifetime."""
    app.api_transformer = http_app.create()
    app.register_lifespan_task(lifespan)


def front(app: ASGIApp, tab_owner: TabOwner) -> ASGIApp:
    """The layer around everything, also around what the page framework puts around itself."""
    directory = Path(os.environ.get("REFLEX_WEB_WORKDIR", ".web")) / "build" / "client"
    policy = content_security_policy(script_hashes(directory))
    return Front(app, policy, tab_owner, page_folders(directory))
