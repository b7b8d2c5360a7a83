"""The foundation: people, audit chain, sources and signals, proposals; row-level security on every table.

Revision ID: 0001
Revises:
"""

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TABLES = r"""
CREATE TABLE audit_entry (
    seq BIGINT NOT NULL,
    content TEXT NOT NULL,
    chain_hash BYTEA NOT NULL,
    at TEXT GENERATED ALWAYS AS (((content)::jsonb ->> 'at')) STORED,
    actor TEXT GENERATED ALWAYS AS (((content)::jsonb ->> 'actor')) STORED,
    event TEXT GENERATED ALWAYS AS (((content)::jsonb ->> 'event')) STORED,
    target TEXT GENERATED ALWAYS AS (((content)::jsonb ->> 'target')) STORED,
    department TEXT GENERATED ALWAYS AS (((content)::jsonb ->> 'department')) STORED,
    PRIMARY KEY (seq),
    CONSTRAINT audit_entry_content_bounds CHECK (char_length(content) <= 8192),
    CONSTRAINT audit_entry_chain_hash_bounds CHECK (octet_length(chain_hash) = 32)
);
CREATE INDEX ix_audit_entry_target ON audit_entry (target);
CREATE TABLE audit_head (
    "only" BOOLEAN NOT NULL,
    seq BIGINT NOT NULL,
    chain_hash BYTEA NOT NULL,
    PRIMARY KEY ("only"),
    CONSTRAINT audit_head_chain_hash_bounds CHECK (octet_length(chain_hash) = 32)
);
CREATE TABLE data_key (
    id UUID NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (id)
);
CREATE TABLE department (
    id UUID NOT NULL,
    slug TEXT NOT NULL,
    name BYTEA NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (slug),
    CONSTRAINT department_slug_bounds CHECK (slug ~ '^[a-z0-9][a-z0-9-]{0,39}$'),
    CONSTRAINT department_name_bounds CHECK (octet_length(name) BETWEEN 45 AND 365 AND get_byte(name, 0) = 1)
);
CREATE TABLE person (
    id UUID NOT NULL,
    email BYTEA NOT NULL,
    email_index BYTEA NOT NULL,
    name BYTEA NOT NULL,
    password_hash BYTEA,
    status TEXT NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT person_email_bounds CHECK (octet_length(email) BETWEEN 45 AND 1061 AND get_byte(email, 0) = 1),
    UNIQUE (email_index),
    CONSTRAINT person_email_index_bounds CHECK (octet_length(email_index) = 32),
    CONSTRAINT person_name_bounds CHECK (octet_length(name) BETWEEN 45 AND 525 AND get_byte(name, 0) = 1),
    CONSTRAINT person_password_hash_bounds CHECK (octet_length(password_hash) BETWEEN 45 AND 1069
        AND get_byte(password_hash, 0) = 1),
    CONSTRAINT person_status_bounds CHECK (status ~ '^(invited|active|deactivated)$')
);
CREATE TABLE setting (
    name TEXT NOT NULL,
    number BIGINT NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (name),
    CONSTRAINT setting_name_bounds CHECK (name ~ '^[a-z_]{1,40}[.][a-z_]{1,40}$')
);
CREATE TABLE invitation (
    id UUID NOT NULL,
    person_id UUID NOT NULL,
    token_hash BYTEA NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    used_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (id),
    FOREIGN KEY(person_id) REFERENCES person (id) ON DELETE CASCADE,
    UNIQUE (token_hash),
    CONSTRAINT invitation_token_hash_bounds CHECK (octet_length(token_hash) = 32)
);
CREATE TABLE membership (
    person_id UUID NOT NULL,
    department_id UUID NOT NULL,
    PRIMARY KEY (person_id, department_id),
    FOREIGN KEY(person_id) REFERENCES person (id) ON DELETE CASCADE,
    FOREIGN KEY(department_id) REFERENCES department (id)
);
CREATE TABLE person_persona (
    person_id UUID NOT NULL,
    persona TEXT NOT NULL,
    PRIMARY KEY (person_id, persona),
    FOREIGN KEY(person_id) REFERENCES person (id) ON DELETE CASCADE,
    CONSTRAINT person_persona_persona_bounds CHECK (
        persona ~ '^(operator|dept_lead|change_leader|contributor|admin|security_reviewer)$')
);
CREATE TABLE session (
    id UUID NOT NULL,
    person_id UUID NOT NULL,
    token_hash BYTEA NOT NULL,
    host TEXT NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    last_active_at TIMESTAMP WITH TIME ZONE NOT NULL,
    revoked_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (id),
    FOREIGN KEY(person_id) REFERENCES person (id) ON DELETE CASCADE,
    UNIQUE (token_hash),
    CONSTRAINT session_token_hash_bounds CHECK (octet_length(token_hash) = 32),
    CONSTRAINT session_host_bounds CHECK (char_length(host) <= 255)
);
CREATE INDEX ix_session_person_id ON session (person_id);
CREATE TABLE source (
    id UUID NOT NULL,
    kind TEXT NOT NULL,
    department_id UUID,
    name BYTEA NOT NULL,
    revision BIGINT NOT NULL,
    as_of TIMESTAMP WITH TIME ZONE,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT source_once UNIQUE NULLS NOT DISTINCT (kind, department_id),
    CONSTRAINT source_kind_bounds CHECK (kind ~ '^(log_file)$'),
    FOREIGN KEY(department_id) REFERENCES department (id),
    CONSTRAINT source_name_bounds CHECK (octet_length(name) BETWEEN 45 AND 525 AND get_byte(name, 0) = 1)
);
CREATE TABLE task (
    id UUID NOT NULL,
    department_id UUID,
    title BYTEA NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY(department_id) REFERENCES department (id),
    CONSTRAINT task_title_bounds CHECK (octet_length(title) BETWEEN 45 AND 1005 AND get_byte(title, 0) = 1)
);
CREATE TABLE analysis (
    id UUID NOT NULL,
    task_id UUID NOT NULL,
    kind TEXT NOT NULL,
    body BYTEA NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY(task_id) REFERENCES task (id),
    CONSTRAINT analysis_kind_bounds CHECK (kind ~ '^(heuristic)$'),
    CONSTRAINT analysis_body_bounds CHECK (octet_length(body) BETWEEN 45 AND 32813 AND get_byte(body, 0) = 1)
);
CREATE INDEX ix_analysis_task_id ON analysis (task_id);
CREATE TABLE import_run (
    id UUID NOT NULL,
    source_id UUID NOT NULL,
    department_id UUID,
    file_name BYTEA NOT NULL,
    status TEXT NOT NULL,
    batches INTEGER NOT NULL,
    lines BIGINT NOT NULL,
    added BIGINT NOT NULL,
    repeated BIGINT NOT NULL,
    skipped BYTEA NOT NULL,
    started_at TIMESTAMP WITH TIME ZONE NOT NULL,
    finished_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (id),
    FOREIGN KEY(source_id) REFERENCES source (id),
    FOREIGN KEY(department_id) REFERENCES department (id),
    CONSTRAINT import_run_file_name_bounds CHECK (octet_length(file_name) BETWEEN 45 AND 1065
        AND get_byte(file_name, 0) = 1),
    CONSTRAINT import_run_status_bounds CHECK (status ~ '^(running|finished|stopped)$'),
    CONSTRAINT import_run_skipped_bounds CHECK (octet_length(skipped) BETWEEN 45 AND 1069 AND get_byte(skipped, 0) = 1)
);
CREATE INDEX ix_import_run_source_id ON import_run (source_id);
CREATE TABLE seen_line (
    source_id UUID NOT NULL,
    digest BYTEA NOT NULL,
    lines INTEGER NOT NULL,
    run_id UUID NOT NULL,
    run_lines INTEGER NOT NULL,
    PRIMARY KEY (source_id, digest),
    FOREIGN KEY(source_id) REFERENCES source (id) ON DELETE CASCADE,
    CONSTRAINT seen_line_digest_bounds CHECK (octet_length(digest) = 16)
);
CREATE TABLE signal (
    id UUID NOT NULL,
    source_id UUID NOT NULL,
    department_id UUID,
    task_id UUID,
    template_id BIGINT NOT NULL,
    template BYTEA NOT NULL,
    times BIGINT NOT NULL,
    days INTEGER NOT NULL,
    hours INTEGER NOT NULL,
    constant_tokens BIGINT NOT NULL,
    total_tokens BIGINT NOT NULL,
    window_from TIMESTAMP WITH TIME ZONE,
    window_to TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (id),
    CONSTRAINT signal_template UNIQUE (source_id, template_id),
    FOREIGN KEY(source_id) REFERENCES source (id),
    FOREIGN KEY(department_id) REFERENCES department (id),
    FOREIGN KEY(task_id) REFERENCES task (id),
    CONSTRAINT signal_template_bounds CHECK (octet_length(template) BETWEEN 45 AND 65581 AND get_byte(template, 0) = 1)
);
CREATE INDEX ix_signal_task_id ON signal (task_id);
CREATE TABLE observation (
    id UUID NOT NULL,
    source_id UUID NOT NULL,
    signal_id UUID NOT NULL,
    department_id UUID,
    hour TIMESTAMP WITH TIME ZONE NOT NULL,
    lines BIGINT NOT NULL,
    constant_tokens BIGINT NOT NULL,
    total_tokens BIGINT NOT NULL,
    first_at TIMESTAMP WITH TIME ZONE NOT NULL,
    last_at TIMESTAMP WITH TIME ZONE NOT NULL,
    handler_index BYTEA,
    summary BYTEA NOT NULL,
    summary_key UUID GENERATED ALWAYS AS ((encode(substring(summary from 2 for 16), 'hex'))::uuid) STORED,
    PRIMARY KEY (id),
    CONSTRAINT observation_hour UNIQUE (signal_id, hour),
    FOREIGN KEY(source_id) REFERENCES source (id),
    FOREIGN KEY(signal_id) REFERENCES signal (id),
    FOREIGN KEY(department_id) REFERENCES department (id),
    CONSTRAINT observation_handler_index_bounds CHECK (octet_length(handler_index) = 32),
    CONSTRAINT observation_summary_bounds CHECK (octet_length(summary) = 285 AND get_byte(summary, 0) = 1),
    FOREIGN KEY(summary_key) REFERENCES data_key (id)
);
CREATE INDEX ix_observation_source_id ON observation (source_id);
CREATE TABLE proposal (
    id UUID NOT NULL,
    task_id UUID NOT NULL,
    analysis_id UUID NOT NULL,
    department_id UUID,
    recommendation TEXT NOT NULL,
    before_gate TEXT NOT NULL,
    reason TEXT NOT NULL,
    score INTEGER NOT NULL,
    status TEXT NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (task_id),
    FOREIGN KEY(task_id) REFERENCES task (id),
    FOREIGN KEY(analysis_id) REFERENCES analysis (id),
    FOREIGN KEY(department_id) REFERENCES department (id),
    CONSTRAINT proposal_recommendation_bounds CHECK (recommendation ~ '^(do_now|pilot|later|human_only)$'),
    CONSTRAINT proposal_before_gate_bounds CHECK (before_gate ~ '^(do_now|pilot|later|human_only)$'),
    CONSTRAINT proposal_reason_bounds CHECK (reason ~ '^[a-z_]{1,40}$'),
    CONSTRAINT proposal_status_bounds CHECK (status ~ '^(open|returned|accepted|declined)$')
);
CREATE TABLE decision (
    id UUID NOT NULL,
    proposal_id UUID NOT NULL,
    department_id UUID,
    person_id UUID NOT NULL,
    choice TEXT NOT NULL,
    reason BYTEA NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY(proposal_id) REFERENCES proposal (id),
    FOREIGN KEY(department_id) REFERENCES department (id),
    FOREIGN KEY(person_id) REFERENCES person (id),
    CONSTRAINT decision_choice_bounds CHECK (choice ~ '^(accept|return|decline)$'),
    CONSTRAINT decision_reason_bounds CHECK (octet_length(reason) BETWEEN 45 AND 2045 AND get_byte(reason, 0) = 1)
);
CREATE INDEX ix_decision_proposal_id ON decision (proposal_id);
ALTER TABLE audit_head SET (fillfactor = 50);
"""

