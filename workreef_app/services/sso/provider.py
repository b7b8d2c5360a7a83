"""What is asked of an OpenID provider: its metadata, its keys, a code's tokens, a person's claims. Network only."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final
from urllib.parse import quote_plus, urlencode, urlsplit
from uuid import UUID

from workreef_app.services.outbound.calls import call
from workreef_app.services.outbound.policy import Client, Failure, HttpRequest, Outcome, Policy
from workreef_app.services.sso.kept import Kept
from workreef_app.services.sso.reasons import Reason

WELL_KNOWN: Final = "/.well-known/openid-configuration"
#: A person waits for these. What is posted is a code that holds once: it is never sent twice.
ASKING: Final = Policy(attempts=2, connect=3.0, read=5.0, total=10.0, first_wait=0.2, body_limit=512 * 1024)
#: How long, in seconds, the metadata and keys of a provider are gone by, and of how many providers they are kept.
KEEP_SECONDS: Final = 300.0
KEPT: Final = 256
LONGEST_URL: Final = 500

_Key = tuple[UUID, str, bool]


class ProviderTrouble(Exception):
    """The provider did not give what was asked for. `failure` is the call's, where the call itself failed."""

    def __init__(self, reason: Reason, what: str, failure: Failure | None = None) -> None:
        super().__init__(f"{reason.value}: {what}")
        self.reason, self.what, self.failure = reason, what, failure


@dataclass(frozen=True, slots=True)
class Metadata:
    """Where a provider's endpoints are. `basic` tells how our secret is sent, `names_itself` that answers say `iss`.

    `algorithms` and `challenges` are None where nothing is said of them.
    """

    issuer: str
    authorization: str
    token: str
    jwks: str
    userinfo: str
    basic: bool
    names_itself: bool
    scopes: frozenset[str]
    algorithms: frozenset[str] | None
    challenges: frozenset[str] | None


@dataclass(frozen=True, slots=True)
class Tokens:
    """What a code was good for."""

    id_token: str = field(repr=False)
    access_token: str = field(repr=False)


def sound_url(url: object, *, production: bool) -> bool:
    """Whether a text is an address that may be called, or that a browser may be sent to."""
    if not isinstance(url, str) or len(url) > LONGEST_URL or not url.isascii() or not url.isprintable() or " " in url:
        return False
    try:
        parts = urlsplit(url)
        sound = bool(parts.hostname) and parts.port != 0 and parts.username is None and not parts.fragment
    except ValueError:
        return False
    return sound and parts.scheme in ({"https"} if production else {"https", "http"})


_metadata: Kept[_Key, Metadata] = Kept(KEEP_SECONDS, KEPT)
_keys: Kept[_Key, list[Mapping[str, Any]]] = Kept(KEEP_SECONDS, KEPT)


