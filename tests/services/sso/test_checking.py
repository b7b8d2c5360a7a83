"""A provider is asked for its metadata and keys: what is wrong with them is said, and nothing of it is believed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.sso.providing import RunningProvider
from workreef_app.services.sso.checking import Checked, checked
from workreef_app.services.sso.provider import WELL_KNOWN, Provider, ProviderTrouble
from workreef_app.services.sso.reasons import Reason


@pytest.fixture
def real(provider: RunningProvider) -> Iterator[dict[str, Any]]:
    """The metadata of the real provider, which answers as it should again afterwards."""
    yield httpx.get(provider.issuer + WELL_KNOWN).json()
    provider.calm()


def ask(provider: RunningProvider, *, production: bool = False) -> Checked:
    return checked(Provider(uuid4(), provider.issuer, production=production))


def answers(provider: RunningProvider, body: Any, path: str = WELL_KNOWN, status: int = 200) -> None:
    provider.order(answer={
        "path": path, "status": status, "body": body if isinstance(body, str) else json.dumps(body),
    })


def test_a_real_provider_is_as_it_must_be(provider: RunningProvider) -> None:
    found = ask(provider)
    assert found.ok
    assert [check.part for check in found.checks] == ["Metadata", "Signatures", "PKCE", "Keys"]
    assert found.checks[3].said == "4 that ID tokens can be checked with."


@pytest.mark.parametrize("changes", [
    {"issuer": "http://127.0.0.1:1"}, {"issuer": None}, {"token_endpoint": None}, {"jwks_uri": "javascript:alert(1)"},
    {"authorization_endpoint": "http://u:p@127.0.0.1/auth"}, {"authorization_endpoint": "/auth"},
    {"token_endpoint": ["http://127.0.0.1:1/token"]}, {"jwks_uri": "http://127.0.0.1:1/a b"},
])
def test_metadata_that_lead_astray_are_refused(
    changes: dict[str, Any], provider: RunningProvider, real: dict[str, Any]
) -> None:
    answers(provider, {**real, **changes})
    found = ask(provider)
    assert [(check.part, check.ok) for check in found.checks] == [("Metadata", False)]
    with pytest.raises(ProviderTrouble) as caught:
        Provider(uuid4(), provider.issuer, production=False).metadata()
    assert caught.value.reason in {Reason.WRONG_ISSUER, Reason.PROVIDER_GARBLED}


@pytest.mark.parametrize(("changes", "part"), [
    ({"id_token_signing_alg_values_supported": ["HS256", "RS512"]}, "Signatures"),
    ({"code_challenge_methods_supported": ["plain"]}, "PKCE"),
])
def test_a_provider_that_says_it_cannot_is_said_to(
    changes: dict[str, Any], part: str, provider: RunningProvider, real: dict[str, Any]
) -> None:
    answers(provider, {**real, **changes})
    assert [check.part for check in ask(provider).checks if not check.ok] == [part]


def test_a_provider_that_says_little_may_do_all(provider: RunningProvider, real: dict[str, Any]) -> None:
    little = {name: real[name] for name in ("issuer", "authorization_endpoint", "token_endpoint", "jwks_uri")}
    answers(provider, little)
    assert ask(provider).ok
    found = Provider(uuid4(), provider.issuer, production=False).metadata()
    assert (found.basic, found.userinfo, found.names_itself, found.scopes) == (True, "", False, frozenset())


@pytest.mark.parametrize(("body", "status", "said"), [
    ("<html>", 200, "cannot be read"), ("[]", 200, "cannot be read"), ("[" * 9000, 200, "cannot be read"),
    ("", 200, "cannot be read"), ('{"issuer": "\\ud800"}', 200, "by another name"),
    (" " * 600_000, 200, "too long"), ("{}", 404, "no such thing"), ("{}", 503, "does not answer now"),
    ("", 302, "sends elsewhere"),
])
def test_answers_that_are_no_metadata(
    body: str, status: int, said: str, provider: RunningProvider, real: dict[str, Any]
) -> None:
    answers(provider, body, status=status)
    (check,) = ask(provider).checks
    assert not check.ok
    assert said in check.said


@pytest.mark.parametrize("body", [{}, {"keys": {}}, {"keys": []}, {"keys": [1, "a", None]},
                                  {"keys": [{"kty": "oct", "k": "AAAA"}]}, {"keys": [{"kty": "RSA", "use": "enc"}]}])
def test_keys_that_are_none(body: Any, provider: RunningProvider, real: dict[str, Any]) -> None:
    answers(provider, body, path="/jwks")
    last = ask(provider).checks[-1]
    assert (last.part, last.ok) == ("Keys", False)


def test_in_production_this_host_is_not_called(provider: RunningProvider) -> None:
    before = provider.order().get(WELL_KNOWN, 0)
    (check,) = ask(provider, production=True).checks
    assert check.said == "Its host is not on the public internet, so it is not called."
    assert provider.order().get(WELL_KNOWN, 0) == before


def test_somebody_else_told_of_beside_the_token_is_refused(provider: RunningProvider, real: dict[str, Any]) -> None:
    answers(provider, {"sub": "another", "email": "root@example.com"}, path="/me")
    with pytest.raises(ProviderTrouble) as caught:
        Provider(uuid4(), provider.issuer, production=False).claims_of("a token", "dana")
    assert caught.value.reason is Reason.WRONG_CLAIMS
    with pytest.raises(ProviderTrouble):
        Provider(uuid4(), provider.issuer, production=False).claims_of("a\r\nX-Other: 1", "dana")


def test_one_tenants_provider_is_not_known_to_another(provider: RunningProvider) -> None:
    one = Provider(uuid4(), provider.issuer, production=False)
    one.keys()
    before = provider.order()
    one.keys()
    assert provider.order()["/jwks"] == before["/jwks"]
    Provider(uuid4(), provider.issuer, production=False).keys()
    assert provider.order()["/jwks"] == before["/jwks"] + 1
