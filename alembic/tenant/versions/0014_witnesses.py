"""Witnesses of checkpoints, and the alarm of one that is behind.

Revision ID: 0014
Revises: 0013
"""

from alembic import op
from sqlalchemy import text

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

BEFORE = (
    "job_quarantined|job_failed|import_stopped|delivery_failed|limiter_unreachable|key_unreachable|workers_missing"
    "|disk_low"
)
UP = r"""
CREATE TABLE witness (
    id UUID NOT NULL,
    kind TEXT NOT NULL,
    target BYTEA NOT NULL,
    secret BYTEA NOT NULL,
    sent_size BIGINT NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    taken_at TIMESTAMP WITH TIME ZONE,
    failing_since TIMESTAMP WITH TIME ZONE,
    failure TEXT,
    PRIMARY KEY (id),
    CONSTRAINT witness_kind_bounds CHECK (kind ~ '^(folder|webhook|s3)$'),
    CONSTRAINT witness_target_bounds CHECK (octet_length(target) BETWEEN 45 AND 2045 AND get_byte(target, 0) = 1),
    CONSTRAINT witness_secret_bounds CHECK (octet_length(secret) BETWEEN 45 AND 2093 AND get_byte(secret, 0) = 1),
    CONSTRAINT witness_failure_bounds CHECK (failure ~ '^[a-z_]{1,40}$')
);
ALTER TABLE witness ENABLE ROW LEVEL SECURITY;
-- Auditors see which there are; admins change them, and the part of the system that pushes tells what came of it.
CREATE POLICY scope ON witness FOR SELECT
  USING ((SELECT wr_reach('settings')) OR (SELECT wr_reach('all_audit'))
    OR ((SELECT wr_reach('all_work')) AND (SELECT wr_reach('people'))));
CREATE POLICY add ON witness FOR INSERT WITH CHECK ((SELECT wr_reach('settings')));
CREATE POLICY change ON witness FOR UPDATE
  USING ((SELECT wr_reach('settings')) OR ((SELECT wr_reach('all_work')) AND (SELECT wr_reach('people'))))
  WITH CHECK ((SELECT wr_reach('settings')) OR ((SELECT wr_reach('all_work')) AND (SELECT wr_reach('people'))));
CREATE POLICY remove ON witness FOR DELETE USING ((SELECT wr_reach('settings')));
GRANT SELECT, INSERT, UPDATE, DELETE ON witness TO workreef_tenant_app;
"""


KIND = "WHEN 'witness' THEN EXISTS (SELECT 1 FROM public.witness WHERE id = row_id)\n    "
EXISTS = """
CREATE OR REPLACE FUNCTION row_exists(kind text, row_id uuid) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $${body}$$;
"""


def _row_exists(before: str, after: str) -> None:
    body = op.get_bind().execute(text("SELECT prosrc FROM pg_proc WHERE proname = 'row_exists'")).scalar_one()
    _execute(EXISTS.format(body=body.replace(before, after)))


def _kinds(kinds: str) -> str:
    return (
        "ALTER TABLE alarm DROP CONSTRAINT alarm_kind_bounds;"
        f"ALTER TABLE alarm ADD CONSTRAINT alarm_kind_bounds CHECK (kind ~ '^({kinds})$');"
    )


def _execute(sql: str) -> None:
    op.get_bind().execution_options(no_parameters=True).exec_driver_sql(sql)


def upgrade() -> None:
    _execute(UP + _kinds(f"{BEFORE}|witness_behind"))
    _row_exists("ELSE false", KIND + "ELSE false")


def downgrade() -> None:
    _row_exists(KIND, "")
    _execute("DELETE FROM alarm WHERE kind = 'witness_behind';" + _kinds(BEFORE) + "DROP TABLE witness;")
