"""When a call is tried again, and after how long. The arithmetic is plain; tenacity runs the attempts."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from random import Random
from typing import Final

from tenacity import RetryCallState, Retrying, retry_if_result

from workreef_app.services.outbound.policy import PASSING, Client, Failure, Outcome, Policy

#: A longer wait that the other side asks for is taken as this one, in seconds.
LONGEST_ASKED: Final = 86400.0
_SECONDS = re.compile(r"[0-9]+\Z", re.ASCII)


def backoff(attempt: int, policy: Policy, chance: Random) -> float:
    """Seconds before the attempt that follows `attempt` failed ones: exponential, with full jitter."""
    longest = min(policy.longest_wait, policy.first_wait * 2.0 ** min(attempt - 1, 64))
    return chance.random() * longest


def retry_after(value: str | None, now: datetime) -> float | None:
    """Seconds that a Retry-After header asks to wait: a number or a date, 0 to a day. None for what is neither."""
    text = (value or "").strip()
    if _SECONDS.match(text):
        return min(float(text[:12]), LONGEST_ASKED)
    try:
        at = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        return None
    if at.tzinfo is None:
        at = at.replace(tzinfo=UTC)
    return min(max((at - now).total_seconds(), 0.0), LONGEST_ASKED)


@dataclass(frozen=True, slots=True)
class Try:
    """One attempt. `sent` says whether any of what has an effect may have reached the other side."""

    outcome: Outcome
    sent: bool


def again(failure: Failure | None, *, sent: bool, idempotent: bool) -> bool:
    """Whether another attempt is allowed: what is not idempotent only if surely nothing was sent."""
    return failure in PASSING and (idempotent or not sent)


def maybe_done(found: Try) -> bool:
    """Whether a failed attempt may have had its effect: it was sent, and no answer said that it was not done."""
    answered_no = found.outcome.failure in {Failure.REFUSED, Failure.THROTTLED, Failure.REDIRECT, Failure.RECIPIENT}
    return found.sent and not found.outcome.ok and not answered_no


def run(
    attempt: Callable[[float], Try], policy: Policy, client: Client, *, idempotent: bool, safe: bool
) -> Outcome:
    """Runs `attempt(deadline)` until one succeeds, or no other is allowed or fits in the time. Never raises."""
    deadline = client.clock() + policy.total
    doubts: list[bool] = []

    def once() -> Try:
        found = attempt(deadline)
        doubts.append(maybe_done(found))
        return found

    def wait(state: RetryCallState) -> float:
        asked = _result(state).outcome.retry_after or 0.0
        return max(asked, backoff(state.attempt_number, policy, client.chance))

    def stop(state: RetryCallState) -> bool:
        return state.attempt_number >= policy.attempts or client.clock() + state.upcoming_sleep >= deadline

    attempts = Retrying(
        retry=retry_if_result(lambda t: again(t.outcome.failure, sent=t.sent, idempotent=idempotent)),
        wait=wait, stop=stop, sleep=client.sleep, retry_error_callback=_result,
    )
    last: Outcome = attempts(once).outcome
    return replace(last, attempts=len(doubts), uncertain=not last.ok and not safe and any(doubts))


def _result(state: RetryCallState) -> Try:
    if state.outcome is None:
        raise RuntimeError("tenacity asks after an attempt only")
    found: Try = state.outcome.result()
    return found
