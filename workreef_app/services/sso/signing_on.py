"""A sign-in from its beginning to its end: the flow, the provider's answer, the tokens, the person.

The network is asked between the steps, never within one: no transaction waits for a provider. What a client sends is
the cookie that we sealed, and the query of the provider's answer; claims come from the provider alone, over our own
connection to it, in a token that was verified.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from authlib.oauth2.rfc6749.parameters import prepare_grant_uri

from workreef_app.services.access.operations import SessionGranted
from workreef_app.services.sso import flow as flows
from workreef_app.services.sso import rules, tokens
from workreef_app.services.sso.flow import Flow, Place
from workreef_app.services.sso.provider import Metadata, Provider, ProviderTrouble
from workreef_app.services.sso.reasons import Reason, SignOnRefused
from workreef_app.services.sso.steps import Plan
from workreef_app.services.sso.tokens import Expected, TokenRefused

#: Runs one of the steps as the part of the system that signs people on. Raises a Refusal.
Perform = Callable[[str, dict[str, Any]], Any]

SCOPES: Final = ("openid", "email", "profile")
#: Names of the answer's fields, and how long each may be.
FIELDS: Final = {"state": 200, "code": 4096, "iss": 500, "error": 200}


@dataclass(frozen=True, slots=True)
class Begun:
    """Where the browser goes, and what it keeps meanwhile."""

    location: str
    cookie: str


@dataclass(frozen=True, slots=True)
class Ended:
    """Who was let in, and where they wanted to go."""

    granted: SessionGranted
    then: str


def begin(perform: Perform, place: Place, then: str, now: datetime, *, production: bool) -> Begun:
    """Begins a sign-in. Raises SignOnRefused, or another Refusal."""
    plan: Plan = perform("sso.begin", {})
    try:
        metadata = Provider(place.tenant_id, plan.issuer, production=production).metadata()
    except ProviderTrouble as trouble:
        raise _refused(perform, trouble.reason) from None
    flow = flows.begin(plan.issuer, plan.client_id, then, now)
    return Begun(_question(plan, metadata, flow), flows.seal(flow, place))


def _question(plan: Plan, metadata: Metadata, flow: Flow) -> str:
    """The address at the provider that asks who somebody is (OpenID Connect Core 3.1.2.1, RFC 7636 4.3)."""
    # Some give groups only to those who ask for them by a scope of that name.
    scopes = [*SCOPES, *({"groups"} & metadata.scopes)]
    return str(prepare_grant_uri(
        metadata.authorization, plan.client_id, "code", redirect_uri=plan.redirect_uri, scope=" ".join(scopes),
        state=flow.state, nonce=flow.nonce, code_challenge=flow.challenge, code_challenge_method="S256",
    ))


def finish(
    perform: Perform, place: Place, cookie: str, answer: list[tuple[str, str]], now: datetime, *, production: bool
) -> Ended:
    """Ends a sign-in with the provider's answer. Raises SignOnRefused, audited, or another Refusal."""
    try:
        flow = _flow(place, cookie, now)
        fields = _fields(answer)
        if not flow.answers(fields.get("state", "")):
            raise _Stopped(Reason.WRONG_STATE)
    except _Stopped as stopped:
        raise _refused(perform, stopped.reason) from None
    used_until = flow.begun_at + 2 * flows.LIFETIME
    plan: Plan = perform("sso.take_up", {"state_hash": flow.state_hash, "expires_at": used_until})
    try:
        claims = _claims(Provider(place.tenant_id, flow.issuer, production=production), plan, flow, fields, now)
    except (_Stopped, ProviderTrouble, TokenRefused) as stopped:
        raise _refused(perform, stopped.reason) from None
    profile = rules.profile(claims, plan.group_claim)
    granted = perform("sso.sign_in", {
        "issuer": flow.issuer, "client_id": flow.client_id, "subject": profile.subject, "email": profile.email,
        "email_verified": profile.verified, "name": profile.name, "groups": list(profile.groups),
    })
    return Ended(granted, flow.then)


class _Stopped(Exception):
    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.value)
        self.reason = reason


def _refused(perform: Perform, reason: Reason) -> SignOnRefused:
    """The refusal, once it is in the audit log."""
    perform("sso.refuse", {"reason": reason.value})
    return SignOnRefused(reason)


def _flow(place: Place, cookie: str, now: datetime) -> Flow:
    flow = flows.unseal(cookie, place)
    if flow is None:
        raise _Stopped(Reason.NO_FLOW)
    if flow.expired(now):
        raise _Stopped(Reason.FLOW_EXPIRED)
    return flow


def _fields(answer: list[tuple[str, str]]) -> Mapping[str, str]:
    """The answer's fields that are ours to look at; one given twice or too long is no answer of a provider's."""
    found: dict[str, str] = {}
    for name, value in answer:
        if name in FIELDS:
            if name in found or len(value) > FIELDS[name]:
                raise _Stopped(Reason.WRONG_STATE)
            found[name] = value
    return found


def _claims(
    provider: Provider, plan: Plan, flow: Flow, fields: Mapping[str, str], now: datetime
) -> Mapping[str, Any]:
    """What the provider says of whoever answered. Raises _Stopped, ProviderTrouble, TokenRefused."""
    if (plan.issuer, plan.client_id) != (flow.issuer, flow.client_id):
        raise _Stopped(Reason.WRONG_ISSUER)  # the settings were changed meanwhile
    # An answer of another provider, which an attacker mixed in (RFC 9207).
    named = fields.get("iss")
    if named != flow.issuer and (named is not None or provider.metadata().names_itself):
        raise _Stopped(Reason.WRONG_ISSUER)
    if "error" in fields or not fields.get("code"):
        raise _Stopped(Reason.PROVIDER_REFUSED)
    given = provider.exchange(
        fields["code"], flow.verifier, client_id=plan.client_id, client_secret=plan.client_secret,
        redirect_uri=plan.redirect_uri,
    )
    expected = Expected(flow.issuer, flow.client_id, flow.nonce, flow.begun_at, now)
    claims = tokens.verified(given.id_token, _keys(provider, given.id_token), expected, given.access_token)
    if {"email", "email_verified", plan.group_claim} <= claims.keys():
        return claims
    # Many put little into the token.
    return rules.told_beside(claims, provider.claims_of(given.access_token, claims["sub"]))


def _keys(provider: Provider, id_token: str) -> list[Mapping[str, Any]]:
    """The provider's keys; asked for once more when the token names one that is not among them."""
    name, keys = tokens.key_id(id_token), provider.keys()
    if name is not None and name not in {key.get("kid") for key in keys}:
        keys = provider.keys(fresh=True)
    return keys
