"""Personas as they are named in a sentence."""

from __future__ import annotations

from collections.abc import Iterable

from workreef_app.services.operation import Persona

PLURAL = {
    Persona.OPERATOR: "operators", Persona.DEPT_LEAD: "department leads", Persona.CHANGE_LEADER: "change leaders",
    Persona.CONTRIBUTOR: "contributors", Persona.ADMIN: "admins", Persona.SECURITY_REVIEWER: "security reviewers",
}
ONE = {
    Persona.OPERATOR: "operator", Persona.DEPT_LEAD: "department lead", Persona.CHANGE_LEADER: "change leader",
    Persona.CONTRIBUTOR: "contributor", Persona.ADMIN: "admin", Persona.SECURITY_REVIEWER: "security reviewer",
}


def listed(words: Iterable[str]) -> str:
    """`operators, admins and security reviewers`."""
    given = list(words)
    return " and ".join(filter(None, [", ".join(given[:-1]), *given[-1:]]))


def said(personas: Iterable[Persona]) -> str:
    """Personas as a list in words, each in the plural."""
    return listed(PLURAL[persona] for persona in Persona if persona in set(personas))


def for_whom(personas: Iterable[Persona]) -> str:
    """A sentence that says for whom something is; nobody is the system's own jobs."""
    return f"It is for {said(personas) or 'the jobs of the system itself'}."
