"""When a call is tried again, and after how long."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.services.outbound.conftest import Timeline
from workreef_app.services.outbound import retrying
from workreef_app.services.outbound.policy import PASSING, Failure, Outcome, Policy
from workreef_app.services.outbound.retrying import Try

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


@given(
    st.integers(1, 1000), st.floats(0.01, 100), st.floats(0.01, 1000), st.integers(0, 2**32)
)
def test_a_wait_is_within_its_doubling_bound(attempt: int, first: float, longest: float, seed: int) -> None:
    policy = Policy(first_wait=first, longest_wait=longest)
    wait = retrying.backoff(attempt, policy, Random(seed))
    assert 0 <= wait <= min(longest, first * 2.0 ** min(attempt - 1, 64))


@given(st.integers(1, 6))
def test_waits_fill_their_whole_range(attempt: int) -> None:
    policy, chance = Policy(first_wait=1.0, longest_wait=1000.0), Random(attempt)
    waits = [retrying.backoff(attempt, policy, chance) for _ in range(400)]
    top = 2.0 ** (attempt - 1)
    assert min(waits) < 0.1 * top
    assert max(waits) > 0.9 * top


@given(st.integers(0, 10**30))
def test_seconds_are_taken_up_to_a_day(seconds: int) -> None:
    assert retrying.retry_after(str(seconds), NOW) == min(seconds, 86400)


@given(st.integers(-10**8, 10**8))
def test_a_date_is_taken_from_now_to_a_day(seconds: int) -> None:
    at = format_datetime(NOW + timedelta(seconds=seconds), usegmt=True)
    assert retrying.retry_after(at, NOW) == min(max(seconds, 0), 86400)


@given(st.text())
def test_no_header_is_an_error(text: str) -> None:
    found = retrying.retry_after(text, NOW)
    assert found is None or 0 <= found <= 86400


@pytest.mark.parametrize("value", [None, "", "soon", "-1", "1.5", "١٢", "1e3", "Mon, 99 Nov 2026 09:00:00 GMT", "\x00"])
def test_what_is_neither_a_number_nor_a_date_asks_for_nothing(value: str | None) -> None:
    assert retrying.retry_after(value, NOW) is None


def test_a_date_without_a_zone_is_utc() -> None:
    assert retrying.retry_after("Mon, 23 Nov 2026 09:00:30 -0000", NOW) == 30


@given(st.sampled_from(list(Failure)), st.booleans(), st.booleans())
def test_only_what_may_pass_is_tried_again_and_what_acts_only_unsent(
    failure: Failure, sent: bool, idempotent: bool
) -> None:
    allowed = retrying.again(failure, sent=sent, idempotent=idempotent)
    assert allowed == (failure in PASSING and not (sent and not idempotent))
    assert not retrying.again(None, sent=sent, idempotent=idempotent)


@given(st.lists(st.sampled_from(sorted(PASSING)), min_size=1, max_size=5), st.integers(1, 3))
def test_there_are_never_more_attempts_than_allowed(failures: list[Failure], most: int) -> None:
    timeline, left = Timeline(), list(failures)

    def attempt(deadline: float) -> Try:
        return Try(Outcome(left.pop(0) if left else None), sent=False)

    found = retrying.run(attempt, Policy(attempts=most), timeline.client(), idempotent=False, safe=False)
    assert found.attempts == min(most, len(failures) + 1)
    assert found.ok == (len(failures) < most)
    assert len(timeline.waits) == found.attempts - 1


def test_a_wait_that_does_not_fit_in_the_time_is_not_begun(timeline: Timeline) -> None:
    asked = Try(Outcome(Failure.THROTTLED, 429, retry_after=31.0), sent=True)
    found = retrying.run(lambda _: asked, Policy(total=30), timeline.client(), idempotent=True, safe=True)
    assert (found.attempts, found.retry_after, timeline.waits) == (1, 31.0, [])


def test_one_doubtful_attempt_makes_the_failure_uncertain_and_a_success_does_not(timeline: Timeline) -> None:
    lost, refused = Try(Outcome(Failure.TIMEOUT), True), Try(Outcome(Failure.CONNECT), False)
    well = Try(Outcome(), True)

    def after(*tries: Try, safe: bool = False) -> Outcome:
        rest = list(tries)
        return retrying.run(lambda _: rest.pop(0), Policy(), timeline.client(), idempotent=True, safe=safe)

    assert after(lost, refused, refused).uncertain
    assert not after(refused, refused, refused).uncertain
    assert not after(lost, well).uncertain
    assert not after(lost, lost, lost, safe=True).uncertain


@pytest.mark.parametrize("bad", [{"attempts": 0}, {"attempts": 4}, {"total": 0}, {"connect": -1}, {"read": 0}])
def test_a_policy_without_bounds_is_refused(bad: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="must be"):
        Policy(**bad)  # type: ignore[arg-type]
