"""The redaction profile of a tenant, and its changes.

Revision ID: 0016
Revises: 0015
"""

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

UP = r"""
CREATE TABLE redaction_profile (
    "only" BOOLEAN NOT NULL,
    name TEXT NOT NULL,
    body BYTEA NOT NULL,
    version INTEGER NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY ("only"),
    CONSTRAINT redaction_profile_only_one CHECK ("only"),
    CONSTRAINT redaction_profile_name_bounds CHECK (name ~ '^(off|standard|aggressive|custom)$'),
    CONSTRAINT redaction_profile_body_bounds CHECK (octet_length(body) BETWEEN 45 AND 262189
        AND get_byte(body, 0) = 1)
);
CREATE TABLE redaction_change (
    id UUID NOT NULL,
    before BYTEA NOT NULL,
    after BYTEA NOT NULL,
    person_id UUID,
    actor TEXT NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY(person_id) REFERENCES person (id) ON DELETE SET NULL,
    CONSTRAINT redaction_change_before_bounds CHECK (octet_length(before) BETWEEN 45 AND 262189
        AND get_byte(before, 0) = 1),
    CONSTRAINT redaction_change_after_bounds CHECK (octet_length(after) BETWEEN 45 AND 262189
        AND get_byte(after, 0) = 1),
    CONSTRAINT redaction_change_actor_bounds CHECK (char_length(actor) <= 120)
);

ALTER TABLE redaction_profile ENABLE ROW LEVEL SECURITY;
ALTER TABLE redaction_change ENABLE ROW LEVEL SECURITY;
-- Whatever asks a model must know what may leave, whoever it acts for.
CREATE POLICY scope ON redaction_profile
  USING (wr_actor() IS NOT NULL) WITH CHECK ((SELECT wr_reach('settings')));
CREATE POLICY scope ON redaction_change
  USING ((SELECT wr_reach('settings')) OR (SELECT wr_reach('all_audit')))
  WITH CHECK ((SELECT wr_reach('settings')));
GRANT SELECT, INSERT, UPDATE ON redaction_profile TO workreef_tenant_app;
GRANT SELECT, INSERT ON redaction_change TO workreef_tenant_app;
"""

DOWN = r"""
DROP TABLE redaction_change, redaction_profile;
"""


def _execute(sql: str) -> None:
    op.get_bind().execution_options(no_parameters=True).exec_driver_sql(sql)


def upgrade() -> None:
    _execute(UP)


def downgrade() -> None:
    _execute(DOWN)
