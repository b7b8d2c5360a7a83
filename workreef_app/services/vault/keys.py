"""Key references (`local:name`, later the key services) and the providers behind them.

A provider wraps and unwraps data keys; it never gives out the key itself. The `local:` provider keeps one
256-bit key a file, for development and demonstrations: taking the file away is what revoking a key is elsewhere.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from workreef_app.services.vault.errors import KeyUnavailable

_LOCAL_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")


class KeyProvider(Protocol):
    """Wraps and unwraps data keys under a key that stays where it is."""

    def create(self) -> None:
        """Makes the key where the provider can; does nothing if it is there."""

    def wrap(self, plain: bytes, context: bytes) -> bytes:
        """`plain` wrapped, bound to `context`. Raises KeyUnavailable."""

    def unwrap(self, wrapped: bytes, context: bytes) -> bytes:
        """What was wrapped with the same context. Raises KeyUnavailable."""


class LocalKey:
    """A 256-bit key in a file of mode 0600."""

    def __init__(self, directory: Path, name: str) -> None:
        if not _LOCAL_NAME.fullmatch(name):
            raise KeyUnavailable(f"local:{name} is no name of a local key")
        self._path = directory / f"{name}.key"
        self._name = name

    def create(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            handle = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            return
        with os.fdopen(handle, "wb") as file:
            file.write(os.urandom(32))
            file.flush()
            os.fsync(file.fileno())

    def _key(self) -> AESGCM:
        try:
            return AESGCM(self._path.read_bytes())
        except (OSError, ValueError) as error:
            raise KeyUnavailable(f"The key local:{self._name} cannot be read ({type(error).__name__}).") from None

    def wrap(self, plain: bytes, context: bytes) -> bytes:
        nonce = os.urandom(12)
        return nonce + self._key().encrypt(nonce, plain, context)

    def unwrap(self, wrapped: bytes, context: bytes) -> bytes:
        try:
            return self._key().decrypt(wrapped[:12], wrapped[12:], context)
        except (InvalidTag, ValueError):
            raise KeyUnavailable(f"The key local:{self._name} did not wrap this data key.") from None


def provider(reference: str, keys_dir: Path) -> KeyProvider:
    """The provider of a key reference. Raises KeyUnavailable for a scheme that is not known."""
    scheme, _, name = reference.partition(":")
    if scheme == "local":
        return LocalKey(keys_dir, name)
    raise KeyUnavailable(f"{scheme or reference}: is no key service that this build can reach.")
