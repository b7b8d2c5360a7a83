"""Sessions, tokens and people that are asked for by id from outside one's scope are told in the audit log too.

Revision ID: 0011
Revises: 0010
"""

from alembic import op
from sqlalchemy import text

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

#: The kinds of row that can be asked for by id from now on. One's own session is never out of scope: it has ended.
KINDS = r"""WHEN 'person' THEN EXISTS (SELECT 1 FROM public.person WHERE id = row_id)
    WHEN 'token' THEN EXISTS (SELECT 1 FROM public.api_token WHERE id = row_id)
    WHEN 'session' THEN EXISTS (
      SELECT 1 FROM public.session WHERE id = row_id AND person_id IS DISTINCT FROM public.wr_person())
    """
EXISTS = """
CREATE OR REPLACE FUNCTION row_exists(kind text, row_id uuid) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $${body}$$;
"""


def _row_exists(before: str, after: str) -> None:
    body = op.get_bind().execute(text("SELECT prosrc FROM pg_proc WHERE proname = 'row_exists'")).scalar_one()
    sql = EXISTS.format(body=body.replace(before, after))
    op.get_bind().execution_options(no_parameters=True).exec_driver_sql(sql)


def upgrade() -> None:
    _row_exists("ELSE false", KINDS + "ELSE false")


def downgrade() -> None:
    _row_exists(KINDS, "")
