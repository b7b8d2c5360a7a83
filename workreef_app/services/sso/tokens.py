"""Whether an ID token may be believed (OpenID Connect Core 3.1.3.7). Plain functions, no network, no database.

Read `verified` from top to bottom: what is not refused on the way is believed.
"""

from __future__ import annotations

import hmac
import json
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from authlib.oidc.core.util import create_half_hash
from joserfc import jws
from joserfc.errors import JoseError, SecurityWarning
from joserfc.jwk import ECKey, OKPKey, RSAKey
from joserfc.jws import JWSRegistry

from workreef_app.services.sso.reasons import Reason

#: The signatures that are taken, each with the kind of key and the curve that it needs. Never `none`, nor one made
#: with a secret: the provider's public key must not be of use to sign with.
ALGORITHMS: Final[Mapping[str, tuple[str, str]]] = {
    "RS256": ("RSA", ""), "PS256": ("RSA", ""), "ES256": ("EC", "P-256"), "EdDSA": ("OKP", "Ed25519"),
}
#: How far clocks may be apart.
SKEW: Final = timedelta(seconds=60)
SMALLEST_RSA: Final = 2048
LONGEST_TOKEN: Final = 65536
LONGEST_SUBJECT: Final = 255
_KINDS: Final[Mapping[str, type[RSAKey] | type[ECKey] | type[OKPKey]]] = {"RSA": RSAKey, "EC": ECKey, "OKP": OKPKey}

# That is the name under which providers sign with Ed25519 so far (RFC 8037); its successor's is hardly in use.
warnings.filterwarnings("ignore", "EdDSA is deprecated", SecurityWarning)

Jwk = Mapping[str, Any]


class _Registry(JWSRegistry):
    """Takes a header that carries a chain of certificates too, as some do. It is not looked at."""

    max_header_length = 16384



@dataclass(frozen=True, slots=True)
class Expected:
    """What a token must say. `begun` is when the sign-in was begun: an older token was not made for it."""

    issuer: str
    client_id: str
    nonce: str
    begun: datetime
    now: datetime


class TokenRefused(Exception):
    """The token is not to be believed."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.value)
        self.reason = reason


def verified(
    token: str, keys: Sequence[Jwk], expected: Expected, access_token: str = "",  # nosec B107: the lack of one
) -> dict[str, Any]:
    """The token's claims. `access_token` came along with it. Raises TokenRefused."""
    algorithm, claims = _signed(token, keys)
    if claims["iss"] != expected.issuer:
        raise TokenRefused(Reason.WRONG_ISSUER)
    _check_audience(claims, expected.client_id)
    _check_times(claims, expected)
    if not _same(claims["nonce"], expected.nonce):
        raise TokenRefused(Reason.WRONG_NONCE)
    if not _is_subject(claims["sub"]):
        raise TokenRefused(Reason.WRONG_CLAIMS)
    given = claims.get("at_hash")
    if given is not None and not _same(given, create_half_hash(access_token, algorithm).decode()):
        raise TokenRefused(Reason.WRONG_HASH)
    return claims


def key_id(token: str) -> str | None:
    """The name of the key that a token says it is signed with. Raises TokenRefused."""
    kid = _header(token).get("kid")
    if kid is not None and not isinstance(kid, str):
        raise TokenRefused(Reason.WRONG_CLAIMS)
    return kid


def _header(token: str) -> Mapping[str, Any]:
    if len(token) > LONGEST_TOKEN or not token.isascii():
        raise TokenRefused(Reason.WRONG_CLAIMS)
    try:
        header: Mapping[str, Any] = jws.extract_compact(token.encode(), registry=_Registry()).headers()
    except (JoseError, ValueError, RecursionError):
        raise TokenRefused(Reason.WRONG_CLAIMS) from None
    return header


def _signed(token: str, keys: Sequence[Jwk]) -> tuple[str, dict[str, Any]]:
    """Algorithm and claims of a token that a key of the provider's signed; every claim that is asked about is there."""
    algorithm = _header(token).get("alg")
    if not isinstance(algorithm, str) or algorithm not in ALGORITHMS:
        raise TokenRefused(Reason.WRONG_ALGORITHM)
    key = _chosen(keys, algorithm, key_id(token))
    registry = _Registry(algorithms=[algorithm], strict_check_header=False)
    try:
        claims = json.loads(jws.deserialize_compact(token, key, registry=registry).payload or b"")
    except (JoseError, ValueError, RecursionError):
        raise TokenRefused(Reason.WRONG_SIGNATURE) from None
    if not isinstance(claims, dict) or not {"iss", "aud", "exp", "iat", "nonce", "sub"} <= claims.keys():
        raise TokenRefused(Reason.WRONG_CLAIMS)
    return algorithm, claims


def fits(key: Jwk, algorithm: str) -> bool:
    """Whether a key is of the kind, and for the use, that signatures of an algorithm are checked with."""
    kind, curve = ALGORITHMS[algorithm]
    return (
        key.get("kty") == kind and (not curve or key.get("crv") == curve)
        and key.get("use", "sig") == "sig" and key.get("alg", algorithm) == algorithm
    )


def _chosen(keys: Sequence[Jwk], algorithm: str, kid: str | None) -> RSAKey | ECKey | OKPKey:
    """The one key that may have signed. Without a name in the token there must be only one that could."""
    fitting = [key for key in keys if fits(key, algorithm) and (kid is None or key.get("kid") == kid)]
    if len(fitting) != 1:
        raise TokenRefused(Reason.UNKNOWN_KEY)
    public = {name: value for name, value in fitting[0].items() if name in {"kty", "n", "e", "crv", "x", "y"}}
    try:
        key = _KINDS[ALGORITHMS[algorithm][0]].import_key(public)
        small = isinstance(key, RSAKey) and key.raw_value.key_size < SMALLEST_RSA
    except (JoseError, ValueError, TypeError, KeyError):
        raise TokenRefused(Reason.UNKNOWN_KEY) from None
    if small:
        raise TokenRefused(Reason.UNKNOWN_KEY)
    return key


def _check_audience(claims: Mapping[str, Any], client_id: str) -> None:
    """The token is for us: for nobody else, unless it was given to us by name."""
    audience = claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]
    party = claims.get("azp")
    if client_id not in audience or not all(isinstance(name, str) for name in audience):
        raise TokenRefused(Reason.WRONG_AUDIENCE)
    if party != client_id and (party is not None or len(audience) > 1):
        raise TokenRefused(Reason.WRONG_AUDIENCE)


def _check_times(claims: Mapping[str, Any], expected: Expected) -> None:
    """It holds now, and was made after the sign-in was begun. Times are seconds since 1970."""
    now, begun, skew = expected.now.timestamp(), expected.begun.timestamp(), SKEW.total_seconds()
    ends, made, starts = claims["exp"], claims["iat"], claims.get("nbf", 0)
    if not all(isinstance(value, int | float) and not isinstance(value, bool) for value in (ends, made, starts)):
        raise TokenRefused(Reason.WRONG_CLAIMS)
    if not (now < ends + skew and begun - skew <= made <= now + skew and starts <= now + skew):
        raise TokenRefused(Reason.WRONG_TIME)


def _same(found: object, expected: str) -> bool:
    return isinstance(found, str) and hmac.compare_digest(found.encode("utf-8", "replace"), expected.encode())


def _is_subject(found: object) -> bool:
    return isinstance(found, str) and 1 <= len(found) <= LONGEST_SUBJECT and found.isascii() and found.isprintable()
