"""API tokens.

Revision ID: 0008
Revises: 0006
"""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

UP = r"""
CREATE TABLE api_token (
    id UUID NOT NULL,
    person_id UUID NOT NULL,
    name BYTEA NOT NULL,
    token_hash BYTEA NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    last_used_at TIMESTAMP WITH TIME ZONE,
    revoked_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (id),
    FOREIGN KEY(person_id) REFERENCES person (id) ON DELETE CASCADE,
    UNIQUE (token_hash),
    CONSTRAINT api_token_lifetime CHECK (expires_at > created_at AND expires_at <= created_at + INTERVAL '8784 hours'),
    CONSTRAINT api_token_name_bounds CHECK (octet_length(name) BETWEEN 45 AND 365 AND get_byte(name, 0) = 1),
    CONSTRAINT api_token_token_hash_bounds CHECK (octet_length(token_hash) = 32)
);
CREATE INDEX ix_api_token_person_id ON api_token (person_id);
CREATE TABLE api_token_operation (
    token_id UUID NOT NULL,
    operation TEXT NOT NULL,
    PRIMARY KEY (token_id, operation),
    FOREIGN KEY(token_id) REFERENCES api_token (id) ON DELETE CASCADE,
    CONSTRAINT api_token_operation_operation_bounds CHECK (operation ~ '^[a-z_]{1,40}[.][a-z_]{1,40}$')
);
ALTER TABLE api_token ENABLE ROW LEVEL SECURITY;
ALTER TABLE api_token_operation ENABLE ROW LEVEL SECURITY;
CREATE POLICY scope ON api_token
  USING ((SELECT wr_reach('people')) OR person_id = (SELECT wr_person()))
  WITH CHECK ((SELECT wr_reach('settings')) OR person_id = (SELECT wr_person()));
CREATE POLICY scope ON api_token_operation
  USING (EXISTS (SELECT 1 FROM api_token p WHERE p.id = api_token_operation.token_id))
  WITH CHECK (EXISTS (SELECT 1 FROM api_token p WHERE p.id = api_token_operation.token_id));
-- What a token may do is said when it is made and never after, and a token that ended stays to be seen. Of a token
-- only its last use and its end are written.
GRANT SELECT, INSERT ON api_token, api_token_operation TO workreef_tenant_app;
GRANT UPDATE (last_used_at, revoked_at) ON api_token TO workreef_tenant_app;
"""

DOWN = r"""
DROP TABLE api_token_operation, api_token;
"""


def _execute(sql: str) -> None:
    op.get_bind().execution_options(no_parameters=True).exec_driver_sql(sql)


def upgrade() -> None:
    _execute(UP)


def downgrade() -> None:
    _execute(DOWN)