# What the running unit of work may see. A reused connection holds '' where nothing is set, hence NULLIF.
SCOPE = r"""
CREATE FUNCTION wr_actor() RETURNS text LANGUAGE sql STABLE AS
  $$ SELECT NULLIF(current_setting('workreef.actor', true), '') $$;
CREATE FUNCTION wr_person() RETURNS uuid LANGUAGE sql STABLE AS
  $$ SELECT NULLIF(current_setting('workreef.person', true), '')::uuid $$;
CREATE FUNCTION wr_departments() RETURNS uuid[] LANGUAGE sql STABLE AS
  $$ SELECT string_to_array(NULLIF(current_setting('workreef.departments', true), ''), ',')::uuid[] $$;
CREATE FUNCTION wr_reach(what text) RETURNS boolean LANGUAGE sql STABLE AS
  $$ SELECT wr_actor() IS NOT NULL
     AND COALESCE(what = ANY (string_to_array(NULLIF(current_setting('workreef.reach', true), ''), ',')), false) $$;

DO $do$ DECLARE t text; BEGIN
  FOR t IN SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
           WHERE n.nspname = 'public' AND c.relkind = 'r' AND c.relname <> 'alembic_version' LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
  END LOOP;
END $do$;
"""

IN_SCOPE = (
    "((SELECT wr_reach('all_work')) OR {table}.department_id = ANY ((SELECT wr_departments())::uuid[]))"
)
#: Tables with a department, and the parent row (same department, seen under its own policy) that a write needs.
DEPARTMENTAL = {
    "source": None,
    "task": None,
    "import_run": ("source", "source_id"),
    "signal": ("source", "source_id"),
    "observation": ("signal", "signal_id"),
    "proposal": ("task", "task_id"),
    "decision": ("proposal", "proposal_id"),
}
#: Tables whose scope is their parent's.
CHILDREN = {"seen_line": ("source", "source_id"), "analysis": ("task", "task_id")}

