"""Where entries of the audit log are looked up: filled beside the log, so that no append pays for its indexes.

Revision ID: 0013
Revises: 0012
"""

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

UP = r"""
DROP INDEX ix_audit_entry_target;
CREATE TABLE audit_lookup (
    seq BIGINT NOT NULL,
    at TEXT,
    actor TEXT,
    event TEXT,
    target TEXT,
    department TEXT,
    PRIMARY KEY (seq),
    CONSTRAINT audit_lookup_at_bounds CHECK (char_length(at) <= 8192),
    CONSTRAINT audit_lookup_actor_bounds CHECK (char_length(actor) <= 8192),
    CONSTRAINT audit_lookup_event_bounds CHECK (char_length(event) <= 8192),
    CONSTRAINT audit_lookup_target_bounds CHECK (char_length(target) <= 8192),
    CONSTRAINT audit_lookup_department_bounds CHECK (char_length(department) <= 8192)
);
CREATE INDEX audit_lookup_target ON audit_lookup (target, seq);
CREATE INDEX audit_lookup_actor ON audit_lookup (actor, seq);
CREATE INDEX audit_lookup_event ON audit_lookup (event, seq);
CREATE INDEX audit_lookup_department ON audit_lookup (department, seq);
CREATE INDEX audit_lookup_at ON audit_lookup (at, seq);
ALTER TABLE audit_lookup ENABLE ROW LEVEL SECURITY;
CREATE POLICY scope ON audit_lookup FOR SELECT USING (
  (SELECT wr_reach('all_audit')) OR actor = (SELECT wr_actor())
  OR department::uuid = ANY ((SELECT wr_departments())::uuid[]));
GRANT SELECT ON audit_lookup TO workreef_tenant_app;

-- The only way in: what the entries themselves say, up to one of them. So a look-up cannot differ from the log.
CREATE FUNCTION audit_index(upto bigint) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  INSERT INTO public.audit_lookup (seq, at, actor, event, target, department)
  SELECT seq, at, actor, event, target, department FROM public.audit_entry
  WHERE seq > (SELECT coalesce(max(seq), 0) FROM public.audit_lookup) AND seq <= upto
  ON CONFLICT DO NOTHING
$$;
-- Up to which entry look-ups are there, whatever the reader may see of them.
CREATE FUNCTION audit_indexed() RETURNS bigint
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT coalesce(max(seq), 0) FROM public.audit_lookup
$$;
REVOKE ALL ON FUNCTION audit_index(bigint), audit_indexed() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION audit_index(bigint), audit_indexed() TO workreef_tenant_app;
SELECT audit_index((SELECT max(size) FROM audit_checkpoint));
"""
DOWN = r"""
DROP FUNCTION audit_index(bigint), audit_indexed();
DROP TABLE audit_lookup;
CREATE INDEX ix_audit_entry_target ON audit_entry (target);
"""


def upgrade() -> None:
    op.get_bind().execution_options(no_parameters=True).exec_driver_sql(UP)


def downgrade() -> None:
    op.get_bind().execution_options(no_parameters=True).exec_driver_sql(DOWN)
