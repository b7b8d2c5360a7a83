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
from workreef_app.services.process import opened


def policy() -> str:
    """The content policy of the pages that are being served."""
    return content_security_policy(script_hashes(Path(os.environ.get("REFLEX_WEB_WORKDIR", ".web"))))


@asynccontextmanager
async def lifespan() -> AsyncIterator[None]:
    """Opens the door before the first request, and closes it in order after the last one."""
    logs.configure()
    with ExitStack() as stack:
        await asyncio.to_thread(stack.enter_context, opened(settings.load(), prepare=False))
        yield
        await asyncio.to_thread(stack.close)


def install(app: Any, tab_owner: TabOwner) -> None:
    """Wires a Reflex app: routes beside its pages, the front layer around all, the door for its lifetime."""

    def front(pages: ASGIApp) -> ASGIApp:
        return Front(pages, policy(), tab_owner)

    app.api_transformer = [http_app.create(), front]
    app.register_lifespan_task(lifespan)
