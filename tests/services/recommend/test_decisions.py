"""What may be decided about a proposal in each status."""

from __future__ import annotations

import pytest

from workreef_app.services.recommend.decisions import allowed, decide
from workreef_app.services.recommend.models import Choice, ProposalStatus

EXPECTED = {
    ("open", "accept"): "accepted", ("open", "return"): "returned", ("open", "decline"): "declined",
    ("returned", "accept"): "accepted", ("returned", "decline"): "declined",
}


@pytest.mark.parametrize("status", list(ProposalStatus))
@pytest.mark.parametrize("choice", list(Choice))
def test_every_status_and_choice(status: ProposalStatus, choice: Choice) -> None:
    assert decide(status, choice) == EXPECTED.get((status.value, choice.value))
    assert (choice in allowed(status)) == ((status.value, choice.value) in EXPECTED)
