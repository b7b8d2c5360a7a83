"""Every operation, called with what its own API document allows and with what it does not: no answer is a 5xx."""

from __future__ import annotations

import json
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.generation import GenerationMode

from tests.conftest import PASSWORD
from tests.web import Site
from workreef_app.http import app as http_app
from workreef_app.services.door import Caller, Door
from workreef_app.services.operation import REGISTRY
from workreef_app.services.tenancy.platform import Tenant
from workreef_app.services.tenancy.tenants import create_tenant

EXAMPLES = 3
DOCUMENT = schemathesis.openapi.from_dict(json.loads(json.dumps(http_app.create().openapi())))
MODES = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
FEW = settings(
    max_examples=EXAMPLES, deadline=None, derandomize=True, database=None,
    suppress_health_check=list(HealthCheck), phases=[Phase.generate],
)
PARTS = ("method", "url", "headers", "json", "data", "files", "params")
#: They would end the session that the others are called with.
ENDING = {"sessions.end"}


@pytest.fixture(scope="module")
def tenant(door: Door) -> Tenant:
    create_tenant(door.platform, slug="schema", name="Schema")
    return door.platform.tenant("schema")


@pytest.fixture(scope="module")
def somebody(door: Door, tenant: Tenant, settings: Any) -> Caller:
    """Somebody signed in with every persona."""
    door.perform(Caller(tenant, "test", cli_user="tester"), "departments.create", {"slug": "claims", "name": "Claims"})
    invited = door.perform(Caller(tenant, "test", cli_user="tester"), "people.create", {
        "email": "all@example.com", "name": "All", "departments": ["claims"], "personas": [
            "operator", "dept_lead", "change_leader", "contributor", "admin", "security_reviewer",
        ],
    })
    browser = Caller(tenant, "test", host=f"schema.{settings.public_host}", address="10.4.0.1")
    granted = door.perform(browser, "invitations.accept", {"token": invited.invitation_token, "password": PASSWORD})
    return Caller(tenant, "test", host=browser.host, address=browser.address, token=granted.token)


def sent(case: Any) -> dict[str, Any]:
    """The body of a case and its kind, as they go over the wire."""
    parts = case.as_transport_kwargs(base_url="http://ignored")
    wire = requests.Request(**{name: parts[name] for name in PARTS if name in parts}).prepare()
    kind = wire.headers.get("content-type")
    body = wire.body.encode() if isinstance(wire.body, str) else wire.body
    return {"content": body or b"", "headers": {"content-type": kind} if kind else {}}


@pytest.mark.parametrize("name", sorted(REGISTRY))
def test_no_call_is_an_error_of_ours(name: str, site: Site, door: Door, tenant: Tenant, somebody: Caller) -> None:
    """With a session and without one."""
    operation = DOCUMENT[f"/api/v1/{name}"]["POST"]
    callers = (None,) if name in ENDING else (somebody, None)
    cases = st.one_of(*(operation.as_strategy(generation_mode=mode) for mode in MODES))

    @given(cases)
    @FEW
    def call(case: Any) -> None:
        door.limits.limiter.storage.reset()
        for caller in callers:
            response = site.post(tenant, f"/api/v1/{name}", caller, **sent(case))
            assert response.status_code < 500, (sent(case), response.text)
            if response.status_code >= 400:
                assert response.headers["content-type"] == "application/problem+json"
                assert response.json()["request_id"] == response.headers["x-request-id"]

    call()
