"""What leaves of the platform's own audit chain: checkpoints, and its export with them."""

from __future__ import annotations

from typing import BinaryIO

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from workreef_app.services.audit import export, verify
from workreef_app.services.tenancy import platform_log
from workreef_app.services.tenancy.platform_log import PLATFORM_ID
from workreef_app.services.tenancy.signing import Signer


def checkpoint(control: Engine, signer: Signer) -> int:
    """Signs the log as it is now, unless its last checkpoint covers it; returns how many entries it has.

    Raises KeyUnavailable when the platform's key does not answer.
    """
    with Session(control) as session:
        at = platform_log.head(session)
        if at.seq and signer.kept(PLATFORM_ID) != at.seq:
            tree = verify.Tree()
            for _, content, _ in platform_log.entries(session, at.seq):
                tree.add(content.encode())
            note = signer.sign(PLATFORM_ID, at.seq, tree.root(), bytes(at.chain_hash))
            signer.keep(PLATFORM_ID, [(at.seq, note)])
        return at.seq


def write(control: Engine, signer: Signer, out: BinaryIO) -> export.ExportSummary:
    """Writes the export of the platform's log, as it was when its last checkpoint was made, to `out`."""
    last = checkpoint(control, signer)
    with Session(control) as session:
        return export.write_export(
            out, tenant_id=PLATFORM_ID, entries=platform_log.entries(session, last),
            checkpoints=signer.copies(PLATFORM_ID), keys=signer.keys(PLATFORM_ID),
        )
