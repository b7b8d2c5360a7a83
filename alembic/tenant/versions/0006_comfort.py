"""Time zones, visits, and the history of settings.

Revision ID: 0006
Revises: 0005
"""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

ZONE = "'^[A-Za-z][A-Za-z0-9_+-]{0,30}(/[A-Za-z0-9_+-]{1,30}){0,2}$'"
NAME = "'^[a-z_]{1,40}([.][a-z_]{1,40})?$'"

UP = rf"""
ALTER TABLE person ADD COLUMN time_zone TEXT, ADD CONSTRAINT person_time_zone_bounds CHECK (time_zone ~ {ZONE});

CREATE TABLE person_visit (
    person_id UUID NOT NULL,
    last_seen TIMESTAMP WITH TIME ZONE NOT NULL,
    previous_visit_end TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (person_id),
    FOREIGN KEY(person_id) REFERENCES person (id) ON DELETE CASCADE
);

-- What has been set so far is the first version of it.
ALTER TABLE setting
    ADD COLUMN word TEXT, ADD COLUMN version BIGINT NOT NULL DEFAULT 1, ALTER COLUMN number DROP NOT NULL,
    DROP CONSTRAINT setting_name_bounds, ADD CONSTRAINT setting_name_bounds CHECK (name ~ {NAME}),
    ADD CONSTRAINT setting_word_bounds CHECK (word ~ {ZONE});
ALTER TABLE setting ALTER COLUMN version DROP DEFAULT;

CREATE TABLE setting_change (
    id UUID NOT NULL,
    name TEXT NOT NULL,
    before BYTEA NOT NULL,
    after BYTEA NOT NULL,
    person_id UUID,
    actor TEXT NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY(person_id) REFERENCES person (id) ON DELETE SET NULL,
    CONSTRAINT setting_change_name_bounds CHECK (name ~ {NAME}),
    CONSTRAINT setting_change_before_bounds CHECK (octet_length(before) BETWEEN 45 AND 245
        AND get_byte(before, 0) = 1),
    CONSTRAINT setting_change_after_bounds CHECK (octet_length(after) BETWEEN 45 AND 245 AND get_byte(after, 0) = 1),
    CONSTRAINT setting_change_actor_bounds CHECK (char_length(actor) <= 120)
);
CREATE INDEX ix_setting_change_name ON setting_change (name);

ALTER TABLE person_visit ENABLE ROW LEVEL SECURITY;
ALTER TABLE setting_change ENABLE ROW LEVEL SECURITY;
CREATE POLICY scope ON person_visit
  USING ((SELECT wr_reach('people')) OR person_id = (SELECT wr_person()))
  WITH CHECK ((SELECT wr_reach('people')) OR person_id = (SELECT wr_person()));
CREATE POLICY scope ON setting_change
  USING ((SELECT wr_reach('settings')) OR (SELECT wr_reach('all_audit')))
  WITH CHECK ((SELECT wr_reach('settings')));
GRANT SELECT, INSERT, UPDATE, DELETE ON person_visit TO workreef_tenant_app;
-- What was changed stays: the history is only added to.
GRANT SELECT, INSERT ON setting_change TO workreef_tenant_app;
"""

DOWN = r"""
DROP TABLE setting_change, person_visit;
DELETE FROM setting WHERE number IS NULL OR name !~ '^[a-z_]{1,40}[.][a-z_]{1,40}$';
ALTER TABLE setting
    DROP COLUMN word, DROP COLUMN version, ALTER COLUMN number SET NOT NULL, DROP CONSTRAINT setting_name_bounds,
    ADD CONSTRAINT setting_name_bounds CHECK (name ~ '^[a-z_]{1,40}[.][a-z_]{1,40}$');
ALTER TABLE person DROP COLUMN time_zone;
"""


def _execute(sql: str) -> None:
    op.get_bind().execution_options(no_parameters=True).exec_driver_sql(sql)


def upgrade() -> None:
    _execute(UP)


def downgrade() -> None:
    _execute(DOWN)
