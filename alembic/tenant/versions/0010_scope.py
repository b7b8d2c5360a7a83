"""Notes of people about their own work, and policies that keep every write in its writer's scope.

Revision ID: 0010
Revises: 0006
"""

from alembic import op
from sqlalchemy import text

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

NOTES = r"""
CREATE TABLE person_note (
    id UUID NOT NULL,
    person_id UUID NOT NULL,
    department_id UUID NOT NULL,
    body BYTEA NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY(person_id) REFERENCES person (id) ON DELETE CASCADE,
    FOREIGN KEY(department_id) REFERENCES department (id),
    CONSTRAINT person_note_body_bounds CHECK (octet_length(body) BETWEEN 45 AND 8045 AND get_byte(body, 0) = 1)
);
CREATE INDEX ix_person_note_person_id ON person_note (person_id);
CREATE INDEX ix_person_note_department_id ON person_note (department_id);
ALTER TABLE person_note ENABLE ROW LEVEL SECURITY;
-- For its author and the department it was told to; all work and all people are not enough. Only its author writes.
CREATE POLICY scope ON person_note FOR SELECT
  USING (person_id = (SELECT wr_person()) OR department_id = ANY ((SELECT wr_departments())::uuid[]));
CREATE POLICY add ON person_note FOR INSERT WITH CHECK (
  person_id = (SELECT wr_person())
  AND EXISTS (SELECT 1 FROM membership m WHERE m.person_id = person_note.person_id
              AND m.department_id = person_note.department_id));
CREATE POLICY take_back ON person_note FOR DELETE USING (person_id = (SELECT wr_person()));
GRANT SELECT, INSERT, DELETE ON person_note TO workreef_tenant_app;
"""

PEOPLE, SETTINGS = "(SELECT wr_reach('people'))", "(SELECT wr_reach('settings'))"
OWN_DEPARTMENTS = "ANY ((SELECT wr_departments())::uuid[])"
COLLEAGUES = (
    f"EXISTS (SELECT 1 FROM membership m WHERE m.person_id = person.id AND m.department_id = {OWN_DEPARTMENTS})"
)
#: Who may read a row, and who may write one. One policy for both let whoever could read a row delete it.
SPLIT = {
    "department": (
        f"(SELECT wr_reach('all_work')) OR {PEOPLE} OR {SETTINGS} OR id = {OWN_DEPARTMENTS} OR EXISTS "
        "(SELECT 1 FROM membership m WHERE m.department_id = department.id AND m.person_id = (SELECT wr_person()))",
        SETTINGS,
    ),
    "setting": ("wr_actor() IS NOT NULL", SETTINGS),
    "membership": (f"{PEOPLE} OR person_id = (SELECT wr_person()) OR department_id = {OWN_DEPARTMENTS}", PEOPLE),
    "person_persona": (f"{PEOPLE} OR person_id = (SELECT wr_person())", PEOPLE),
    "person": (f"{PEOPLE} OR id = (SELECT wr_person()) OR {COLLEAGUES}", PEOPLE),
}
#: What a person may change of themself.
OWN_PERSON = """
CREATE POLICY own ON person FOR UPDATE USING (id = (SELECT wr_person())) WITH CHECK (id = (SELECT wr_person()));
"""

IN_SCOPE = f"((SELECT wr_reach('all_work')) OR {{table}}.department_id = {OWN_DEPARTMENTS})"
PARENT = (
    "EXISTS (SELECT 1 FROM proposal p WHERE p.id = decision.proposal_id "
    "AND p.department_id IS NOT DISTINCT FROM decision.department_id)"
)
READ_JOB = f"(SELECT wr_reach('all_work')) OR (SELECT wr_reach('all_audit')) OR department_id = {OWN_DEPARTMENTS}"
NARROWED = rf"""
DROP POLICY scope ON job;
-- Whoever acts may ask for work: of no department, or of one in scope.
CREATE POLICY scope ON job USING ({READ_JOB})
  WITH CHECK (wr_actor() IS NOT NULL AND (department_id IS NULL OR {IN_SCOPE.format(table="job")}));
DROP POLICY scope ON decision;
-- Nobody decides in another's name, and what was decided stays.
CREATE POLICY scope ON decision USING ({IN_SCOPE.format(table="decision")})
  WITH CHECK ({IN_SCOPE.format(table="decision")} AND person_id = (SELECT wr_person()) AND {PARENT});
REVOKE UPDATE, DELETE ON decision FROM workreef_tenant_app;
"""
WIDENED = rf"""
GRANT UPDATE, DELETE ON decision TO workreef_tenant_app;
DROP POLICY scope ON decision;
CREATE POLICY scope ON decision USING ({IN_SCOPE.format(table="decision")})
  WITH CHECK ({IN_SCOPE.format(table="decision")} AND {PARENT});
DROP POLICY scope ON job;
CREATE POLICY scope ON job USING ({READ_JOB}) WITH CHECK (wr_actor() IS NOT NULL);
"""

#: The kind of row that can be asked for by id from now on. Kinds that other revisions know stay.
KIND = "WHEN 'note' THEN EXISTS (SELECT 1 FROM public.person_note WHERE id = row_id)\n    "
EXISTS = """
CREATE OR REPLACE FUNCTION row_exists(kind text, row_id uuid) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $${body}$$;
"""


def _execute(sql: str) -> None:
    op.get_bind().execution_options(no_parameters=True).exec_driver_sql(sql)


def _row_exists(before: str, after: str) -> None:
    body = op.get_bind().execute(text("SELECT prosrc FROM pg_proc WHERE proname = 'row_exists'")).scalar_one()
    _execute(EXISTS.format(body=body.replace(before, after)))


def upgrade() -> None:
    _execute(NOTES + NARROWED)
    for table, (read, write) in SPLIT.items():
        _execute(f"DROP POLICY scope ON {table}; CREATE POLICY scope ON {table} FOR SELECT USING ({read});")
        _execute(
            f"CREATE POLICY add ON {table} FOR INSERT WITH CHECK ({write});"
            f"CREATE POLICY change ON {table} FOR UPDATE USING ({write}) WITH CHECK ({write});"
            f"CREATE POLICY remove ON {table} FOR DELETE USING ({write});"
        )
    _execute(OWN_PERSON)
    _row_exists("ELSE false", KIND + "ELSE false")


def downgrade() -> None:
    _row_exists(KIND, "")
    _execute("DROP POLICY own ON person; DROP TABLE person_note;" + WIDENED)
    for table, (read, write) in SPLIT.items():
        _execute(f"DROP POLICY add ON {table}; DROP POLICY change ON {table}; DROP POLICY remove ON {table};")
        read = "wr_actor() IS NOT NULL" if table == "department" else read
        write = f"{write} OR id = (SELECT wr_person())" if table == "person" else write
        _execute(f"DROP POLICY scope ON {table}; CREATE POLICY scope ON {table} USING ({read}) WITH CHECK ({write});")
