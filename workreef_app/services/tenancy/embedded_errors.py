"""What can go wrong with the embedded Postgres, said in one sentence with its cure.

What the server and its tools said word for word is in the log of the data directory, and never on the screen.
"""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Iterator
from pathlib import Path

_DISK_FULL = ("No space left on device", "Disk quota exceeded")
_IN_USE = ("pre-existing shared memory block", 'lock file "postmaster.pid"')
_NO_MEMORY = ("Cannot allocate memory", "could not create shared memory", "out of memory")
_FAULTS = ("PANIC:", "FATAL:", "error:")


class EmbeddedError(RuntimeError):
    """The embedded Postgres cannot be used; the text is one sentence that says why and what to do."""


@contextlib.contextmanager
def one_sentence(data_dir: Path) -> Iterator[None]:
    """Turn an error of the operating system into an `EmbeddedError`."""
    try:
        yield
    except OSError as fault:
        raise EmbeddedError(from_system(fault, data_dir)) from fault


def from_system(fault: OSError, data_dir: Path) -> str:
    """The sentence for an error of the operating system."""
    if fault.errno in (errno.ENOSPC, errno.EDQUOT):
        return no_space(data_dir)
    what = fault.filename or data_dir
    if fault.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return (
            f"The embedded Postgres may not use {what} ({fault.strerror}): "
            "give this user access to it, or choose another data directory."
        )
    return (
        f"The embedded Postgres in {data_dir} cannot be used ({what}: {fault.strerror}): "
        "mend that, or choose another data directory."
    )


def from_log(said: str, data_dir: Path, log: Path) -> str:
    """The sentence for a server or a tool that ended, from what it wrote (in English) into ``log``."""

    def has(words: tuple[str, ...]) -> bool:
        return any(word in said for word in words)

    if has(_DISK_FULL):
        return no_space(data_dir)
    if has(_IN_USE):
        return f"Another Postgres still uses {data_dir}: end its processes, then start again."
    if has(_NO_MEMORY):
        return "There is too little memory for Postgres: free some (about 200 MB), then start again."
    lines = [line.strip() for line in said.splitlines() if any(word in line for word in _FAULTS)]
    reason = lines[0].rstrip(".") if lines else "it ended without a word"
    return (
        f"Postgres did not start in {data_dir} ({reason}): "
        f"mend that, then start again; all that it said is in {log}."
    )


def no_space(data_dir: Path) -> str:
    """The sentence for a full disk; a new server takes about 60 MB, and its log of changes grows beyond."""
    return f"No space is left on the disk of {data_dir}: free at least 200 MB there, then start again."


def damaged(what: Path, data_dir: Path) -> str:
    """The sentence for a file that is missing or broken, and cannot be made again."""
    return f"{what} is missing or damaged: restore it, or move {data_dir} away to begin anew."
