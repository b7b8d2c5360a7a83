"""Keys that sign checkpoints, and a copy of every checkpoint outside of its tenant's database.

Revision ID: 0004
Revises: 0003
"""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

UP = r"""
CREATE TABLE signing_key (
    id UUID NOT NULL,
    public BYTEA NOT NULL CHECK (octet_length(public) = 32),
    private BYTEA NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    retired_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (id),
    UNIQUE (public)
);
CREATE TABLE checkpoint (
    log_id UUID NOT NULL,
    size BIGINT NOT NULL CHECK (size > 0),
    note TEXT NOT NULL CHECK (char_length(note) <= 4096),
    kept_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (log_id, size)
);
"""


def upgrade() -> None:
    op.get_bind().execution_options(no_parameters=True).exec_driver_sql(UP)


def downgrade() -> None:
    op.execute("DROP TABLE checkpoint")
    op.execute("DROP TABLE signing_key")
