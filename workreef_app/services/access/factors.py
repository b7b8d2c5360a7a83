"""The second factor: time-based codes (RFC 6238: SHA-1, six digits, thirty seconds) and recovery codes.

A code is accepted once: the time step of the newest one is kept under the row's lock, and no code of that step or an
older one counts again. Wrong codes are counted; after five the factor looks at none for a while, which grows up to a
quarter of an hour. Only somebody who knows the password gets that far, so that nobody else can keep its owner out.
"""

from __future__ import annotations

import math
import re
import secrets
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import pyotp
from sqlalchemy import delete, func, select, update
from sqlmodel import col
from uuid_utils.compat import uuid7

from workreef_app.services.access.models import Factor, RecoveryCode
from workreef_app.services.operation import CodeRefused, Work
from workreef_app.services.vault.columns import index

STEP: Final = 30
#: Codes of so many steps before and after the present one are taken, for clocks that differ.
DRIFT: Final = 1
RECOVERY_CODES: Final = 10
#: Wrong codes that cost nothing but the attempt.
FREE: Final = 5
FIRST_WAIT: Final = timedelta(seconds=30)
LONGEST_WAIT: Final = timedelta(minutes=15)
_ALPHABET: Final = "abcdefghjkmnpqrstuvwxyz23456789"


def matching_step(secret: str, code: str, now: datetime, last_step: int) -> int | None:
    """The time step whose code this is; None when it is none of now, or not newer than `last_step`."""
    generator, present = pyotp.TOTP(secret, interval=STEP), int(now.timestamp()) // STEP
    found = None
    for step in range(present - DRIFT, present + DRIFT + 1):
        if secrets.compare_digest(generator.generate_otp(step), code) and step > last_step:
            found = step
    return found


def wait(failures: int) -> timedelta:
    """How long no code is looked at after so many wrong ones in a row."""
    if failures < FREE:
        return timedelta(0)
    doubled: timedelta = FIRST_WAIT * 2 ** min(failures - FREE, 10)
    return min(doubled, LONGEST_WAIT)


def normalised(code: str) -> str:
    """A code as it is compared: without the spaces and hyphens that make it readable."""
    return re.sub(r"[\s-]+", "", code).lower()


def confirmed(work: Work, person_id: UUID) -> bool:
    """Whether the person has a second factor in force."""
    query = select(col(Factor.person_id)).where(
        col(Factor.person_id) == person_id, col(Factor.confirmed_at).is_not(None)
    )
    return work.session.scalars(query).first() is not None


def locked_row(work: Work, person_id: UUID) -> Factor | None:
    """The person's factor, confirmed or not, held until the transaction ends."""
    return work.session.scalars(
        select(Factor).where(col(Factor.person_id) == person_id).with_for_update()
        .execution_options(populate_existing=True)
    ).first()


def prove(work: Work, factor: Factor, code: str) -> str:
    """Uses a code up, and says which kind it was: `totp` or `recovery`. The row must be locked.

    Raises CodeRefused for a wrong one, and while none is looked at; the attempt is counted all the same.
    """
    if factor.blocked_until is not None and work.now < factor.blocked_until:
        seconds = math.ceil((factor.blocked_until - work.now).total_seconds())
        raise CodeRefused(f"Too many wrong codes. Try again in {seconds} seconds.", target=f"person:{factor.person_id}")
    given = normalised(code)
    step = matching_step(factor.secret, given, work.now, factor.last_step) if re.fullmatch("[0-9]{6}", given) else None
    if step is not None:
        factor.last_step, kind = step, "totp"
    elif _use_recovery_code(work, factor.person_id, given):
        kind = "recovery"
    else:
        factor.failures += 1
        factor.blocked_until = work.now + wait(factor.failures) if factor.failures >= FREE else None
        work.session.flush()
        raise CodeRefused("The code is wrong, or was used already.", target=f"person:{factor.person_id}")
    factor.failures, factor.blocked_until = 0, None
    work.session.flush()
    return kind


def _use_recovery_code(work: Work, person_id: UUID, code: str) -> bool:
    used = work.session.execute(
        update(RecoveryCode).where(
            col(RecoveryCode.person_id) == person_id, col(RecoveryCode.code_hash) == _hash(person_id, code),
            col(RecoveryCode.used_at).is_(None),
        ).values(used_at=work.now).returning(col(RecoveryCode.id))
    )
    return used.first() is not None


def _hash(person_id: UUID, code: str) -> bytes:
    return index("recovery_code", "code", f"{person_id} {code}")


def new_recovery_codes(work: Work, person_id: UUID) -> list[str]:
    """Ten new codes, shown once; those before are void."""
    work.session.execute(delete(RecoveryCode).where(col(RecoveryCode.person_id) == person_id))
    codes = ["-".join("".join(secrets.choice(_ALPHABET) for _ in range(4)) for _ in range(4))
             for _ in range(RECOVERY_CODES)]
    work.session.add_all(
        RecoveryCode(id=uuid7(), person_id=person_id, code_hash=_hash(person_id, normalised(code))) for code in codes
    )
    return codes


def codes_left(work: Work, person_id: UUID) -> int:
    """How many recovery codes a person has not used."""
    query = select(func.count()).where(col(RecoveryCode.person_id) == person_id, col(RecoveryCode.used_at).is_(None))
    return int(work.session.scalar(query) or 0)


def remove(work: Work, person_id: UUID) -> bool:
    """Takes a person's factor away, with its recovery codes; False where there was none."""
    work.session.execute(delete(RecoveryCode).where(col(RecoveryCode.person_id) == person_id))
    gone = work.session.execute(
        delete(Factor).where(col(Factor.person_id) == person_id).returning(col(Factor.person_id))
    )
    return gone.first() is not None
