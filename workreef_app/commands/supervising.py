"""Keeping processes up beside the one that serves: the demo's workers."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import IO, Final

from workreef_app.services.jobs.kinds import Queue
from workreef_app.settings import Settings

LOG_FILE: Final = "workers.log"
STOP_SECONDS: Final = 30.0
FIRST_PAUSE_SECONDS: Final = 0.5
LONGEST_PAUSE_SECONDS: Final = 30.0
#: A process that ran so long is begun anew without delay when it ends.
STEADY_SECONDS: Final = 60.0
_PR_SET_PDEATHSIG: Final = 1
_libc = ctypes.CDLL(None, use_errno=True)


def die_with_parent() -> None:
    """Has the kernel end this process in order when the one that started it is gone, even killed (prctl(2))."""
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


class Child:
    """One process that is begun again whenever it ends, with growing pauses, until it is stopped."""

    def __init__(self, arguments: Sequence[str], environment: Mapping[str, str], log: IO[bytes]) -> None:
        self._arguments = list(arguments)
        self._environment = dict(environment)
        self._log = log
        self._stopping = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None
        # Started and waited for in one thread: the kernel counts the thread, not the process, as the parent.
        self._thread = threading.Thread(target=self._keep, name=f"child {arguments[-1]}", daemon=True)
        self._thread.start()

    def _keep(self) -> None:
        pause = FIRST_PAUSE_SECONDS
        while not self._stopping.is_set():
            began = time.monotonic()
            self._process = subprocess.Popen(
                self._arguments, env=self._environment, stdin=subprocess.DEVNULL, stdout=self._log, stderr=self._log,
                preexec_fn=die_with_parent, start_new_session=True,
            )
            if self._stopping.is_set():
                self._process.terminate()
            self._process.wait()
            pause = FIRST_PAUSE_SECONDS if time.monotonic() - began > STEADY_SECONDS else min(
                2 * pause, LONGEST_PAUSE_SECONDS
            )
            self._stopping.wait(pause)

    def stop(self) -> None:
        """Asks the process to end."""
        self._stopping.set()
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()

    def join(self) -> None:
        """Waits until it has ended; one that does not is killed, and its job is taken up by another worker."""
        self._thread.join(STOP_SECONDS)
        if self._thread.is_alive() and self._process is not None:
            self._process.kill()
            self._thread.join()


@contextmanager
def workers(settings: Settings) -> Iterator[None]:
    """One worker for each queue, as processes, for the length of the block; what they say is in `workers.log`."""
    environment = os.environ | {"WORKREEF_DATA_DIR": str(settings.data_dir.absolute())}
    with (settings.data_dir / LOG_FILE).open("wb") as file:
        children = [
            Child([sys.executable, "-m", "workreef_app.cli", "worker", "--queue", queue.value], environment, file)
            for queue in Queue
        ]
        try:
            yield
        finally:
            for child in children:
                child.stop()
            for child in children:
                child.join()
