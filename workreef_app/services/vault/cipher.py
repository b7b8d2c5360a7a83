"""Sealing values with AES-256-GCM, bound to tenant, table and column.

Sealed form: one format byte, the 16 bytes of the data key's id, a 12-byte nonce, ciphertext with its 16-byte tag.
AES-GCM as in NIST SP 800-38D with random nonces; a data key must therefore seal fewer than 2^32 values.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from dataclasses import dataclass, field
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from workreef_app.services.vault.errors import Unsealable

FORMAT = 1
HEADER = 1 + 16
NONCE = 12
TAG = 16
OVERHEAD = HEADER + NONCE + TAG
#: Bytes of an observation's summary before sealing; always exactly this many, so length tells nothing.
SUMMARY_BYTES = 240
SUMMARY_SEALED = SUMMARY_BYTES + OVERHEAD


def associated_data(*parts: str) -> bytes:
    """Length-prefixed concatenation, so that no two different lists of parts give the same bytes."""
    encoded = [part.encode() for part in parts]
    return b"".join(len(part).to_bytes(4, "big") + part for part in encoded)


def cut_summary(text: str) -> bytes:
    """At most 240 UTF-8 bytes of `text`, never cut within a character, padded with spaces to exactly 240."""
    raw = text.encode("utf-8", "replace")[:SUMMARY_BYTES]
    return raw.decode("utf-8", "ignore").encode().ljust(SUMMARY_BYTES)


@dataclass(frozen=True, slots=True)
class Cipher:
    """Seals and opens one tenant's values under one data key."""

    tenant_id: UUID
    key_id: UUID
    data_key: bytes = field(repr=False)

    def _aad(self, table: str, column: str) -> bytes:
        return associated_data(str(self.tenant_id), table, column)

    def seal(self, table: str, column: str, plain: bytes) -> bytes:
        """Sealed form of `plain` for this column."""
        nonce = os.urandom(NONCE)
        box = AESGCM(self.data_key).encrypt(nonce, plain, self._aad(table, column))
        return bytes([FORMAT]) + self.key_id.bytes + nonce + box

    def open(self, table: str, column: str, sealed: bytes) -> bytes:
        """The value. Raises Unsealable when it is not this tenant's value of this column, unchanged."""
        if len(sealed) < OVERHEAD or sealed[0] != FORMAT:
            raise Unsealable(f"{table}.{column} does not hold a sealed value")
        if sealed[1:HEADER] != self.key_id.bytes:
            raise Unsealable(f"{table}.{column} is sealed under another data key")
        nonce, box = sealed[HEADER : HEADER + NONCE], sealed[HEADER + NONCE :]
        try:
            return AESGCM(self.data_key).decrypt(nonce, box, self._aad(table, column))
        except InvalidTag:
            raise Unsealable(f"{table}.{column} does not open under this tenant's key") from None

    def index(self, table: str, column: str, value: str) -> bytes:
        """Keyed HMAC-SHA-256 by which a sealed value is looked up; equal values give equal bytes in one column."""
        key = hmac.digest(self.data_key, b"workreef/index/v1" + self._aad(table, column), hashlib.sha256)
        return hmac.digest(key, value.encode(), hashlib.sha256)
