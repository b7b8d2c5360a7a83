"""Checkpoints of the audit log, and the nodes of its tree from which proofs are made.

Revision ID: 0012
Revises: 0011
"""

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

UP = r"""
CREATE TABLE audit_node (
    level SMALLINT NOT NULL,
    number BIGINT NOT NULL,
    hash BYTEA NOT NULL,
    PRIMARY KEY (level, number),
    CONSTRAINT audit_node_hash_bounds CHECK (octet_length(hash) = 32)
);
CREATE TABLE audit_checkpoint (
    size BIGINT NOT NULL,
    root BYTEA NOT NULL,
    note TEXT NOT NULL,
    made_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (size),
    CONSTRAINT audit_checkpoint_root_bounds CHECK (octet_length(root) = 32),
    CONSTRAINT audit_checkpoint_note_bounds CHECK (char_length(note) <= 4096)
);
ALTER TABLE audit_node ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit_checkpoint ENABLE ROW LEVEL SECURITY;
-- Hashes and sizes tell nothing of what is in the log, and anyone signed in may verify it.
CREATE POLICY scope ON audit_node FOR SELECT USING (wr_actor() IS NOT NULL);
CREATE POLICY add ON audit_node FOR INSERT WITH CHECK (wr_actor() IS NOT NULL);
CREATE POLICY scope ON audit_checkpoint FOR SELECT USING (wr_actor() IS NOT NULL);
CREATE POLICY add ON audit_checkpoint FOR INSERT WITH CHECK (wr_actor() IS NOT NULL);
GRANT SELECT, INSERT ON audit_node, audit_checkpoint TO workreef_tenant_app;
"""


def upgrade() -> None:
    op.get_bind().execution_options(no_parameters=True).exec_driver_sql(UP)


def downgrade() -> None:
    op.execute("DROP TABLE audit_checkpoint")
    op.execute("DROP TABLE audit_node")
