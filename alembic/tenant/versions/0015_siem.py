"""The feed of the audit log to a SIEM, and the alarm of one that is behind.

Revision ID: 0015
Revises: 0014
"""

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

BEFORE = (
    "job_quarantined|job_failed|import_stopped|delivery_failed|limiter_unreachable|key_unreachable|workers_missing"
    "|disk_low|witness_behind"
)
UP = r"""
CREATE TABLE siem_feed (
    "only" BOOLEAN NOT NULL,
    kind TEXT NOT NULL,
    format TEXT NOT NULL,
    target BYTEA NOT NULL,
    secret BYTEA,
    sent_seq BIGINT NOT NULL,
    taken_at TIMESTAMP WITH TIME ZONE,
    failing_since TIMESTAMP WITH TIME ZONE,
    failure TEXT,
    PRIMARY KEY ("only"),
    CONSTRAINT siem_feed_kind_bounds CHECK (kind ~ '^(webhook|syslog)$'),
    CONSTRAINT siem_feed_format_bounds CHECK (format ~ '^(ocsf|cef)$'),
    CONSTRAINT siem_feed_target_bounds CHECK (octet_length(target) BETWEEN 45 AND 2045 AND get_byte(target, 0) = 1),
    CONSTRAINT siem_feed_secret_bounds CHECK (octet_length(secret) BETWEEN 45 AND 365 AND get_byte(secret, 0) = 1),
    CONSTRAINT siem_feed_failure_bounds CHECK (failure ~ '^[a-z_]{1,40}$')
);
ALTER TABLE siem_feed ENABLE ROW LEVEL SECURITY;
-- Auditors see it; admins change it, and the part of the system that pushes tells what came of it.
CREATE POLICY scope ON siem_feed FOR SELECT
  USING ((SELECT wr_reach('settings')) OR (SELECT wr_reach('all_audit'))
    OR ((SELECT wr_reach('all_work')) AND (SELECT wr_reach('people'))));
CREATE POLICY add ON siem_feed FOR INSERT WITH CHECK ((SELECT wr_reach('settings')));
CREATE POLICY change ON siem_feed FOR UPDATE
  USING ((SELECT wr_reach('settings')) OR ((SELECT wr_reach('all_work')) AND (SELECT wr_reach('people'))))
  WITH CHECK ((SELECT wr_reach('settings')) OR ((SELECT wr_reach('all_work')) AND (SELECT wr_reach('people'))));
CREATE POLICY remove ON siem_feed FOR DELETE USING ((SELECT wr_reach('settings')));
GRANT SELECT, INSERT, UPDATE, DELETE ON siem_feed TO workreef_tenant_app;
"""


def _kinds(kinds: str) -> str:
    return (
        "ALTER TABLE alarm DROP CONSTRAINT alarm_kind_bounds;"
        f"ALTER TABLE alarm ADD CONSTRAINT alarm_kind_bounds CHECK (kind ~ '^({kinds})$');"
    )


def _execute(sql: str) -> None:
    op.get_bind().execution_options(no_parameters=True).exec_driver_sql(sql)


def upgrade() -> None:
    _execute(UP + _kinds(f"{BEFORE}|siem_behind"))


def downgrade() -> None:
    _execute("DELETE FROM alarm WHERE kind = 'siem_behind';" + _kinds(BEFORE) + "DROP TABLE siem_feed;")
