"""What stands around an operation's function, as plain parts of the door: validation, and what is audited about it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from pydantic import ValidationError
from sqlalchemy import text
from sqlalchemy.orm import Session

from workreef_app.services.operation import Actor, Command, Fact, Invalid, NotFound, Operation, Persona


def out_of_scope(session: Session, refusal: NotFound) -> Fact:
    """What to audit about a missing row: nothing unless it exists outside the actor's scope."""
    kind, name = refusal.facts["kind"], refusal.facts["id"]
    if kind == "entry":
        query, row_id = "SELECT CAST(:id AS numeric) BETWEEN 1 AND seq FROM audit_head", name
    else:
        try:
            query, row_id = "SELECT row_exists(:kind, :id)", UUID(name)
        except ValueError:
            return Fact()
    exists = session.execute(text(query), {"kind": kind, "id": row_id}).scalar()
    return Fact(target=f"{kind}:{row_id}", detail={"reason": "scope"}) if exists else Fact()


def acting_persona(actor: Actor, spec: Operation) -> str | None:
    """The persona by which the operation is allowed; the first of the actor's where none allows it."""
    for candidates in (actor.personas & spec.by, actor.personas):
        for persona in Persona:
            if persona in candidates:
                return persona.value
    return None


def validate(spec: Operation, payload: Mapping[str, Any] | Command) -> Command:
    """The command, or Invalid naming each field at fault, never repeating what was sent."""
    if isinstance(payload, spec.command):
        return payload
    try:
        return spec.command.model_validate(payload)
    except ValidationError as error:
        fields = {
            ".".join(str(part) for part in item["loc"]) or "body": (
                "is not a known field" if item["type"] == "extra_forbidden" else item["msg"]
            )
            for item in error.errors(include_input=False, include_context=False, include_url=False)
        }
        raise Invalid(f"Not accepted: {', '.join(sorted(fields))}.", fields=fields) from None
