"""Data keys in use: unwrapped on demand, kept at most a minute, asked for once however many wait."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

from workreef_app.services.vault.cipher import Cipher, associated_data
from workreef_app.services.vault.keys import provider

#: A revoked key is dark everywhere within this many seconds.
HOLD_SECONDS = 60.0
CAPACITY = 256


@dataclass(frozen=True, slots=True)
class WrappedKey:
    """A tenant's data key as it is stored: wrapped by the key that `reference` names."""

    tenant_id: UUID
    key_id: UUID
    reference: str
    wrapped: bytes = field(repr=False)

    @property
    def context(self) -> bytes:
        return wrap_context(self.tenant_id, self.key_id)


def wrap_context(tenant_id: UUID, key_id: UUID) -> bytes:
    """What a wrapped data key is bound to."""
    return associated_data("workreef/data-key/v1", str(tenant_id), str(key_id))


@dataclass(slots=True)
class _Slot:
    lock: threading.Lock = field(default_factory=threading.Lock)
    cipher: Cipher | None = None
    fetched: float = 0.0


class Keyring:
    """Ciphers by tenant. Thread-safe, bounded, single-flight for each key."""

    def __init__(self, keys_dir: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self._keys_dir = keys_dir
        self._clock = clock
        self._slots: OrderedDict[tuple[UUID, UUID], _Slot] = OrderedDict()
        self._lock = threading.Lock()

    def _slot(self, key: tuple[UUID, UUID]) -> _Slot:
        with self._lock:
            slot = self._slots.setdefault(key, _Slot())
            self._slots.move_to_end(key)
            while len(self._slots) > CAPACITY:
                self._slots.popitem(last=False)
            return slot

    def cipher(self, key: WrappedKey) -> Cipher:
        """The tenant's cipher. Raises KeyUnavailable when the wrapping key does not answer."""
        slot = self._slot((key.tenant_id, key.key_id))
        with slot.lock:
            if slot.cipher is None or self._clock() - slot.fetched >= HOLD_SECONDS:
                slot.cipher = None
                data_key = provider(key.reference, self._keys_dir).unwrap(key.wrapped, key.context)
                slot.cipher = Cipher(key.tenant_id, key.key_id, data_key)
                slot.fetched = self._clock()
            return slot.cipher

    def purge(self, tenant_id: UUID | None = None) -> None:
        """Forgets a tenant's data keys, or all."""
        with self._lock:
            for key in [k for k in self._slots if tenant_id is None or k[0] == tenant_id]:
                del self._slots[key]
