"""The OpenAPI document is complete, resolves, and changes only on purpose."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.web import Site
from workreef_app.http import app as http_app
from workreef_app.services.access.tokens import grantable
from workreef_app.services.operation import REGISTRY, FileResult
from workreef_app.services.tenancy.platform import Tenant

SNAPSHOT = Path(__file__).with_name("openapi.json")
RENEW = "WORKREEF_RENEW=1 .venv/bin/python -m pytest tests/http/test_openapi.py"


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    document: dict[str, Any] = http_app.create().openapi()
    return document


def _walk(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        for item in value.values():
            yield from _walk(item)
    elif isinstance(value, list):
        for item in value:
            yield from _walk(item)


def test_every_operation_is_there_and_nothing_else(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.")
    assert set(document["paths"]) == {f"/api/v1/{name}" for name in REGISTRY}
    for path, methods in document["paths"].items():
        assert list(methods) == ["post"], path


@pytest.mark.parametrize("name", sorted(REGISTRY))
def test_an_operation_says_what_it_takes_and_gives(name: str, document: dict[str, Any]) -> None:
    spec, post = REGISTRY[name], document["paths"][f"/api/v1/{name}"]["post"]
    assert (post["operationId"], post["summary"], post["tags"]) == (name, spec.summary, [name.split(".")[0]])
    body = post["requestBody"]
    reference = body["content"]["application/json"]["schema"]["$ref"]
    schema = document["components"]["schemas"][reference.rsplit("/", 1)[-1]]
    assert set(schema.get("properties", {})) == set(spec.command.model_fields)
    assert schema["additionalProperties"] is False
    assert body["required"] is bool(schema.get("required"))
    ways = [set(way) for way in post["security"]]
    assert ways[0] == (set() if spec.public else {"session", "page"})
    assert ({"token"} in ways) == grantable(spec)
    assert set().union(*ways) <= set(document["components"]["securitySchemes"])
    for status in ("401", "402", "403", "404", "409", "413", "422", "423", "429", "500", "503"):
        (kind,) = post["responses"][status]["content"]
        assert kind == "application/problem+json", status
        assert post["responses"][status]["content"][kind]["schema"]["$ref"].endswith("/Problem")
    limits = {"RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset", "RateLimit-Policy"}
    assert set(post["responses"]["200"]["headers"]) == limits
    assert set(post["responses"]["429"]["headers"]) == limits | {"Retry-After"}
    good = post["responses"]["200"]["content"]
    assert set(good) == ({"application/zip"} if spec.result is FileResult else {"application/json"})


def test_every_reference_resolves(document: dict[str, Any]) -> None:
    references = [node["$ref"] for node in _walk(document) if isinstance(node.get("$ref"), str)]
    assert references
    for reference in references:
        target: Any = document
        assert reference.startswith("#/")
        for part in reference[2:].split("/"):
            target = target[part]


def test_no_result_has_a_session_token(document: dict[str, Any]) -> None:
    assert "token" not in document["components"]["schemas"]["SessionGranted"]["properties"]


def test_it_is_served_to_anyone_at_a_tenants_host(site: Site, tenant: Tenant, document: dict[str, Any]) -> None:
    response = site.get(tenant, "/api/v1/openapi.json")
    assert response.status_code == 200
    assert response.json() == json.loads(json.dumps(document))


def test_the_document_is_the_kept_one(document: dict[str, Any]) -> None:
    """Programs are written against it. When a change is meant, renew the file and say why in the commit."""
    text = json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
    if os.environ.get("WORKREEF_RENEW"):
        SNAPSHOT.write_text(text)
    kept = json.loads(SNAPSHOT.read_text())
    found = json.loads(text)
    differing = sorted(
        f"{part}.{name}" for part, now, before in (
            ("paths", found["paths"], kept["paths"]),
            ("schemas", found["components"]["schemas"], kept["components"]["schemas"]),
        ) for name in {*now, *before} if now.get(name) != before.get(name)
    )
    if found != kept:
        said = f"the API differs from {SNAPSHOT.name} in {differing}; when meant, renew it: {RENEW}"
        pytest.fail(said, pytrace=False)
