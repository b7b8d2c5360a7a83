"""The access matrix is the registry, filtered and in pages."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workreef_app.services.access.matrix import matching
from workreef_app.services.access.wording import for_whom, listed, said
from workreef_app.services.door import Door
from workreef_app.services.operation import NOBODY, REGISTRY, Invalid, Persona
from workreef_app.services.tenancy.platform import Tenant


def test_it_is_the_whole_registry_and_nothing_else() -> None:
    rows = matching(None, "")
    assert [row.operation for row in rows] == sorted(REGISTRY)
    for row in rows:
        spec = REGISTRY[row.operation]
        assert set(row.personas) == spec.by
        assert (row.public, row.jobs, row.keyless, row.limit) == (spec.public, spec.jobs, spec.keyless, spec.limit)
        assert (row.summary, row.event) == (spec.summary, spec.event.value if spec.event else "")


@given(st.sampled_from([None, *Persona]), st.sampled_from(["", "PROPOSAL", " audit ", "nothing is called this"]))
def test_a_filter_leaves_what_fits_it(persona: Persona | None, text: str) -> None:
    for row in matching(persona, text):
        assert persona is None or row.public or persona in row.personas
        assert text.strip().lower() in f"{row.operation} {row.summary} {row.event}".lower()


@pytest.mark.parametrize("limit", [1, 7, 500])
def test_its_pages_hold_every_operation_once(door: Door, standing: list[Tenant], cli: Any, limit: int) -> None:
    names: list[str] = []
    after = ""
    while True:
        page = door.perform(cli(standing[0]), "access.matrix", {"limit": limit, "after": after})
        names += [row.operation for row in page.rows]
        assert (page.count, page.total) == (len(REGISTRY), len(REGISTRY))
        after = page.next
        if not after:
            break
    assert names == sorted(REGISTRY)


@pytest.mark.parametrize("payload", [{"persona": "king"}, {"limit": 0}, {"text": "x" * 101}, {"after": "A B"}])
def test_what_is_no_filter_is_refused(door: Door, standing: list[Tenant], cli: Any, payload: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        door.perform(cli(standing[0]), "access.matrix", payload)


def test_personas_in_a_sentence() -> None:
    assert for_whom([Persona.ADMIN, Persona.OPERATOR]) == "It is for operators and admins."
    assert for_whom(NOBODY) == "It is for the jobs of the system itself."
    assert listed([]) == said([]) == ""
    assert listed(["a"]) == "a"
    assert listed(["a", "b", "c"]) == "a, b and c"
