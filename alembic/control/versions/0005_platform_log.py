"""The platform's own audit chain, in the format of a tenant's.

Revision ID: 0005
Revises: 0004
"""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

UP = r"""
CREATE TABLE platform_entry (
    seq BIGINT NOT NULL,
    content TEXT NOT NULL CHECK (char_length(content) <= 8192),
    chain_hash BYTEA NOT NULL CHECK (octet_length(chain_hash) = 32),
    PRIMARY KEY (seq)
);
CREATE TABLE platform_head (
    "only" BOOLEAN NOT NULL CHECK ("only"),
    seq BIGINT NOT NULL,
    chain_hash BYTEA NOT NULL CHECK (octet_length(chain_hash) = 32),
    PRIMARY KEY ("only")
);
INSERT INTO platform_head ("only", seq, chain_hash)
VALUES (true, 0, sha256('workreef/audit/v1/00000000-0000-0000-0000-000000000000'));

CREATE FUNCTION platform_append(content text) RETURNS bigint
LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
  WITH head AS (
    UPDATE public.platform_head h
    SET seq = h.seq + 1, chain_hash = sha256(convert_to($1, 'UTF8') || h.chain_hash)
    RETURNING h.seq, h.chain_hash
  )
  INSERT INTO public.platform_entry AS e (seq, content, chain_hash)
  SELECT head.seq, $1, head.chain_hash FROM head
  RETURNING e.seq
$$;
REVOKE ALL ON FUNCTION platform_append(text) FROM PUBLIC;

-- Entries stay as they are; whoever owns the database can take this away, and the hashes tell of it.
CREATE FUNCTION platform_entry_stays() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RAISE EXCEPTION 'the audit log only grows';
END $$;
CREATE TRIGGER platform_entry_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON platform_entry
FOR EACH STATEMENT EXECUTE FUNCTION platform_entry_stays();
"""


def upgrade() -> None:
    op.get_bind().execution_options(no_parameters=True).exec_driver_sql(UP)


def downgrade() -> None:
    op.execute("DROP FUNCTION platform_append(text)")
    op.execute("DROP TABLE platform_entry, platform_head")
    op.execute("DROP FUNCTION platform_entry_stays()")