class Provider:
    """One tenant's provider. `production` refuses addresses that are not public or not https."""

    def __init__(
        self, tenant_id: UUID, issuer: str, *, production: bool, policy: Policy = ASKING, client: Client | None = None
    ) -> None:
        self.issuer = issuer
        self._kept_as = (tenant_id, issuer, production)
        self._production = production
        self._policy = replace(policy, public_only=production)
        self._client = client

    def metadata(self, *, fresh: bool = False) -> Metadata:
        """The provider's metadata. Raises ProviderTrouble."""
        return _metadata.get(self._kept_as, self._read_metadata, fresh=fresh)

    def keys(self, *, fresh: bool = False) -> list[Mapping[str, Any]]:
        """The provider's public keys, as JWKs. Raises ProviderTrouble."""
        return _keys.get(self._kept_as, self._read_keys, fresh=fresh)

    def _read_metadata(self) -> Metadata:
        found = self._json(HttpRequest("GET", self.issuer.rstrip("/") + WELL_KNOWN), "metadata")
        if found.get("issuer") != self.issuer:
            raise ProviderTrouble(Reason.WRONG_ISSUER, "metadata")
        needed = ("authorization_endpoint", "token_endpoint", "jwks_uri")
        if not all(sound_url(found.get(name), production=self._production) for name in needed):
            raise ProviderTrouble(Reason.PROVIDER_GARBLED, "metadata")
        userinfo = found.get("userinfo_endpoint", "")
        methods = _words(found.get("token_endpoint_auth_methods_supported"))
        return Metadata(
            issuer=self.issuer, authorization=found["authorization_endpoint"], token=found["token_endpoint"],
            jwks=found["jwks_uri"], userinfo=userinfo if sound_url(userinfo, production=self._production) else "",
            # Without a word about it, it is basic (OpenID Connect Discovery 3).
            basic=methods is None or "client_secret_basic" in methods,
            names_itself=found.get("authorization_response_iss_parameter_supported") is True,
            scopes=_words(found.get("scopes_supported")) or frozenset(),
            algorithms=_words(found.get("id_token_signing_alg_values_supported")),
            challenges=_words(found.get("code_challenge_methods_supported")),
        )

    def _read_keys(self) -> list[Mapping[str, Any]]:
        found = self._json(HttpRequest("GET", self.metadata().jwks), "keys").get("keys")
        if not isinstance(found, list):
            raise ProviderTrouble(Reason.PROVIDER_GARBLED, "keys")
        return [key for key in found if isinstance(key, dict)]

    def exchange(
        self, code: str, verifier: str, *, client_id: str, client_secret: str, redirect_uri: str
    ) -> Tokens:
        """The tokens that a code is good for, once. Raises ProviderTrouble."""
        metadata = self.metadata()
        fields = {
            "grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri, "code_verifier": verifier,
        }
        headers = {"content-type": "application/x-www-form-urlencoded"}
        if client_secret and metadata.basic:
            pair = f"{quote_plus(client_id)}:{quote_plus(client_secret)}"
            headers["authorization"] = f"Basic {b64encode(pair.encode()).decode()}"
        else:
            fields |= {"client_id": client_id} | ({"client_secret": client_secret} if client_secret else {})
        request = HttpRequest("POST", metadata.token, headers, urlencode(fields).encode())
        found = self._json(request, "tokens")
        id_token, access_token = found.get("id_token"), found.get("access_token", "")
        if not isinstance(id_token, str) or not isinstance(access_token, str):
            raise ProviderTrouble(Reason.PROVIDER_GARBLED, "tokens")
        return Tokens(id_token, access_token)

    def claims_of(self, access_token: str, subject: str) -> Mapping[str, Any]:
        """What the provider tells of a person beside their ID token; nothing where it has no such endpoint.

        Raises ProviderTrouble, also when it tells of somebody else.
        """
        userinfo = self.metadata().userinfo
        if not userinfo or not access_token:
            return {}
        if not access_token.isascii() or not access_token.isprintable():
            raise ProviderTrouble(Reason.PROVIDER_GARBLED, "person")
        found = self._json(HttpRequest("GET", userinfo, {"authorization": f"Bearer {access_token}"}), "person")
        if found.get("sub") != subject:
            raise ProviderTrouble(Reason.WRONG_CLAIMS, "person")
        return found

    def _json(self, request: HttpRequest, what: str) -> dict[str, Any]:
        """The JSON object that is answered. Raises ProviderTrouble."""
        asked = replace(request, headers={"accept": "application/json", **request.headers})
        outcome = call(asked, self._policy, client=self._client)
        if not outcome.ok:
            raise ProviderTrouble(_reason(outcome, what), what, outcome.failure)
        try:
            found = json.loads(outcome.body)
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict):
            raise ProviderTrouble(Reason.PROVIDER_GARBLED, what)
        return found


def _words(value: object) -> frozenset[str] | None:
    return frozenset(word for word in value if isinstance(word, str)) if isinstance(value, list) else None


def _reason(outcome: Outcome, what: str) -> Reason:
    if outcome.failure is Failure.REFUSED and what == "tokens":
        return Reason.CLIENT_REFUSED if outcome.status == 401 else Reason.CODE_REFUSED
    return Reason.PROVIDER_DOWN
