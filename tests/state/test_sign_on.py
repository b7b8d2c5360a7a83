"""Single sign-on as its page shows it, and what its forms send."""

from __future__ import annotations

from typing import Any

import pytest

from workreef_app.services.operation import REGISTRY, Persona
from workreef_app.services.sso.checking import Check
from workreef_app.services.sso.setup import GroupRow, SignOnSettings
from workreef_app.state.sign_on import (
    PERSONAS,
    CheckLine,
    GroupLine,
    check_line,
    chosen,
    domains_of,
    group_line,
    standing,
)

OPS = GroupRow(group="ops", personas=[Persona.OPERATOR, Persona.ADMIN], departments=["billing", "claims"])


def found(**changes: Any) -> SignOnSettings:
    facts: dict[str, Any] = {
        "issuer": "https://id.example.com", "client_id": "c", "client_secret_set": True, "group_claim": "groups",
        "mapping": [OPS], "domains": [], "link_by_email": False, "enabled": True, "passwords_for_admins_only": False,
        "redirect_uri": "https://acme.example.com/auth/oidc/callback", "people": 1, "updated_at": None,
    }
    return SignOnSettings(**{**facts, **changes})


@pytest.mark.parametrize(("changes", "state", "word", "text"), [
    ({"issuer": ""}, "unknown", "Not set up", "Save a provider"),
    ({"mapping": [], "enabled": False}, "attention", "No group", "which groups may come in"),
    ({"enabled": False}, "unknown", "Off", "until it is switched on"),
    ({}, "proven", "On", "or with a password. 1 person came in"),
    ({"passwords_for_admins_only": True, "people": 1204}, "proven", "On", "Everybody but admins"),
])
def test_it_says_how_it_stands(changes: dict[str, Any], state: str, word: str, text: str) -> None:
    told = standing(found(**changes))
    assert told[:2] == (state, word)
    assert text in told[2]


def test_a_group_and_a_check_as_lines() -> None:
    assert group_line(OPS) == GroupLine("ops", "Operators and admins", "billing, claims")
    assert group_line(GroupRow(group="g", personas=[Persona.CONTRIBUTOR], departments=[])).departments == "–"
    assert check_line(Check(part="Keys", ok=True, said="2 there.")) == CheckLine("proven", "Keys", "2 there.")
    assert check_line(Check(part="Keys", ok=False, said="None.")).state == "broken"


def test_what_is_typed_as_domains() -> None:
    assert domains_of(" example.com,\n@acme.example  b.example\n") == ["example.com", "acme.example", "b.example"]
    assert domains_of("") == []


def test_the_boxes_that_are_checked() -> None:
    form = {"group": "ops", "persona:operator": True, "persona:admin": False, "department:claims": "on",
            "department:persona:x": True}
    assert chosen(form, "persona:") == ["operator"]
    assert chosen(form, "department:") == ["claims", "persona:x"]
    assert [value for value, _ in PERSONAS] == [persona.value for persona in Persona]


def test_those_who_read_it_see_it_in_the_menu() -> None:
    from workreef_app.state.shell import navigation

    for persona in Persona:
        seen = "/admin/sso" in {item.href for item in navigation([persona])}
        assert seen == (persona in REGISTRY["sso.read"].by)
