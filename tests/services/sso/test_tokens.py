"""Which ID tokens are believed: keys of our own, so that one can be wrong in every way."""

from __future__ import annotations

import hashlib
import hmac
import json
from base64 import urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc import jws
from joserfc.jwk import ECKey, OKPKey, RSAKey
from joserfc.jws import JWSRegistry

from workreef_app.services.sso.reasons import Reason
from workreef_app.services.sso.tokens import (
    ALGORITHMS,
    LONGEST_TOKEN,
    SKEW,
    Expected,
    TokenRefused,
    fits,
    key_id,
    verified,
)

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
ISSUER, CLIENT, NONCE = "https://id.example.com/", "workreef", "n" * 43
EXPECTED = Expected(ISSUER, CLIENT, NONCE, NOW - timedelta(minutes=2), NOW)
RSA = RSAKey.generate_key(2048, {"kid": "rsa"})
KEYS: dict[str, Any] = {
    "RS256": RSA, "PS256": RSA, "ES256": ECKey.generate_key("P-256", {"kid": "ec"}),
    "EdDSA": OKPKey.generate_key("Ed25519", {"kid": "okp"}),
}
PUBLIC = [key.as_dict(private=False) for key in (RSA, KEYS["ES256"], KEYS["EdDSA"])]
class Anything(JWSRegistry):
    """Signs with what must be refused, too."""

    max_header_length = 16384


ANY = Anything(algorithms=["RS256", "PS256", "ES256", "EdDSA", "HS256", "RS512", "ES384", "none"],
                  strict_check_header=False)


def seconds(**before: float) -> int:
    return int((NOW - timedelta(**before)).timestamp())


def claims(**changes: Any) -> dict[str, Any]:
    """The claims of a token that is as it must be, but for these; None leaves one out."""
    sound = {
        "iss": ISSUER, "aud": CLIENT, "sub": "248289761001", "nonce": NONCE, "iat": seconds(seconds=10),
        "exp": seconds(minutes=-5),
    }
    return {name: value for name, value in {**sound, **changes}.items() if value is not None}


def signed(content: Any, algorithm: str = "RS256", key: Any = None, **header: Any) -> str:
    key = key or KEYS[algorithm]
    head = {"alg": algorithm, "kid": getattr(key, "kid", None), **header}
    payload = content if isinstance(content, bytes) else json.dumps(content)
    return jws.serialize_compact({n: v for n, v in head.items() if v is not None}, payload, key, registry=ANY)


def refusal(token: str, keys: Any = None, expected: Expected = EXPECTED, access_token: str = "") -> Reason:
    with pytest.raises(TokenRefused) as caught:
        verified(token, PUBLIC if keys is None else keys, expected, access_token)
    return caught.value.reason


@pytest.mark.parametrize("algorithm", list(ALGORITHMS))
def test_a_sound_token_is_believed(algorithm: str) -> None:
    assert verified(signed(claims(), algorithm), PUBLIC, EXPECTED) == claims()


def _half(text: str, kind: Any = hashlib.sha256) -> str:
    digest = kind(text.encode()).digest()
    return urlsafe_b64encode(digest[: len(digest) // 2]).decode().rstrip("=")


def test_the_access_token_is_the_one_that_belongs_to_it() -> None:
    token = signed(claims(at_hash=_half("the token")))
    assert verified(token, PUBLIC, EXPECTED, "the token")["sub"]
    assert refusal(token, access_token="another") is Reason.WRONG_HASH
    long = signed(claims(at_hash=_half("the token", hashlib.sha512)), "EdDSA")
    assert verified(long, PUBLIC, EXPECTED, "the token")["sub"]
    assert refusal(signed(claims(at_hash=7)), access_token="the token") is Reason.WRONG_HASH


def _encoded(part: Any) -> str:
    return urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "", None, 7, ["RS256"], {"a": 1}])
def test_a_token_that_nobody_signed_is_refused(algorithm: Any) -> None:
    header = {"alg": algorithm} if algorithm is not None else {"kid": "rsa"}
    for signature in ("", "AAAA"):
        token = f"{_encoded(header)}.{_encoded(claims())}.{signature}"
        assert refusal(token) in {Reason.WRONG_ALGORITHM, Reason.WRONG_CLAIMS}


def _by_secret(secret: bytes, kid: str) -> str:
    """A token signed with a secret, made by hand: the library does not lend itself to it."""
    content = f"{_encoded({'alg': 'HS256', 'kid': kid})}.{_encoded(claims())}"
    signature = hmac.digest(secret, content.encode(), hashlib.sha256)
    return f"{content}.{urlsafe_b64encode(signature).decode().rstrip('=')}"


def test_the_public_key_is_of_no_use_to_sign_with() -> None:
    for secret in (RSA.as_pem(private=False), json.dumps(PUBLIC[0]).encode(), PUBLIC[0]["n"].encode()):
        assert refusal(_by_secret(secret, "rsa")) is Reason.WRONG_ALGORITHM
        # Not even where the provider publishes it as a key to sign with.
        keys = [*PUBLIC, {"kty": "oct", "k": urlsafe_b64encode(secret).decode().rstrip("="), "kid": "rsa2"}]
        assert refusal(_by_secret(secret, "rsa2"), keys) is Reason.WRONG_ALGORITHM


