"""What an import has received and not yet counted, and where it stands, so that it goes on in another process.

Revision ID: 0004
Revises: 0003
"""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

# Imports that ran before lived in the process that sent their lines; it is gone.
UP = r"""
ALTER TABLE import_run
    ADD COLUMN reason TEXT,
    ADD COLUMN fault TEXT,
    ADD COLUMN job_id UUID,
    ADD COLUMN time_zone TEXT NOT NULL DEFAULT 'UTC',
    ADD COLUMN year INTEGER,
    ADD COLUMN gzip BOOLEAN NOT NULL DEFAULT false,
    ADD COLUMN whole BOOLEAN NOT NULL DEFAULT true,
    ADD COLUMN chunks INTEGER NOT NULL DEFAULT 0,
    ADD COLUMN bytes_received BIGINT NOT NULL DEFAULT 0,
    ADD COLUMN bytes_counted BIGINT NOT NULL DEFAULT 0,
    ADD COLUMN reader BYTEA,
    ADD COLUMN signals BIGINT NOT NULL DEFAULT 0,
    ADD COLUMN new_tasks BIGINT NOT NULL DEFAULT 0,
    ADD COLUMN received_at TIMESTAMP WITH TIME ZONE,
    DROP CONSTRAINT import_run_status_bounds;
UPDATE import_run SET received_at = started_at;
UPDATE import_run SET status = 'stopped', finished_at = now() WHERE status = 'running';
UPDATE import_run SET reason = 'interrupted' WHERE status = 'stopped';
ALTER TABLE import_run
    ALTER COLUMN time_zone DROP DEFAULT,
    ALTER COLUMN gzip DROP DEFAULT,
    ALTER COLUMN whole DROP DEFAULT,
    ALTER COLUMN chunks DROP DEFAULT,
    ALTER COLUMN bytes_received DROP DEFAULT,
    ALTER COLUMN bytes_counted DROP DEFAULT,
    ALTER COLUMN signals DROP DEFAULT,
    ALTER COLUMN new_tasks DROP DEFAULT,
    ALTER COLUMN received_at SET NOT NULL,
    ADD CONSTRAINT import_run_status_bounds CHECK (status ~ '^(receiving|queued|running|finished|stopped)$'),
    ADD CONSTRAINT import_run_reason_bounds CHECK (
        reason ~ '^(cancelled|interrupted|failed|disk_full|unreadable|abandoned)$'),
    ADD CONSTRAINT import_run_fault_bounds CHECK (fault ~ '^[a-z0-9_]{1,40}$'),
    ADD CONSTRAINT import_run_time_zone_bounds CHECK (
        time_zone ~ '^[A-Za-z][A-Za-z0-9_+-]{0,30}(/[A-Za-z0-9_+-]{1,30}){0,2}$'),
    ADD CONSTRAINT import_run_reader_bounds CHECK (octet_length(reader) BETWEEN 45 AND 301
        AND get_byte(reader, 0) = 1);
CREATE TABLE spool_chunk (
    run_id UUID NOT NULL,
    number INTEGER NOT NULL,
    start BIGINT NOT NULL,
    size INTEGER NOT NULL,
    content BYTEA NOT NULL,
    PRIMARY KEY (run_id, number),
    FOREIGN KEY(run_id) REFERENCES import_run (id) ON DELETE CASCADE,
    CONSTRAINT spool_chunk_content_bounds CHECK (octet_length(content) BETWEEN 45 AND 1052717
        AND get_byte(content, 0) = 1)
);
-- Sealed bytes cannot be packed; trying to would cost more than writing them.
ALTER TABLE spool_chunk ALTER COLUMN content SET STORAGE EXTERNAL;
ALTER TABLE spool_chunk ENABLE ROW LEVEL SECURITY;
-- Raw text is for those alone who import, and for the jobs that count it.
CREATE POLICY scope ON spool_chunk USING ((SELECT wr_reach('all_work'))) WITH CHECK ((SELECT wr_reach('all_work')));
GRANT SELECT, INSERT, DELETE ON spool_chunk TO workreef_tenant_app;
-- The same rule as before, asked once for a statement instead of once for each of its rows.
DROP POLICY scope ON seen_line;
CREATE POLICY scope ON seen_line
  USING (source_id IN (SELECT p.id FROM source p)) WITH CHECK (source_id IN (SELECT p.id FROM source p));
"""

DOWN = r"""
DROP TABLE spool_chunk;
DROP POLICY scope ON seen_line;
CREATE POLICY scope ON seen_line
  USING (EXISTS (SELECT 1 FROM source p WHERE p.id = seen_line.source_id))
  WITH CHECK (EXISTS (SELECT 1 FROM source p WHERE p.id = seen_line.source_id));
UPDATE import_run SET status = 'stopped', finished_at = COALESCE(finished_at, now())
    WHERE status IN ('receiving', 'queued', 'running');
ALTER TABLE import_run
    DROP COLUMN reason, DROP COLUMN fault, DROP COLUMN job_id, DROP COLUMN time_zone, DROP COLUMN year,
    DROP COLUMN gzip, DROP COLUMN whole, DROP COLUMN chunks, DROP COLUMN bytes_received, DROP COLUMN bytes_counted,
    DROP COLUMN reader, DROP COLUMN signals, DROP COLUMN new_tasks, DROP COLUMN received_at,
    DROP CONSTRAINT import_run_status_bounds,
    ADD CONSTRAINT import_run_status_bounds CHECK (status ~ '^(running|finished|stopped)$');
"""


def _execute(sql: str) -> None:
    op.get_bind().execution_options(no_parameters=True).exec_driver_sql(sql)


def upgrade() -> None:
    _execute(UP)


def downgrade() -> None:
    _execute(DOWN)
