"""Jobs and the effects that they have had.

Revision ID: 0003
Revises: 0002
"""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

UP = r"""
CREATE TABLE job (
    id UUID NOT NULL,
    kind TEXT NOT NULL,
    subject UUID,
    department_id UUID,
    key TEXT,
    status TEXT NOT NULL,
    requested_by TEXT NOT NULL,
    claim INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    crashes INTEGER NOT NULL,
    done BIGINT NOT NULL,
    total BIGINT,
    error TEXT,
    cancel_requested BOOLEAN NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    started_at TIMESTAMP WITH TIME ZONE,
    finished_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (id),
    UNIQUE (key),
    FOREIGN KEY(department_id) REFERENCES department (id),
    CONSTRAINT job_kind_bounds CHECK (kind ~ '^[a-z_]{1,40}$'),
    CONSTRAINT job_key_bounds CHECK (key ~ '^[a-z0-9_:.+-]{1,80}$'),
    CONSTRAINT job_status_bounds CHECK (status ~ '^(queued|running|done|failed|cancelled|quarantined)$'),
    CONSTRAINT job_requested_by_bounds CHECK (char_length(requested_by) <= 120),
    CONSTRAINT job_error_bounds CHECK (error ~ '^[a-z_]{1,40}$')
);
CREATE TABLE effect (
    job_id UUID NOT NULL,
    step TEXT NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (job_id, step),
    FOREIGN KEY(job_id) REFERENCES job (id) ON DELETE CASCADE,
    CONSTRAINT effect_step_bounds CHECK (step ~ '^[a-z_]{1,40}(:[a-z0-9_-]{1,60})?$')
);
ALTER TABLE job ENABLE ROW LEVEL SECURITY;
ALTER TABLE effect ENABLE ROW LEVEL SECURITY;
-- Whoever acts may ask for work, which is seen by those who see all work or all of the audit log, and its department.
CREATE POLICY scope ON job
  USING ((SELECT wr_reach('all_work')) OR (SELECT wr_reach('all_audit'))
    OR department_id = ANY ((SELECT wr_departments())::uuid[]))
  WITH CHECK (wr_actor() IS NOT NULL);
CREATE POLICY scope ON effect
  USING (EXISTS (SELECT 1 FROM job p WHERE p.id = effect.job_id))
  WITH CHECK (EXISTS (SELECT 1 FROM job p WHERE p.id = effect.job_id));
GRANT SELECT, INSERT, UPDATE, DELETE ON job, effect TO workreef_tenant_app;
"""

DOWN = "DROP TABLE effect, job;"


def _execute(sql: str) -> None:
    op.get_bind().execution_options(no_parameters=True).exec_driver_sql(sql)


def upgrade() -> None:
    _execute(UP)


def downgrade() -> None:
    _execute(DOWN)