def test_algorithms_that_are_not_on_the_list_are_refused() -> None:
    assert refusal(signed(claims(), "RS512", RSA)) is Reason.WRONG_ALGORITHM
    key = ECKey.generate_key("P-384", {"kid": "ec384"})
    assert refusal(signed(claims(), "ES384", key), [key.as_dict(private=False)]) is Reason.WRONG_ALGORITHM


def test_a_header_that_names_another_algorithm_than_the_key_is_refused() -> None:
    token = signed(claims(), "RS256", RSA, kid="ec")
    assert refusal(token) is Reason.UNKNOWN_KEY
    only = [{**PUBLIC[0], "alg": "PS256"}]
    assert refusal(signed(claims(), "RS256"), only) is Reason.UNKNOWN_KEY


def test_keys_that_do_not_fit_are_no_keys() -> None:
    token = signed(claims())
    other = RSAKey.generate_key(2048, {"kid": "rsa"}).as_dict(private=False)
    small = RSAKey.generate_key(1024, {"kid": "rsa"})
    assert refusal(token, []) is Reason.UNKNOWN_KEY
    assert refusal(token, [{**PUBLIC[0], "use": "enc"}]) is Reason.UNKNOWN_KEY
    assert refusal(token, [{**PUBLIC[0], "kid": "other"}]) is Reason.UNKNOWN_KEY
    assert refusal(token, [PUBLIC[0], other]) is Reason.UNKNOWN_KEY, "two of one name: which is meant is not known"
    assert refusal(token, [{"kty": "RSA", "kid": "rsa"}]) is Reason.UNKNOWN_KEY
    assert refusal(token, [{"kty": "RSA", "kid": "rsa", "n": 1, "e": []}]) is Reason.UNKNOWN_KEY
    assert refusal(token, [other]) is Reason.WRONG_SIGNATURE
    assert refusal(signed(claims(), key=small), [small.as_dict(private=False)]) is Reason.UNKNOWN_KEY


def test_a_key_is_of_the_curve_that_its_algorithm_needs() -> None:
    for algorithm, curve in (("ES256", "P-384"), ("ES256", "secp256k1"), ("EdDSA", "X25519"), ("EdDSA", "Ed448")):
        kind = ALGORITHMS[algorithm][0]
        assert not fits({"kty": kind, "crv": curve}, algorithm)
        assert fits({"kty": kind, "crv": ALGORITHMS[algorithm][1]}, algorithm)


def test_a_token_too_long_to_be_one_is_not_looked_at() -> None:
    long = signed(claims(more="m" * 50_000))
    assert LONGEST_TOKEN < len(long) < 128_000
    assert refusal(long) is Reason.WRONG_CLAIMS
    assert verified(signed(claims(more="m" * 40_000)), PUBLIC, EXPECTED)["sub"]


@pytest.mark.parametrize("name", [7, ["rsa"], {"rsa": 1}, True])
def test_the_name_of_a_key_is_a_text(name: Any) -> None:
    token = signed(claims())
    odd = f"{_encoded({'alg': 'RS256', 'kid': name})}.{token.partition('.')[2]}"
    assert refusal(odd) is Reason.WRONG_CLAIMS
    with pytest.raises(TokenRefused):
        key_id(odd)


def test_a_token_without_a_name_of_its_key_needs_one_key_alone() -> None:
    token = jws.serialize_compact({"alg": "RS256"}, json.dumps(claims()), RSA, registry=ANY)
    assert verified(token, PUBLIC, EXPECTED)["sub"]
    second = RSAKey.generate_key(2048, {"kid": "second"}).as_dict(private=False)
    assert refusal(token, [*PUBLIC, second]) is Reason.UNKNOWN_KEY


def test_a_key_in_the_token_itself_is_not_looked_at() -> None:
    mine = RSAKey.generate_key(2048)
    token = signed(claims(), key=mine, kid="rsa", jwk=mine.as_dict(private=False), x5c=["MII" * 700])
    assert refusal(token) is Reason.WRONG_SIGNATURE
    own = signed(claims(), jwk=mine.as_dict(private=False), jku="https://evil.example", x5c=["MII" * 700])
    assert verified(own, PUBLIC, EXPECTED)["sub"], "whatever else its header holds"


