"""Building the pages and serving them, for `workreef serve` and the demo alike."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from workreef_app.commands.frame import Failed
from workreef_app.http.frontend import BuildError, Pages, build
from workreef_app.http.server import Address, PortError, require_free_port, serve
from workreef_app.settings import Settings


@contextmanager
def _one_sentence() -> Iterator[None]:
    try:
        yield
    except (BuildError, PortError) as error:
        raise Failed(str(error)) from error


def need_port(settings: Settings, host: str) -> None:
    """Raises Failed if the port is taken or not allowed."""
    with _one_sentence():
        require_free_port(Address(settings.port, host))


def pages(settings: Settings, progress: Callable[[str], None]) -> Pages:
    """The built pages; exports them when the sources changed. Raises Failed."""
    with _one_sentence():
        return build(progress, port=settings.port, data_dir=settings.data_dir)


def run(settings: Settings, built: Pages, host: str) -> None:
    """Serves until SIGTERM or Ctrl-C, then ends in order. Raises Failed."""
    os.environ["WORKREEF_DATA_DIR"] = str(settings.data_dir)  # the workers' own; their working directory differs
    with _one_sentence():
        serve(Address(settings.port, host), built)
