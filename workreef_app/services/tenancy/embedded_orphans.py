"""What a killed Postgres leaves at work: its first process is dead, and a backend is busy and has not noticed.

Idle backends end by themselves within milliseconds. A busy one goes on until it next waits for something, and no
new server may start meanwhile: it still holds the shared memory, and `server.lock`.
"""

from __future__ import annotations

import contextlib
import os
import signal
from pathlib import Path

from workreef_app.services.tenancy.embedded_files import Place, is_server

_PATIENCE, _MORE_PATIENCE = 0.5, 2.0
_TITLE = b"postgres: "


def end_orphans(place: Place, waited: float) -> None:
    """Ends the backends that outlived their server, which has been dead for ``waited`` seconds.

    Nothing is lost by it: what they had not committed has nobody left to commit it.
    """
    if waited < _PATIENCE:
        return
    for pid in [pid for pid in _processes() if _is_orphan(pid, place.pgdata)]:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGQUIT if waited < _MORE_PATIENCE else signal.SIGKILL)


def _processes() -> list[int]:
    """All processes; none where there is no ``/proc`` (macOS), and there a busy backend is waited for."""
    try:
        return [int(name) for name in os.listdir("/proc") if name.isdecimal()]
    except OSError:
        return []


def _is_orphan(pid: int, pgdata: Path) -> bool:
    process = Path(f"/proc/{pid}")
    try:
        if not (process / "cmdline").read_bytes().startswith(_TITLE) or not is_server(pid, pgdata):
            return False
        # The name comes in brackets and may hold anything; state and parent follow it.
        parent = int((process / "stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return False
    return not is_server(parent, pgdata)
