"""A verification in pieces finds what a whole one does, and rehearsed attacks are named on a copy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.services.audit_review.test_checkpoints import CHAIN_ANEW, CUT, EDIT, add
from workreef_app.services.audit_review import rehearsal, stepwise
from workreef_app.services.door import Caller, Door
from workreef_app.services.operation import Conflict, Invalid, WrongPersona
from workreef_app.services.tenancy.platform import Tenant

Cli = Callable[[Tenant], Caller]


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stepwise, "PIECE", 7)


def stepped(door: Door, caller: Caller, known: str = "") -> tuple[int, list[tuple[str, int]]]:
    """How far it is anchored, and what is found first."""
    begun = door.perform(caller, "audit.begin_verification", {"known": known})
    after, nodes, anchored = 0, list[str](), 0
    while after < begun.count:
        piece = door.perform(caller, "audit.verify_piece", {
            "after": after, "count": begun.count, "head": begun.head, "nodes": nodes, "known": known,
        })
        after, nodes, anchored = piece.upto, piece.nodes, max(anchored, piece.anchored)
        if piece.verdicts:
            return anchored, [(verdict.kind, verdict.seq) for verdict in piece.verdicts]
    return anchored, []


@pytest.fixture
def logged(door: Door, tenant: Tenant, cli: Cli, small: None) -> Any:
    """A log with checkpoints at 11 and 21, and ten entries more; the last checkpoint."""
    add(door, tenant, 10)
    door.perform(cli(tenant), "audit.checkpoint", {})
    add(door, tenant, 9)
    made = door.perform(cli(tenant), "audit.checkpoint", {})
    add(door, tenant, 9)
    return made


def test_a_sound_log_is_proven_piece_by_piece(door: Door, tenant: Tenant, cli: Cli, logged: Any) -> None:
    assert stepped(door, cli(tenant)) == (21, [])
    assert stepped(door, cli(tenant), logged.note) == (21, [])


@pytest.mark.parametrize(("statements", "at", "kind"), [
    ([EDIT], 16, "edited"), ([EDIT, CHAIN_ANEW], 16, "rewritten"), ([CUT], 17, "tail_cut"),
    (["DELETE FROM audit_entry WHERE seq = {at}"], 17, "missing"),
    (["DELETE FROM audit_entry WHERE seq = {at}"], 3, "missing"),
])
def test_what_was_changed_is_found_in_its_piece(
    door: Door, tenant: Tenant, cli: Cli, sql_as_owner: Any, logged: Any, statements: list[str], at: int, kind: str
) -> None:
    with sql_as_owner(tenant) as owner:
        for statement in statements:
            owner.execute(statement.replace("{at}", str(at)))
    _, found = stepped(door, cli(tenant))
    assert found[0][0] == kind


@pytest.mark.parametrize("change", [{"after": 5}, {"nodes": ["0" * 64]}, {"after": 10**6}])
def test_there_is_no_going_on_from_where_nobody_was(
    door: Door, shared: Tenant, cli: Cli, change: dict[str, Any]
) -> None:
    begun = door.perform(cli(shared), "audit.begin_verification", {})
    with pytest.raises(Invalid):
        door.perform(cli(shared), "audit.verify_piece", {
            "after": 0, "count": begun.count, "head": begun.head, "nodes": [], **change,
        })


NAMED = {
    "edit": ("edited", 15, "the hash chain"), "delete": ("missing", 15, "the numbers and the hash chain"),
    "swap": ("reordered", 14, "the numbers and the hash chain"), "cut": ("tail_cut", 15, "the checkpoint's size"),
    "rewrite": ("rewritten", 1, "the checkpoint's root"), "resign": ("bad_signature", 21, "the checkpoint's signature"),
}


@pytest.mark.parametrize("attack", list(rehearsal.Attack))
@pytest.mark.parametrize("copied", [500, 12])
def test_each_attack_on_a_copy_is_named_and_the_log_stays(
    door: Door, tenant: Tenant, cli: Cli, logged: Any, attack: str, copied: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rehearsal, "COPY", copied)
    found = door.perform(cli(tenant), "audit.rehearse", {"attack": attack, "entry": 15})
    assert found.sound_before
    assert (found.first, found.last) == (max(1, 22 - copied), 21)
    assert (found.named[0].kind, found.named[0].seq, found.named[0].check) == NAMED[attack]
    assert door.perform(cli(tenant), "audit.verify", {"known": logged.note}).ok


def test_only_auditors_rehearse_and_only_on_what_is_covered(
    door: Door, tenant: Tenant, cli: Cli, person: Any
) -> None:
    with pytest.raises(Conflict):
        door.perform(cli(tenant), "audit.rehearse", {"attack": "edit", "entry": 2})
    add(door, tenant, 5)
    door.perform(cli(tenant), "audit.checkpoint", {})
    for seq in (1, 7):
        with pytest.raises(Invalid):
            door.perform(cli(tenant), "audit.rehearse", {"attack": "edit", "entry": seq})
    with pytest.raises(WrongPersona):
        door.perform(person(tenant, ["operator"]), "audit.rehearse", {"attack": "edit", "entry": 2})
