"""Handing a checkpoint to a witness. Files and network only: no database, no transaction.

What a witness has once taken is never written over: a folder's file is made anew or not at all, and S3 keeps every
version until the end of its lock.
"""

from __future__ import annotations

import base64
import hashlib
import os
import re
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from workreef_app.services.alarms.letters import SIGNATURE, signature
from workreef_app.services.outbound import calls
from workreef_app.services.outbound.policy import Client, Failure, HttpRequest, Outcome, Policy
from workreef_app.services.witnesses.models import WitnessKind

#: A folder's name beneath the directory of witnesses.
FOLDER: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
#: How long S3 is asked to keep a checkpoint from being deleted, by anybody.
LOCKED: Final = timedelta(days=400)
PUSH: Final = Policy(idempotent=True, body_limit=0, connect=3.0, read=5.0, total=12.0)


@dataclass(frozen=True, slots=True)
class Parcel:
    """A checkpoint on its way: the log's name, how many entries it covers, and the signed note."""

    log: str
    size: int
    note: str

    @property
    def name(self) -> str:
        return f"{self.log.rpartition('/')[2]}/{self.size}.txt"


@dataclass(frozen=True, slots=True)
class Target:
    """A witness as it is reached. `root` is the directory of witnesses; `public_only` as in `Policy`."""

    kind: WitnessKind
    target: str = field(repr=False)
    secret: dict[str, Any] = field(repr=False)
    root: Path
    public_only: bool


def send(parcel: Parcel, to: Target, now: datetime, client: Client | None = None) -> Outcome:
    """Hands the checkpoint over. Every failure is in the outcome."""
    if to.kind is WitnessKind.FOLDER:
        return _write(parcel, to)
    request = webhook(parcel, to, now) if to.kind is WitnessKind.WEBHOOK else put(parcel, to, now)
    return calls.call(request, replace(PUSH, public_only=to.public_only), client=client)


def _write(parcel: Parcel, to: Target) -> Outcome:
    """A file of its own for each checkpoint, on disk before it counts."""
    if not FOLDER.fullmatch(to.target):
        return Outcome(Failure.INVALID, attempts=0)
    path = to.root / to.target / parcel.name
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o444)
        except FileExistsError:
            same = path.read_text("utf-8") == parcel.note
            return Outcome(None if same else Failure.REFUSED)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(parcel.note)
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        return Outcome(Failure.UNAVAILABLE)
    return Outcome()


def webhook(parcel: Parcel, to: Target, now: datetime) -> HttpRequest:
    """The call that hands a checkpoint to a webhook, signed as alarms are."""
    body = parcel.note.encode()
    return HttpRequest("POST", to.target, {
        "Content-Type": "text/plain; charset=utf-8", "Idempotency-Key": f"{parcel.log}-{parcel.size}",
        SIGNATURE: signature(to.secret["secret"], body, now),
    }, body)


def put(parcel: Parcel, to: Target, now: datetime) -> HttpRequest:
    """The call that puts a checkpoint into a bucket with S3 Object Lock, in compliance mode (Signature Version 4)."""
    body, secret = parcel.note.encode(), to.secret
    endpoint = secret.get("endpoint") or f"https://s3.{secret['region']}.amazonaws.com"
    request = AWSRequest("PUT", f"{endpoint}/{quote(to.target)}/{quote(parcel.name)}", data=body, headers={
        "Content-Type": "text/plain; charset=utf-8",
        "Content-MD5": base64.b64encode(hashlib.md5(body, usedforsecurity=False).digest()).decode(),
        "x-amz-object-lock-mode": "COMPLIANCE",
        "x-amz-object-lock-retain-until-date": (now + LOCKED).strftime("%Y-%m-%dT%H:%M:%SZ"),
    })
    S3SigV4Auth(Credentials(secret["access_key"], secret["secret_key"]), "s3", secret["region"]).add_auth(request)
    return HttpRequest("PUT", request.url, dict(request.headers.items()), body)
