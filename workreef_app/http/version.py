"""Which build of the pages runs, so that an open page can tell that it is of another one."""

from __future__ import annotations

import os
from pathlib import Path

from fastapi.responses import JSONResponse


def build_id() -> str:
    """The name of the build that this process serves; empty where it serves none."""
    return Path(os.environ.get("REFLEX_WEB_WORKDIR", "")).name


async def version_json() -> JSONResponse:
    """The build's name. It is a hash of sources that every page was made of, and tells nothing else."""
    return JSONResponse({"build": build_id()}, headers={"Cache-Control": "no-store"})
