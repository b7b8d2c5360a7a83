"""Alarms and how they were delivered.

Revision ID: 0005
Revises: 0004
"""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

KINDS = "job_quarantined|job_failed|import_stopped|delivery_failed|limiter_unreachable|key_unreachable|workers_missing"

UP = rf"""
CREATE TABLE alarm (
    id UUID NOT NULL,
    kind TEXT NOT NULL,
    severity TEXT NOT NULL,
    state TEXT NOT NULL,
    department_id UUID,
    subject TEXT NOT NULL,
    detail BYTEA NOT NULL,
    times INTEGER NOT NULL,
    opening INTEGER NOT NULL,
    raised_at TIMESTAMP WITH TIME ZONE NOT NULL,
    last_at TIMESTAMP WITH TIME ZONE NOT NULL,
    owner_id UUID,
    acknowledged_at TIMESTAMP WITH TIME ZONE,
    acknowledged_by TEXT,
    resolved_at TIMESTAMP WITH TIME ZONE,
    resolved_by TEXT,
    PRIMARY KEY (id),
    FOREIGN KEY(department_id) REFERENCES department (id),
    FOREIGN KEY(owner_id) REFERENCES person (id) ON DELETE SET NULL,
    CONSTRAINT alarm_kind_bounds CHECK (kind ~ '^({KINDS}|disk_low)$'),
    CONSTRAINT alarm_severity_bounds CHECK (severity ~ '^(notice|warning|critical)$'),
    CONSTRAINT alarm_state_bounds CHECK (state ~ '^(open|acknowledged|resolved)$'),
    CONSTRAINT alarm_subject_bounds CHECK (subject ~ '^[a-z0-9_:.-]{{0,80}}$'),
    CONSTRAINT alarm_detail_bounds CHECK (octet_length(detail) BETWEEN 45 AND 2093 AND get_byte(detail, 0) = 1),
    CONSTRAINT alarm_acknowledged_by_bounds CHECK (char_length(acknowledged_by) <= 120),
    CONSTRAINT alarm_resolved_by_bounds CHECK (char_length(resolved_by) <= 120)
);
CREATE UNIQUE INDEX alarm_once ON alarm (kind, subject) WHERE state <> 'resolved';
CREATE TABLE alarm_delivery (
    alarm_id UUID NOT NULL,
    opening INTEGER NOT NULL,
    channel TEXT NOT NULL,
    status TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    failure TEXT,
    answer INTEGER,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (alarm_id, opening, channel),
    FOREIGN KEY(alarm_id) REFERENCES alarm (id) ON DELETE CASCADE,
    CONSTRAINT alarm_delivery_channel_bounds CHECK (channel ~ '^(mail|webhook)$'),
    CONSTRAINT alarm_delivery_status_bounds CHECK (status ~ '^(delivered|failed|uncertain)$'),
    CONSTRAINT alarm_delivery_failure_bounds CHECK (failure ~ '^[a-z_]{{1,40}}$')
);
CREATE TABLE alarm_route (
    "only" BOOLEAN NOT NULL,
    mail_recipients BYTEA NOT NULL,
    webhook_url BYTEA NOT NULL,
    webhook_secret BYTEA,
    minimum_severity TEXT NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY ("only"),
    CONSTRAINT alarm_route_mail_recipients_bounds CHECK (octet_length(mail_recipients) BETWEEN 45 AND 8237
        AND get_byte(mail_recipients, 0) = 1),
    CONSTRAINT alarm_route_webhook_url_bounds CHECK (octet_length(webhook_url) BETWEEN 45 AND 2045
        AND get_byte(webhook_url, 0) = 1),
    CONSTRAINT alarm_route_webhook_secret_bounds CHECK (octet_length(webhook_secret) BETWEEN 45 AND 365
        AND get_byte(webhook_secret, 0) = 1),
    CONSTRAINT alarm_route_minimum_severity_bounds CHECK (minimum_severity ~ '^(notice|warning|critical)$')
);
ALTER TABLE alarm ENABLE ROW LEVEL SECURITY;
ALTER TABLE alarm_delivery ENABLE ROW LEVEL SECURITY;
ALTER TABLE alarm_route ENABLE ROW LEVEL SECURITY;
-- What is of no department is for admins, and for the jobs that deliver it.
CREATE POLICY scope ON alarm
  USING (((SELECT wr_reach('all_work')) AND (department_id IS NOT NULL OR (SELECT wr_reach('people'))))
    OR department_id = ANY ((SELECT wr_departments())::uuid[]))
  WITH CHECK (((SELECT wr_reach('all_work')) AND (department_id IS NOT NULL OR (SELECT wr_reach('people'))))
    OR department_id = ANY ((SELECT wr_departments())::uuid[]));
CREATE POLICY scope ON alarm_delivery
  USING (EXISTS (SELECT 1 FROM alarm p WHERE p.id = alarm_delivery.alarm_id))
  WITH CHECK (EXISTS (SELECT 1 FROM alarm p WHERE p.id = alarm_delivery.alarm_id));
CREATE POLICY scope ON alarm_route
  USING ((SELECT wr_reach('settings')) OR ((SELECT wr_reach('all_work')) AND (SELECT wr_reach('people'))))
  WITH CHECK ((SELECT wr_reach('settings')));
-- An alarm is raised and cleared by the two functions alone, and nothing of it is taken away.
GRANT SELECT, UPDATE ON alarm TO workreef_tenant_app;
GRANT SELECT, INSERT, UPDATE ON alarm_delivery, alarm_route TO workreef_tenant_app;

-- Raises an alarm, or repeats the one that is not resolved, whoever acts and whatever they may see. `deliver` says
-- that it is new, or worse than it was, and that somebody wants it sent.
CREATE FUNCTION alarm_raise(
  a_id uuid, a_kind text, a_severity text, a_department uuid, a_subject text, a_detail bytea, a_at timestamptz,
  OUT alarm_id uuid, OUT deliver boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE found_one public.alarm; ranks text[] := ARRAY['notice', 'warning', 'critical'];
BEGIN
  LOOP
    SELECT * INTO found_one FROM public.alarm a
      WHERE a.kind = a_kind AND a.subject = a_subject AND a.state <> 'resolved' FOR UPDATE;
    IF FOUND THEN
      alarm_id := found_one.id;
      deliver := array_position(ranks, a_severity) > array_position(ranks, found_one.severity);
      UPDATE public.alarm a SET times = a.times + 1, last_at = greatest(a.last_at, a_at), detail = a_detail
        WHERE a.id = found_one.id;
      IF deliver THEN
        UPDATE public.alarm a SET severity = a_severity, opening = a.opening + 1, state = 'open',
          acknowledged_at = NULL, acknowledged_by = NULL WHERE a.id = found_one.id;
      END IF;
      EXIT;
    END IF;
    INSERT INTO public.alarm (id, kind, severity, state, department_id, subject, detail, times, opening, raised_at,
      last_at) VALUES (a_id, a_kind, a_severity, 'open', a_department, a_subject, a_detail, 1, 1, a_at, a_at)
      ON CONFLICT DO NOTHING;
    IF FOUND THEN
      alarm_id := a_id;
      deliver := true;
      EXIT;
    END IF;
  END LOOP;
  deliver := deliver AND EXISTS (SELECT 1 FROM public.alarm_route r
    WHERE array_position(ranks, a_severity) >= array_position(ranks, r.minimum_severity));
END $$;

-- Resolves the alarm of a kind and subject when its cause is gone; NULL when there was none.
CREATE FUNCTION alarm_clear(a_kind text, a_subject text, a_at timestamptz) RETURNS uuid
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  UPDATE public.alarm a SET state = 'resolved', resolved_at = a_at, resolved_by = public.wr_actor()
  WHERE a.kind = a_kind AND a.subject = a_subject AND a.state <> 'resolved' RETURNING a.id
$$;

REVOKE ALL ON FUNCTION alarm_raise(uuid, text, text, uuid, text, bytea, timestamptz),
  alarm_clear(text, text, timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION alarm_raise(uuid, text, text, uuid, text, bytea, timestamptz),
  alarm_clear(text, text, timestamptz) TO workreef_tenant_app;
"""

DOWN = r"""
DROP FUNCTION alarm_raise(uuid, text, text, uuid, text, bytea, timestamptz), alarm_clear(text, text, timestamptz);
DROP TABLE alarm_route, alarm_delivery, alarm;
"""

# Which kinds of row can be asked for by id.
EXISTS = r"""
CREATE OR REPLACE FUNCTION row_exists(kind text, row_id uuid) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT CASE kind
    {cases}
    ELSE false END $$;
"""
BEFORE = {"source": "source", "import": "import_run", "signal": "signal", "task": "task", "proposal": "proposal"}
NEW = {"job": "job", "alarm": "alarm"}


def _execute(sql: str) -> None:
    op.get_bind().execution_options(no_parameters=True).exec_driver_sql(sql)


def _row_exists(kinds: dict[str, str]) -> None:
    cases = "\n    ".join(
        f"WHEN '{kind}' THEN EXISTS (SELECT 1 FROM public.{table} WHERE id = row_id)" for kind, table in kinds.items()
    )
    _execute(EXISTS.format(cases=cases))


def upgrade() -> None:
    _execute(UP)
    _row_exists(BEFORE | NEW)


def downgrade() -> None:
    _row_exists(BEFORE)
    _execute(DOWN)
