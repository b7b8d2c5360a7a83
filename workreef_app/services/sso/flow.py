"""A sign-in that is on its way: what the browser keeps of it meanwhile, sealed, and how it is begun."""

from __future__ import annotations

import hmac
import json
import os
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Final
from uuid import UUID

from authlib.oauth2.rfc7636 import create_s256_code_challenge
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from workreef_app.services.vault.cipher import NONCE, associated_data

LIFETIME: Final = timedelta(minutes=10)
LONGEST_COOKIE: Final = 4096
#: In bytes: a browser keeps no cookie of more than 4096.
LONGEST_PATH: Final = 1000
_LABEL: Final = "workreef/sign-on-flow/v1"


@dataclass(frozen=True, slots=True)
class Place:
    """Where the browser is: what a flow is sealed for, and under which secret."""

    tenant_id: UUID
    host: str
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Flow:
    """A sign-in that was begun. `begun` is in seconds since 1970; `then` is a path to go on to."""

    state: str = field(repr=False)
    nonce: str = field(repr=False)
    verifier: str = field(repr=False)
    issuer: str
    client_id: str
    then: str
    begun: int

    @property
    def begun_at(self) -> datetime:
        return datetime.fromtimestamp(self.begun, UTC)

    @property
    def challenge(self) -> str:
        """The S256 challenge of the verifier (RFC 7636)."""
        return str(create_s256_code_challenge(self.verifier))

    @property
    def state_hash(self) -> bytes:
        """By which a used flow is remembered. Plain SHA-256, since the state has 256 bits of its own."""
        return sha256(self.state.encode()).digest()

    def expired(self, now: datetime) -> bool:
        return not self.begun_at - timedelta(minutes=1) <= now < self.begun_at + LIFETIME

    def answers(self, state: str) -> bool:
        """Whether an answer with this state is an answer to this flow."""
        return hmac.compare_digest(state.encode("utf-8", "replace"), self.state.encode())


def begin(issuer: str, client_id: str, then: str, now: datetime) -> Flow:
    """A new flow, of chance alone."""
    return Flow(
        state=secrets.token_urlsafe(32), nonce=secrets.token_urlsafe(32), verifier=secrets.token_urlsafe(32),
        issuer=issuer, client_id=client_id, begun=int(now.timestamp()),
        then=then if len(then.encode("utf-8", "replace")) <= LONGEST_PATH else "",
    )


def _key(secret: str) -> AESGCM:
    return AESGCM(HKDF(hashes.SHA256(), 32, salt=None, info=_LABEL.encode()).derive(secret.encode()))


def _bound_to(place: Place) -> bytes:
    return associated_data(_LABEL, str(place.tenant_id), place.host)


def seal(flow: Flow, place: Place) -> str:
    """The cookie's value: AES-256-GCM, so that it can be neither read nor changed, nor used elsewhere."""
    nonce = os.urandom(NONCE)
    box = _key(place.secret).encrypt(nonce, json.dumps(asdict(flow), ensure_ascii=False).encode(), _bound_to(place))
    return urlsafe_b64encode(nonce + box).decode()


def unseal(value: str, place: Place) -> Flow | None:
    """The flow of a cookie; None for a changed one, and for another tenant's or host's."""
    if len(value) > LONGEST_COOKIE:
        return None
    try:
        raw = urlsafe_b64decode(value.encode("ascii"))
        plain = _key(place.secret).decrypt(raw[:NONCE], raw[NONCE:], _bound_to(place))
    except (ValueError, InvalidTag):
        return None
    return Flow(**json.loads(plain))