POLICIES = r"""
CREATE POLICY scope ON department USING (wr_actor() IS NOT NULL) WITH CHECK ((SELECT wr_reach('settings')));
CREATE POLICY scope ON setting USING (wr_actor() IS NOT NULL) WITH CHECK ((SELECT wr_reach('settings')));
CREATE POLICY scope ON data_key USING (wr_actor() IS NOT NULL);
CREATE POLICY scope ON audit_head USING (wr_actor() IS NOT NULL);
CREATE POLICY scope ON audit_entry USING (
  (SELECT wr_reach('all_audit')) OR actor = (SELECT wr_actor())
  OR department::uuid = ANY ((SELECT wr_departments())::uuid[]));
CREATE POLICY scope ON membership
  USING ((SELECT wr_reach('people')) OR person_id = (SELECT wr_person())
    OR department_id = ANY ((SELECT wr_departments())::uuid[]))
  WITH CHECK ((SELECT wr_reach('people')));
CREATE POLICY scope ON person_persona
  USING ((SELECT wr_reach('people')) OR person_id = (SELECT wr_person()))
  WITH CHECK ((SELECT wr_reach('people')));
CREATE POLICY scope ON person
  USING ((SELECT wr_reach('people')) OR id = (SELECT wr_person())
    OR EXISTS (SELECT 1 FROM membership m WHERE m.person_id = person.id
               AND m.department_id = ANY ((SELECT wr_departments())::uuid[])))
  WITH CHECK ((SELECT wr_reach('people')) OR id = (SELECT wr_person()));
CREATE POLICY scope ON session
  USING ((SELECT wr_reach('people')) OR person_id = (SELECT wr_person()))
  WITH CHECK ((SELECT wr_reach('people')) OR person_id = (SELECT wr_person()));
CREATE POLICY scope ON invitation
  USING ((SELECT wr_reach('people'))) WITH CHECK ((SELECT wr_reach('people')));
"""