@pytest.mark.parametrize(("changes", "reason"), [
    ({"iss": ISSUER.rstrip("/")}, Reason.WRONG_ISSUER),
    ({"iss": "https://evil.example"}, Reason.WRONG_ISSUER),
    ({"iss": [ISSUER]}, Reason.WRONG_ISSUER),
    ({"iss": None}, Reason.WRONG_CLAIMS),
    ({"aud": "other"}, Reason.WRONG_AUDIENCE),
    ({"aud": []}, Reason.WRONG_AUDIENCE),
    ({"aud": [CLIENT, "other"]}, Reason.WRONG_AUDIENCE),
    ({"aud": [CLIENT, "other"], "azp": "other"}, Reason.WRONG_AUDIENCE),
    ({"aud": [CLIENT, 7], "azp": CLIENT}, Reason.WRONG_AUDIENCE),
    ({"azp": "other"}, Reason.WRONG_AUDIENCE),
    ({"azp": ["workreef"]}, Reason.WRONG_AUDIENCE),
    ({"aud": {"workreef": 1}}, Reason.WRONG_AUDIENCE),
    ({"nonce": "x"}, Reason.WRONG_NONCE),
    ({"nonce": NONCE + " "}, Reason.WRONG_NONCE),
    ({"nonce": ["n"]}, Reason.WRONG_NONCE),
    ({"nonce": None}, Reason.WRONG_CLAIMS),
    ({"sub": ""}, Reason.WRONG_CLAIMS),
    ({"sub": 7}, Reason.WRONG_CLAIMS),
    ({"sub": "s" * 256}, Reason.WRONG_CLAIMS),
    ({"sub": "a\nb"}, Reason.WRONG_CLAIMS),
    ({"sub": None}, Reason.WRONG_CLAIMS),
    ({"exp": True}, Reason.WRONG_CLAIMS),
    ({"exp": "9999999999"}, Reason.WRONG_CLAIMS),
    ({"iat": None}, Reason.WRONG_CLAIMS),
    ({"exp": seconds(seconds=60)}, Reason.WRONG_TIME),
    ({"iat": seconds(seconds=-61)}, Reason.WRONG_TIME),
    ({"iat": seconds(minutes=3, seconds=1)}, Reason.WRONG_TIME),
    ({"nbf": seconds(seconds=-61)}, Reason.WRONG_TIME),
])
def test_a_claim_that_is_wrong(changes: dict[str, Any], reason: Reason) -> None:
    assert refusal(signed(claims(**changes))) is reason


def test_clocks_may_be_a_minute_apart() -> None:
    for changes in (
        {"exp": seconds(seconds=59)}, {"iat": seconds(seconds=-60)}, {"nbf": seconds(seconds=-60)},
        {"iat": seconds(minutes=3)}, {"aud": [CLIENT]}, {"aud": [CLIENT, "other"], "azp": CLIENT}, {"azp": CLIENT},
    ):
        assert verified(signed(claims(**changes)), PUBLIC, EXPECTED)["sub"], changes


@pytest.mark.parametrize("token", [
    "", "a", "a.b", "a.b.c", "a.b.c.d.e", "....", "é.b.c", "A" * 70_000, f"{_encoded([1])}.{_encoded({})}.AAAA",
    f"{_encoded('x')}.{_encoded({})}.AAAA",
])
def test_what_is_no_token_is_refused(token: str) -> None:
    assert refusal(token) is Reason.WRONG_CLAIMS


@pytest.mark.parametrize("content", [b"", b"[]", b"1", b'"a"', b"[" * 3000, b"\xff", b'{"iss": NaN}'])
def test_what_was_signed_and_is_no_claims_is_refused(content: bytes) -> None:
    assert refusal(signed(content)) in {Reason.WRONG_CLAIMS, Reason.WRONG_SIGNATURE}


@settings(max_examples=60, deadline=None)
@given(place=st.integers(0, 10_000), put=st.sampled_from("AZaz09-_."))
def test_one_changed_character_is_enough(place: int, put: str) -> None:
    token = signed(claims(), "ES256")
    place %= len(token)
    changed = token[:place] + put + token[place + 1:]
    try:
        assert verified(changed, PUBLIC, EXPECTED) == claims()
    except TokenRefused:
        return
    # The last character of a part carries bits that no byte takes up: those may differ.
    assert changed == token or token[place + 1: place + 2] in {"", "."}


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3), max_leaves=5,
)
NAMES = ("iss", "aud", "exp", "iat", "nonce", "sub", "azp", "nbf", "at_hash")


@settings(max_examples=80, deadline=None)
@given(name=st.sampled_from(NAMES), value=values)
def test_any_value_of_any_claim_is_believed_or_refused_and_nothing_else(name: str, value: Any) -> None:
    token = signed({**claims(), name: value}, "ES256")
    try:
        found = verified(token, PUBLIC, EXPECTED)
    except TokenRefused:
        return
    assert (found["iss"], found["nonce"]) == (ISSUER, NONCE)
    assert found["exp"] + SKEW.total_seconds() > NOW.timestamp()


@settings(max_examples=80, deadline=None)
@given(key=st.dictionaries(st.sampled_from(["kty", "kid", "use", "alg", "crv", "n", "e", "x", "y"]), values))
def test_any_key_of_a_provider_fits_or_does_not(key: dict[str, Any]) -> None:
    assert fits(key, "ES256") in {True, False}
    assert refusal(signed(claims(), "ES256"), [{**key, "kty": "EC", "crv": "P-256", "kid": "ec"}]) in {
        Reason.UNKNOWN_KEY, Reason.WRONG_SIGNATURE,
    }
