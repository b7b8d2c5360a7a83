"""Tenant tables of tasks, analyses, proposals and decisions."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import DateTime, ForeignKey, Integer, Text, Uuid

from workreef_app.services.vault.columns import Sensitivity, TenantTable, clear, one_of, sealed, sealed_json

INTERNAL, PERSONAL = Sensitivity.INTERNAL, Sensitivity.PERSONAL
TIME = DateTime(timezone=True)


class Recommendation(StrEnum):
    """What a proposal recommends."""

    DO_NOW = "do_now"
    PILOT = "pilot"
    LATER = "later"
    HUMAN_ONLY = "human_only"


class ProposalStatus(StrEnum):
    """Where a proposal stands."""

    OPEN = "open"
    RETURNED = "returned"
    ACCEPTED = "accepted"
    DECLINED = "declined"


class Choice(StrEnum):
    """What a person decides about a proposal."""

    ACCEPT = "accept"
    RETURN = "return"
    DECLINE = "decline"


class AnalysisKind(StrEnum):
    """How an analysis was made."""

    HEURISTIC = "heuristic"


class Task(TenantTable, table=True):
    """A piece of recurring work."""

    __tablename__ = "task"

    id: UUID = clear(INTERNAL, Uuid, primary_key=True)
    department_id: UUID | None = clear(INTERNAL, Uuid, ForeignKey("department.id"), nullable=True, value=None)
    title: str = sealed(PERSONAL, limit=240)
    created_at: datetime = clear(INTERNAL, TIME)


class Analysis(TenantTable, table=True):
    """A draft about a task: what it is, what it would take, what speaks against it."""

    __tablename__ = "analysis"

    id: UUID = clear(INTERNAL, Uuid, primary_key=True)
    task_id: UUID = clear(INTERNAL, Uuid, ForeignKey("task.id"), index=True)
    kind: AnalysisKind = clear(INTERNAL, Text, pattern=one_of(AnalysisKind))
    body: Any = sealed_json(PERSONAL, limit=32768)
    created_at: datetime = clear(INTERNAL, TIME)


class Proposal(TenantTable, table=True):
    """Analysis and recommendation, for a person to decide. `score` orders proposals, higher first (`gate.place`)."""

    __tablename__ = "proposal"

    id: UUID = clear(INTERNAL, Uuid, primary_key=True)
    task_id: UUID = clear(INTERNAL, Uuid, ForeignKey("task.id"), unique=True)
    analysis_id: UUID = clear(INTERNAL, Uuid, ForeignKey("analysis.id"))
    department_id: UUID | None = clear(INTERNAL, Uuid, ForeignKey("department.id"), nullable=True, value=None)
    recommendation: Recommendation = clear(INTERNAL, Text, pattern=one_of(Recommendation))
    before_gate: Recommendation = clear(INTERNAL, Text, pattern=one_of(Recommendation))
    reason: str = clear(INTERNAL, Text, pattern="^[a-z_]{1,40}$")
    score: int = clear(INTERNAL, Integer)
    status: ProposalStatus = clear(INTERNAL, Text, pattern=one_of(ProposalStatus))
    created_at: datetime = clear(INTERNAL, TIME)
    updated_at: datetime = clear(INTERNAL, TIME)


class Decision(TenantTable, table=True):
    """What a person decided about a proposal, and why."""

    __tablename__ = "decision"

    id: UUID = clear(INTERNAL, Uuid, primary_key=True)
    proposal_id: UUID = clear(INTERNAL, Uuid, ForeignKey("proposal.id"), index=True)
    department_id: UUID | None = clear(INTERNAL, Uuid, ForeignKey("department.id"), nullable=True, value=None)
    person_id: UUID = clear(INTERNAL, Uuid, ForeignKey("person.id"))
    choice: Choice = clear(INTERNAL, Text, pattern=one_of(Choice))
    reason: str = sealed(PERSONAL, limit=500)
    at: datetime = clear(INTERNAL, TIME)