# The only way into the chain: content || previous hash, under the lock of the one-row head. The commit does not wait
# for the disk, so that the lock is not held meanwhile and writers share a flush; `flush` after it does, before
# anybody is answered. The log is written in order: what is flushed has everything before it.
AUDIT = r"""
CREATE FUNCTION audit_append(content text) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE number bigint;
BEGIN
  PERFORM set_config('synchronous_commit', 'off', true);
  WITH head AS (
    UPDATE public.audit_head h
    SET seq = h.seq + 1, chain_hash = sha256(convert_to($1, 'UTF8') || h.chain_hash)
    RETURNING h.seq, h.chain_hash
  )
  INSERT INTO public.audit_entry AS e (seq, content, chain_hash)
  SELECT head.seq, $1, head.chain_hash FROM head
  RETURNING e.seq INTO STRICT number;
  RETURN number;
END $$;

-- Tells, after an answer of "no such row", whether the row exists outside the actor's scope.
CREATE FUNCTION row_exists(kind text, row_id uuid) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT CASE kind
    WHEN 'source' THEN EXISTS (SELECT 1 FROM public.source WHERE id = row_id)
    WHEN 'import' THEN EXISTS (SELECT 1 FROM public.import_run WHERE id = row_id)
    WHEN 'signal' THEN EXISTS (SELECT 1 FROM public.signal WHERE id = row_id)
    WHEN 'task' THEN EXISTS (SELECT 1 FROM public.task WHERE id = row_id)
    WHEN 'proposal' THEN EXISTS (SELECT 1 FROM public.proposal WHERE id = row_id)
    ELSE false END $$;

REVOKE ALL ON FUNCTION audit_append(text), row_exists(text, uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION audit_append(text), row_exists(text, uuid) TO workreef_tenant_app;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO workreef_tenant_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON analysis, decision, department, import_run, invitation, membership,
  observation, person, person_persona, proposal, seen_line, session, setting, signal, source,
  task TO workreef_tenant_app;
GRANT SELECT ON audit_entry, audit_head, data_key, alembic_version TO workreef_tenant_app;
"""

