"""Which account of the operating system the embedded Postgres runs under, and its way to the files.

Postgres refuses to run as root. Started by an ordinary user it runs as that user. Started by root it runs as
the owner of the data directory, or, where that is root, as the first of `ACCOUNTS` that exists: no account is
made.

That account must reach the server's files through directories that may be closed to it (``/root``, ``mktemp
-d``). It is given the right to pass through exactly those, and nothing else, by an entry of its own in their
access control list; the rights of everyone else stay as they are.
"""

from __future__ import annotations

import os
import pwd
import stat
import struct
from dataclasses import dataclass
from pathlib import Path

from workreef_app.services.tenancy.embedded_errors import EmbeddedError

ACCOUNTS = ("workreef", "postgres", "nobody")

_ACL = "system.posix_acl_access"
_USER_OBJ, _USER, _GROUP_OBJ, _GROUP, _MASK, _OTHER = 0x01, 0x02, 0x04, 0x08, 0x10, 0x20
_NO_ID = 0xFFFFFFFF
_ENTER = 1

AclEntry = tuple[int, int, int]
"""Tag, permission bits, user or group id: an entry of Linux's ``struct posix_acl_xattr_entry``."""


@dataclass(frozen=True)
class Account:
    """An account of the operating system."""

    name: str
    uid: int
    gid: int


def account_for(data_dir: Path) -> Account | None:
    """The account to run under, ``None`` for the caller's own. ``data_dir`` exists.

    Raises `EmbeddedError` when the directory belongs to another user, or no account will do.
    """
    caller, owner = os.geteuid(), data_dir.stat().st_uid
    if caller != 0:
        if owner != caller:
            who = _name(owner)
            raise EmbeddedError(
                f"{data_dir} belongs to {who}: run this as {who}, or choose another data directory."
            )
        _entry(caller)
        return None
    pgdata = data_dir / "pgdata"
    if pgdata.exists():
        owner = pgdata.stat().st_uid
    if owner != 0:
        return _account(_entry(owner))
    for name in ACCOUNTS:
        try:
            return _account(pwd.getpwnam(name))
        except KeyError:
            continue
    raise EmbeddedError(
        "Postgres refuses to run as root: make an account for it with `useradd --system workreef`."
    )


def let_read(folder: Path) -> None:
    """Let everyone read an installed package, which holds nothing secret (a umask of 077 closed it)."""
    for path in [folder, *folder.rglob("*")]:
        if not path.is_symlink():
            mode = path.stat().st_mode
            path.chmod(mode | (0o055 if mode & stat.S_IXUSR else 0o044))


def let_enter(directory: Path, account: Account) -> None:
    """Let ``account`` pass through ``directory`` and all above it, where it may not yet.

    Raises `EmbeddedError` naming the directory that cannot be opened, with the cure.
    """
    for folder in [directory, *directory.parents]:
        found = folder.stat()
        if found.st_mode & stat.S_IXOTH or found.st_uid == account.uid:
            continue
        try:
            _grant(folder, account.uid)
        except (OSError, AttributeError) as fault:  # no such lists on this file system, or not on this system
            raise EmbeddedError(
                f"Postgres refuses to run as root, and the account {account.name} may not enter {folder}: "
                f"run this as an ordinary user, or use directories outside {folder}."
            ) from fault


def with_entry(entries: list[AclEntry], uid: int) -> list[AclEntry]:
    """The list with the right to enter added for ``uid``, and the mask widened to let it count."""
    mine = next((bits for tag, bits, who in entries if (tag, who) == (_USER, uid)), 0) | _ENTER
    masked = {tag: bits for tag, bits, _ in entries}
    mask = masked.get(_MASK, masked[_GROUP_OBJ]) | _ENTER
    kept = [entry for entry in entries if entry[0] != _MASK and (entry[0], entry[2]) != (_USER, uid)]
    if _MASK in masked:  # widening must not give others what the old mask held back from them
        held = (_USER, _GROUP_OBJ, _GROUP)
        kept = [(tag, bits & masked[_MASK] if tag in held else bits, who) for tag, bits, who in kept]
    return sorted([*kept, (_USER, mine, uid), (_MASK, mask, _NO_ID)], key=lambda entry: (entry[0], entry[2]))


def _grant(folder: Path, uid: int) -> None:
    try:
        raw = os.getxattr(folder, _ACL)
        entries = [(tag, bits, who) for tag, bits, who in struct.iter_unpack("<HHI", raw[4:])]
    except OSError:  # none yet: the three entries that the mode stands for
        mode = folder.stat().st_mode
        parts = ((_USER_OBJ, mode >> 6), (_GROUP_OBJ, mode >> 3), (_OTHER, mode))
        entries = [(tag, bits & 7, _NO_ID) for tag, bits in parts]
    wanted = with_entry(entries, uid)
    if wanted != entries:
        packed = [struct.pack("<HHI", *entry) for entry in wanted]
        os.setxattr(folder, _ACL, struct.pack("<I", 2) + b"".join(packed))


def _account(entry: pwd.struct_passwd) -> Account:
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)


def _entry(uid: int) -> pwd.struct_passwd:
    try:
        return pwd.getpwuid(uid)
    except KeyError:
        raise EmbeddedError(
            f"There is no account with the user id {uid}, which Postgres insists on: add one with `useradd`."
        ) from None


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user id {uid}"
