"""Checkpoints as signed notes: C2SP signed-note with the body of tlog-checkpoint, signed with Ed25519.

    workreef/<tenant id>
    <how many entries>
    <the root of their tree, RFC 6962, base64>
    chain <the chain's hash after the last of them, hex>

    — workreef/<tenant id> <base64 of the key's id and the signature>

Reading and checking them is the affair of `verify.py`, the very file that customers run.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from workreef_app.services.audit.verify import Key


def origin(log_id: UUID) -> str:
    """The name of a log, which is that of the key that signs its checkpoints too."""
    return f"workreef/{log_id}"


def text(name: str, size: int, root: bytes, chain: bytes) -> bytes:
    """What is signed."""
    return f"{name}\n{size}\n{base64.b64encode(root).decode()}\nchain {chain.hex()}\n".encode()


def public_of(private: Ed25519PrivateKey) -> bytes:
    """The 32 bytes of the public half."""
    return private.public_key().public_bytes_raw()


def sign(private: Ed25519PrivateKey, name: str, signed: bytes) -> str:
    """The note: the text, a blank line, and a line with the signature of the key of this name."""
    packed = base64.b64encode(Key(name, public_of(private)).id + private.sign(signed)).decode()
    return f"{signed.decode()}\n— {name} {packed}\n"


def verifier_key(key: Key) -> str:
    """The key as C2SP writes it: name, id in hex, and the algorithm's byte and the key in base64."""
    return f"{key.name}+{key.id.hex()}+{base64.b64encode(bytes([1]) + key.public).decode()}"


def keys_json(keys: Iterable[Key]) -> str:
    """The contents of `keys.json`."""
    return json.dumps([
        {"name": key.name, "id": key.id.hex(), "algorithm": "ed25519", "public": base64.b64encode(key.public).decode()}
        for key in keys
    ], indent=1) + "\n"
