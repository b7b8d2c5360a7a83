"""The audit log's filter columns read the content as json: making a jsonb for each was a tenth of an append.

Revision ID: 0002
Revises: 0001
"""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

COLUMNS = ("at", "actor", "event", "target", "department")
POLICY = """
CREATE POLICY scope ON audit_entry USING (
  (SELECT wr_reach('all_audit')) OR actor = (SELECT wr_actor())
  OR department::uuid = ANY ((SELECT wr_departments())::uuid[]))
"""


def _columns(kind: str) -> None:
    op.execute("DROP POLICY scope ON audit_entry")
    op.execute("ALTER TABLE audit_entry " + ", ".join(f"DROP COLUMN {name}" for name in COLUMNS))
    op.execute("ALTER TABLE audit_entry " + ", ".join(
        f"ADD COLUMN {name} TEXT GENERATED ALWAYS AS (((content)\\:\\:{kind} ->> '{name}')) STORED" for name in COLUMNS
    ))
    op.execute("CREATE INDEX ix_audit_entry_target ON audit_entry (target)")
    op.execute(POLICY.replace("::", "\\:\\:"))


def upgrade() -> None:
    _columns("json")


def downgrade() -> None:
    _columns("jsonb")
