"""Runs the built application with Granian: pages, events and HTTP on one origin.

Reflex's own production start (`reflex run --env prod`) compiles first and takes its own port decisions; this
does what its last step does. Two switches of Reflex that are not in its documentation are used, both
environment variables: one mounts the exported pages behind the HTTP routes, one skips the compile at start.
"""

from __future__ import annotations

import errno
import os
import socket
from dataclasses import dataclass

from granian import Granian
from granian.constants import Interfaces
from granian.log import LogLevels

from workreef_app.http.frontend import ROOT, Pages

TARGET = "workreef_app.workreef_app:serve"
MOUNT_PAGES = "__REFLEX_MOUNT_FRONTEND_COMPILED_APP"
SKIP_COMPILE = "__REFLEX_SKIP_COMPILE"
STOP_SECONDS = 10


class PortError(Exception):
    """The port cannot be listened on. The text is one sentence with the cure."""


@dataclass(frozen=True)
class Address:
    """Where to listen."""

    port: int
    host: str = "127.0.0.1"


def require_free_port(address: Address) -> None:
    """Raises PortError if the port is taken or not allowed. Call it before anything else is started."""
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address.host, address.port))
        except OSError as error:
            raise PortError(_port_sentence(address, error)) from error


def serve(address: Address, pages: Pages, *, workers: int = 1) -> None:
    """Serves until SIGTERM or SIGINT, then stops the workers in order and returns.

    Requests under way get up to ten seconds. The access log is off: the middleware writes ours.
    Raises PortError when the port is taken.
    """
    require_free_port(address)
    os.environ.update(
        {
            "WORKREEF_PORT": str(address.port),
            "REFLEX_ENV_MODE": "prod",
            "REFLEX_WEB_WORKDIR": str(pages.web_dir),
            "REFLEX_DIR": str(pages.web_dir.parents[1] / "reflex"),
            "REFLEX_TELEMETRY_ENABLED": "false",
            "REFLEX_CHECK_LATEST_VERSION": "0",
            MOUNT_PAGES: "true",
            SKIP_COMPILE: "true",
        }
    )
    os.chdir(ROOT)
    Granian(
        target=TARGET,
        factory=True,
        address=address.host,
        port=address.port,
        interface=Interfaces.ASGI,
        workers=workers,
        workers_kill_timeout=STOP_SECONDS,
        log_access=False,
        log_level=LogLevels.warning,
    ).serve()


def _port_sentence(address: Address, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"Port {address.port} is taken by another program; stop it or set WORKREEF_PORT to a free one."
    if error.errno == errno.EACCES:
        return f"Port {address.port} is not allowed to this user; set WORKREEF_PORT to 1024 or above."
    return f"Port {address.port} on {address.host} cannot be used ({error.strerror}); set WORKREEF_PORT to another."
