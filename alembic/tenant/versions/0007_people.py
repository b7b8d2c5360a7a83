"""Second factors, links by mail, personas for a time, and what a session came from.

Revision ID: 0007
Revises: 0006
"""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

UP = r"""
ALTER TABLE person_persona ADD COLUMN expires_at TIMESTAMP WITH TIME ZONE;

-- Until now a session's start was the only proof of who somebody is.
ALTER TABLE session
    ADD COLUMN authenticated_at TIMESTAMP WITH TIME ZONE, ADD COLUMN device BYTEA, ADD COLUMN address BYTEA,
    ADD CONSTRAINT session_device_bounds CHECK (octet_length(device) BETWEEN 45 AND 365 AND get_byte(device, 0) = 1),
    ADD CONSTRAINT session_address_bounds CHECK (octet_length(address) BETWEEN 45 AND 301
        AND get_byte(address, 0) = 1);
UPDATE session SET authenticated_at = created_at;
ALTER TABLE session ALTER COLUMN authenticated_at SET NOT NULL;

ALTER TABLE invitation
    ADD COLUMN revoked_at TIMESTAMP WITH TIME ZONE, ADD COLUMN purpose TEXT NOT NULL DEFAULT 'invitation',
    ADD CONSTRAINT invitation_purpose_bounds CHECK (purpose ~ '^(invitation|reset)$');
ALTER TABLE invitation ALTER COLUMN purpose DROP DEFAULT;

CREATE TABLE factor (
    person_id UUID NOT NULL,
    secret BYTEA NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    confirmed_at TIMESTAMP WITH TIME ZONE,
    last_step BIGINT NOT NULL,
    failures INTEGER NOT NULL,
    blocked_until TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (person_id),
    FOREIGN KEY(person_id) REFERENCES person (id) ON DELETE CASCADE,
    CONSTRAINT factor_secret_bounds CHECK (octet_length(secret) BETWEEN 45 AND 301 AND get_byte(secret, 0) = 1)
);
CREATE TABLE recovery_code (
    id UUID NOT NULL,
    person_id UUID NOT NULL,
    code_hash BYTEA NOT NULL,
    used_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (id),
    FOREIGN KEY(person_id) REFERENCES person (id) ON DELETE CASCADE,
    UNIQUE (code_hash),
    CONSTRAINT recovery_code_code_hash_bounds CHECK (octet_length(code_hash) = 32)
);
CREATE INDEX ix_recovery_code_person_id ON recovery_code (person_id);
CREATE TABLE link_request (
    id UUID NOT NULL,
    purpose TEXT NOT NULL,
    email BYTEA NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT link_request_purpose_bounds CHECK (purpose ~ '^(invitation|reset)$'),
    CONSTRAINT link_request_email_bounds CHECK (octet_length(email) BETWEEN 45 AND 1061 AND get_byte(email, 0) = 1)
);

ALTER TABLE factor ENABLE ROW LEVEL SECURITY;
ALTER TABLE recovery_code ENABLE ROW LEVEL SECURITY;
ALTER TABLE link_request ENABLE ROW LEVEL SECURITY;
CREATE POLICY scope ON factor
  USING ((SELECT wr_reach('people')) OR person_id = (SELECT wr_person()))
  WITH CHECK ((SELECT wr_reach('people')) OR person_id = (SELECT wr_person()));
CREATE POLICY scope ON recovery_code
  USING ((SELECT wr_reach('people')) OR person_id = (SELECT wr_person()))
  WITH CHECK ((SELECT wr_reach('people')) OR person_id = (SELECT wr_person()));
CREATE POLICY scope ON link_request
  USING ((SELECT wr_reach('people'))) WITH CHECK ((SELECT wr_reach('people')));
GRANT SELECT, INSERT, UPDATE, DELETE ON factor, recovery_code, link_request TO workreef_tenant_app;
"""

DOWN = r"""
DROP TABLE link_request, recovery_code, factor;
-- An older version knows no link that only resets a password, and would let it stand in for an invitation.
DELETE FROM invitation WHERE purpose <> 'invitation' OR revoked_at IS NOT NULL;
ALTER TABLE invitation DROP COLUMN purpose, DROP COLUMN revoked_at;
ALTER TABLE session DROP COLUMN authenticated_at, DROP COLUMN device, DROP COLUMN address;
-- Nor a persona that ends: who has one for a time has it no longer.
DELETE FROM person_persona WHERE expires_at IS NOT NULL;
ALTER TABLE person_persona DROP COLUMN expires_at;
"""


def _execute(sql: str) -> None:
    op.get_bind().execution_options(no_parameters=True).exec_driver_sql(sql)


def upgrade() -> None:
    _execute(UP)


def downgrade() -> None:
    _execute(DOWN)
