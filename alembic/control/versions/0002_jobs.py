"""The queue, the slots of schedules, who works, and since when something does not.

Revision ID: 0002
Revises: 0001
"""

from alembic import op
from procrastinate.schema import SchemaManager

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

OURS = r"""
CREATE TABLE schedule_slot (
    schedule TEXT NOT NULL CHECK (schedule ~ '^[a-z_]{1,40}:[0-9a-f-]{36}$'),
    slot TIMESTAMP WITH TIME ZONE NOT NULL,
    taken_at TIMESTAMP WITH TIME ZONE NOT NULL,
    done_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (schedule, slot)
);
CREATE TABLE worker (
    id BIGINT NOT NULL,
    queue TEXT NOT NULL CHECK (queue ~ '^(interactive|bulk)$'),
    host TEXT NOT NULL,
    pid INTEGER NOT NULL,
    started_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (id, queue)
);
CREATE TABLE degradation (
    component TEXT NOT NULL CHECK (component ~ '^[a-z_]{1,40}$'),
    tenant_id UUID NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',
    since TIMESTAMP WITH TIME ZONE NOT NULL,
    seen_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (component, tenant_id)
);
"""

DOWN = r"""
DROP TABLE degradation, worker, schedule_slot;
DROP TABLE procrastinate_events, procrastinate_periodic_defers, procrastinate_jobs, procrastinate_workers CASCADE;
DO $do$ DECLARE f regprocedure; t regtype; BEGIN
  FOR f IN SELECT p.oid::regprocedure FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
           WHERE n.nspname = current_schema() AND p.proname LIKE 'procrastinate\_%' LOOP
    EXECUTE 'DROP FUNCTION ' || f || ' CASCADE';
  END LOOP;
  FOR t IN SELECT y.oid::regtype FROM pg_type y JOIN pg_namespace n ON n.oid = y.typnamespace
           WHERE n.nspname = current_schema() AND y.typname LIKE 'procrastinate\_%' AND y.typtype IN ('e', 'c') LOOP
    EXECUTE 'DROP TYPE ' || t || ' CASCADE';
  END LOOP;
END $do$;
"""


def _execute(sql: str) -> None:
    op.get_bind().execution_options(no_parameters=True).exec_driver_sql(sql)


def upgrade() -> None:
    # The library's release is pinned: a later one brings steps of its own, for a migration of its own.
    _execute(SchemaManager.get_schema() + OURS)


def downgrade() -> None:
    _execute(DOWN)
