"""The control plane: clusters, tenants, the platform's own key.

Revision ID: 0001
Revises:
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "platform_key",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("reference", sa.Text, nullable=False),
        sa.Column("wrapped", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "cluster",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("region", sa.Text, nullable=False),
    )
    op.create_table(
        "tenant",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("slug", sa.Text, nullable=False, unique=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("hipaa", sa.Boolean, nullable=False),
        sa.Column("demo", sa.Boolean, nullable=False),
        sa.Column("cluster", sa.Text, sa.ForeignKey("cluster.name"), nullable=False),
        sa.Column("database", sa.Text, nullable=False, unique=True),
        sa.Column("owner_password", sa.LargeBinary, nullable=False),
        sa.Column("app_password", sa.LargeBinary, nullable=False),
        sa.Column("key_reference", sa.Text, nullable=False),
        sa.Column("key_id", sa.Uuid, nullable=False),
        sa.Column("wrapped_key", sa.LargeBinary, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("slug ~ '^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$'", name="tenant_slug_form"),
        sa.CheckConstraint("status IN ('provisioning', 'active')", name="tenant_status"),
    )
    op.execute("INSERT INTO cluster (name, region) VALUES ('default', 'local')")


def downgrade() -> None:
    op.drop_table("tenant")
    op.drop_table("cluster")
    op.drop_table("platform_key")