DOWN = r"""
DROP FUNCTION audit_append(text), row_exists(text, uuid);
DROP TABLE decision, proposal, observation, signal, seen_line, import_run, analysis, task, source, session,
  person_persona, membership, invitation, setting, person, department, data_key, audit_head, audit_entry;
DROP FUNCTION wr_reach(text), wr_departments(), wr_person(), wr_actor();
"""


def _execute(sql: str) -> None:
    bind = op.get_bind().execution_options(no_parameters=True)
    bind.exec_driver_sql(sql)


def upgrade() -> None:
    _execute(TABLES + SCOPE + POLICIES)
    for table, parent in DEPARTMENTAL.items():
        scope = IN_SCOPE.format(table=table)
        check = scope
        if parent is not None:
            name, key = parent
            check = (
                f"{scope} AND EXISTS (SELECT 1 FROM {name} p WHERE p.id = {table}.{key} "
                f"AND p.department_id IS NOT DISTINCT FROM {table}.department_id)"
            )
        _execute(f"CREATE POLICY scope ON {table} USING ({scope}) WITH CHECK ({check})")
    for table, (name, key) in CHILDREN.items():
        within = f"EXISTS (SELECT 1 FROM {name} p WHERE p.id = {table}.{key})"
        _execute(f"CREATE POLICY scope ON {table} USING ({within}) WITH CHECK ({within})")
    _execute(AUDIT)


def downgrade() -> None:
    _execute(DOWN)
