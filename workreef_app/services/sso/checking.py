"""A test of a provider: what a sign-in needs of it, each part with what is wrong. Network only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from workreef_app.services.operation import Result
from workreef_app.services.outbound.policy import Failure
from workreef_app.services.sso.provider import Metadata, Provider, ProviderTrouble
from workreef_app.services.sso.reasons import Reason
from workreef_app.services.sso.tokens import ALGORITHMS, fits

#: What is wrong, by the code of the call that failed.
CALLS: Final[Mapping[Failure, str]] = {
    Failure.REFUSED_ADDRESS: "Its host is not on the public internet, so it is not called.",
    Failure.UNRESOLVED: "Its host is not known.", Failure.CONNECT: "It does not take a connection.",
    Failure.TLS: "It shows no certificate that can be trusted.", Failure.TIMEOUT: "It does not answer in time.",
    Failure.TOO_LARGE: "Its answer is too long.", Failure.REDIRECT: "It sends elsewhere, which is not followed.",
    Failure.REFUSED: "It answers that there is no such thing, or that it may not be seen.",
}
REASONS: Final[Mapping[Reason, str]] = {
    Reason.WRONG_ISSUER: "It calls itself by another name than the issuer that is set; they must be the same, "
                         "to the last slash.",
    Reason.PROVIDER_GARBLED: "What it answers cannot be read, or lacks an address of https.",
}


class Check(Result):
    """One part of the test: what was looked at, whether it is as it must be, and what is wrong or what was found."""

    part: str
    ok: bool
    said: str


class Checked(Result):
    """What came of the test. After a part that failed, those that need it are left out."""

    ok: bool
    checks: list[Check]


def checked(provider: Provider) -> Checked:
    """Asks the provider anew, whatever is known of it."""
    found: list[Check] = []
    try:
        metadata = provider.metadata(fresh=True)
        found.append(Check(part="Metadata", ok=True, said="It can be read, and names the issuer that is set."))
        found += _promises(metadata)
        keys = provider.keys(fresh=True)
        found.append(_keys(keys))
    except ProviderTrouble as trouble:
        part = "Metadata" if trouble.what == "metadata" else "Keys"
        found.append(Check(part=part, ok=False, said=_said(trouble)))
    return Checked(ok=all(check.ok for check in found), checks=found)


def _said(trouble: ProviderTrouble) -> str:
    if trouble.failure is not None:
        return CALLS.get(trouble.failure, "It does not answer now.")
    return REASONS[trouble.reason]


def _promises(metadata: Metadata) -> list[Check]:
    """What the metadata says of itself; a provider may do what it does not say, so only a plain no is wrong."""
    return [
        Check(
            part="Signatures", ok=metadata.algorithms is None or bool(metadata.algorithms & ALGORITHMS.keys()),
            said=f"Taken are {', '.join(ALGORITHMS)}.",
        ),
        Check(
            part="PKCE", ok=metadata.challenges is None or "S256" in metadata.challenges,
            said="Each sign-in is bound to its browser by a challenge of the kind S256.",
        ),
    ]


def _keys(keys: list[Mapping[str, Any]]) -> Check:
    count = sum(any(fits(key, algorithm) for algorithm in ALGORITHMS) for key in keys)
    return Check(part="Keys", ok=count > 0, said=f"{count or 'None'} that ID tokens can be checked with.")
