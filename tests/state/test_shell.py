"""What the frame shows: where a person may go, who they are."""

from __future__ import annotations

import pytest

from workreef_app.pages.shell import NAV_ICONS, PERSONAS
from workreef_app.services.access.wording import said
from workreef_app.services.operation import AUDITORS, REGISTRY, WORK_READERS, Persona
from workreef_app.state.shell import initials, navigation, path_of

WORK = ["/", "/tasks", "/proposals", "/sources"]


@pytest.mark.parametrize(
    ("persona", "places"),
    [
        (Persona.OPERATOR, [*WORK, "/audit", "/access", "/alarms", "/notes"]),
        (Persona.DEPT_LEAD, [*WORK, "/audit", "/access", "/alarms", "/notes"]),
        (Persona.CHANGE_LEADER, [*WORK, "/audit", "/access"]),
        (Persona.CONTRIBUTOR, ["/me", "/audit", "/access"]),
        (Persona.ADMIN, [
            *WORK, "/audit", "/access", "/alarms", "/admin/status", "/admin/settings", "/admin/redaction", "/admin/sso",
            "/admin/people",
            "/admin/tokens",
        ]),
        (Persona.SECURITY_REVIEWER, [
            "/audit", "/access", "/admin/status", "/admin/settings", "/admin/redaction", "/admin/sso",
        ]),
    ],
)
def test_the_menu_of_a_persona(persona: Persona, places: list[str]) -> None:
    assert [item.href for item in navigation([persona])] == places


def test_nobody_is_shown_a_place_twice_and_every_icon_is_drawn() -> None:
    everything = navigation(list(Persona))
    assert len({item.href for item in everything}) == len(everything)
    assert {item.icon for item in everything} <= {name for name, _ in NAV_ICONS}


def test_no_persona_leads_nowhere() -> None:
    assert navigation([]) == []
    assert all(navigation([persona]) for persona in Persona)


def test_every_persona_has_a_name() -> None:
    assert {name for name, _ in PERSONAS} == {persona.value for persona in Persona}


@pytest.mark.parametrize(
    ("name", "short"),
    [("Dana Ito", "DI"), ("Dana", "D"), ("ana maria lópez ruiz", "AR"), ("李 小龙", "李小"), ("", "–"), ("1 2", "–"),
     ("person:01a2", "P")],
)
def test_initials(name: str, short: str) -> None:
    assert initials(name) == short


def test_personas_in_words() -> None:
    assert said([Persona.ADMIN]) == "admins"
    assert said(AUDITORS) == "admins and security reviewers"
    assert said(WORK_READERS) == "operators, department leads, change leaders and admins"
    assert all(said(spec.by) for spec in REGISTRY.values() if spec.by)


@pytest.mark.parametrize(("given", "kept"), [("/", "/"), ("", "/"), ("/tasks/", "/tasks"), ("/tasks", "/tasks")])
def test_a_path_is_compared_without_its_last_slash(given: str, kept: str) -> None:
    assert path_of(given) == kept
