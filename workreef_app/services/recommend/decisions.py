"""What a person may decide about a proposal, as a plain function."""

from __future__ import annotations

from workreef_app.services.recommend.models import Choice, ProposalStatus

_NEXT = {
    Choice.ACCEPT: ProposalStatus.ACCEPTED,
    Choice.RETURN: ProposalStatus.RETURNED,
    Choice.DECLINE: ProposalStatus.DECLINED,
}
#: A returned proposal waits for an answer, and may be settled meanwhile; what is settled stays settled.
_OPEN_TO = {
    ProposalStatus.OPEN: frozenset(Choice),
    ProposalStatus.RETURNED: frozenset({Choice.ACCEPT, Choice.DECLINE}),
    ProposalStatus.ACCEPTED: frozenset[Choice](),
    ProposalStatus.DECLINED: frozenset[Choice](),
}


def allowed(status: ProposalStatus) -> frozenset[Choice]:
    """The choices that a proposal in this status is open to."""
    return _OPEN_TO[status]


def decide(status: ProposalStatus, choice: Choice) -> ProposalStatus | None:
    """The status after the choice; None where the choice is not allowed."""
    return _NEXT[choice] if choice in _OPEN_TO[status] else None
