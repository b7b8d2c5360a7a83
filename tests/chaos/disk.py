"""A disk of limited size: a tmpfs, mounted by the kernel's own calls; it takes root and leave to mount."""

from __future__ import annotations

import ctypes
import os
import tempfile
from pathlib import Path

_libc = ctypes.CDLL(None, use_errno=True)
_DETACH = 2  # MNT_DETACH: gone from the tree at once, from memory with its last user


def can_mount() -> bool:
    """Whether this process may mount a disk of limited size."""
    with tempfile.TemporaryDirectory(prefix="workreef-mount-") as name:
        try:
            mount(Path(name), 1)
        except OSError:
            return False
        unmount(Path(name))
        return True


def mount(place: Path, mib: int) -> None:
    """Puts an empty disk of this size in MiB at the directory. Raises OSError."""
    options = f"size={mib}m,mode=0755".encode()
    if _libc.mount(b"workreef-chaos", os.fsencode(place), b"tmpfs", 0, options):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), str(place))


def unmount(place: Path) -> None:
    """Takes the disk away with all that is on it."""
    _libc.umount2(os.fsencode(place), _DETACH)
