"""Single sign-on: the provider, who is known by it, and which sign-ins came back already.

Revision ID: 0009
Revises: 0006
"""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

UP = r"""
CREATE TABLE identity_provider (
    "only" BOOLEAN NOT NULL,
    issuer BYTEA NOT NULL,
    client_id BYTEA NOT NULL,
    client_secret BYTEA,
    group_claim BYTEA NOT NULL,
    mapping BYTEA NOT NULL,
    domains BYTEA NOT NULL,
    link_by_email BOOLEAN NOT NULL,
    enabled BOOLEAN NOT NULL,
    passwords_for_admins_only BOOLEAN NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY ("only"),
    CONSTRAINT identity_provider_issuer_bounds CHECK (octet_length(issuer) BETWEEN 45 AND 2045
        AND get_byte(issuer, 0) = 1),
    CONSTRAINT identity_provider_client_id_bounds CHECK (octet_length(client_id) BETWEEN 45 AND 845
        AND get_byte(client_id, 0) = 1),
    CONSTRAINT identity_provider_client_secret_bounds CHECK (octet_length(client_secret) BETWEEN 45 AND 2045
        AND get_byte(client_secret, 0) = 1),
    CONSTRAINT identity_provider_group_claim_bounds CHECK (octet_length(group_claim) BETWEEN 45 AND 445
        AND get_byte(group_claim, 0) = 1),
    CONSTRAINT identity_provider_mapping_bounds CHECK (octet_length(mapping) BETWEEN 45 AND 131117
        AND get_byte(mapping, 0) = 1),
    CONSTRAINT identity_provider_domains_bounds CHECK (octet_length(domains) BETWEEN 45 AND 16429
        AND get_byte(domains, 0) = 1)
);
CREATE TABLE federated_identity (
    id UUID NOT NULL,
    person_id UUID NOT NULL,
    issuer_index BYTEA NOT NULL,
    subject_index BYTEA NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    last_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT federated_identity_once UNIQUE (person_id, issuer_index),
    FOREIGN KEY(person_id) REFERENCES person (id) ON DELETE CASCADE,
    CONSTRAINT federated_identity_issuer_index_bounds CHECK (octet_length(issuer_index) = 32),
    UNIQUE (subject_index),
    CONSTRAINT federated_identity_subject_index_bounds CHECK (octet_length(subject_index) = 32)
);
CREATE TABLE used_sign_on (
    state_hash BYTEA NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (state_hash),
    CONSTRAINT used_sign_on_state_hash_bounds CHECK (octet_length(state_hash) = 32)
);
CREATE INDEX ix_used_sign_on_expires_at ON used_sign_on (expires_at);

ALTER TABLE identity_provider ENABLE ROW LEVEL SECURITY;
ALTER TABLE federated_identity ENABLE ROW LEVEL SECURITY;
ALTER TABLE used_sign_on ENABLE ROW LEVEL SECURITY;
-- Who signs in is nobody yet: the part of the system that lets them in sees people, and changes no setting.
CREATE POLICY scope ON identity_provider
  USING ((SELECT wr_reach('people'))) WITH CHECK ((SELECT wr_reach('settings')));
CREATE POLICY scope ON federated_identity
  USING ((SELECT wr_reach('people')) OR person_id = (SELECT wr_person())) WITH CHECK ((SELECT wr_reach('people')));
CREATE POLICY scope ON used_sign_on
  USING ((SELECT wr_reach('people'))) WITH CHECK ((SELECT wr_reach('people')));
GRANT SELECT, INSERT, UPDATE ON identity_provider TO workreef_tenant_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON federated_identity TO workreef_tenant_app;
GRANT SELECT, INSERT, DELETE ON used_sign_on TO workreef_tenant_app;
"""

DOWN = r"""
DROP TABLE used_sign_on, federated_identity, identity_provider;
"""


def _execute(sql: str) -> None:
    op.get_bind().execution_options(no_parameters=True).exec_driver_sql(sql)


def upgrade() -> None:
    _execute(UP)


def downgrade() -> None:
    _execute(DOWN)
