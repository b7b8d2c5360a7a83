"""Indexes for the lists of the audit log: each filter finds its newest entries by an index of its own.

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
CREATE INDEX audit_entry_target ON audit_entry (target, seq);
CREATE INDEX audit_entry_actor ON audit_entry (actor, seq);
CREATE INDEX audit_entry_event ON audit_entry (event, seq);
CREATE INDEX audit_entry_department ON audit_entry (department, seq) WHERE department IS NOT NULL;
CREATE INDEX audit_entry_at ON audit_entry (at, seq);
"""
DOWN = r"""
DROP INDEX audit_entry_target, audit_entry_actor, audit_entry_event, audit_entry_department, audit_entry_at;
CREATE INDEX ix_audit_entry_target ON audit_entry (target);
"""


def upgrade() -> None:
    op.get_bind().execution_options(no_parameters=True).exec_driver_sql(UP)


def downgrade() -> None:
    op.get_bind().execution_options(no_parameters=True).exec_driver_sql(DOWN)
