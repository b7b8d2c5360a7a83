"""The application: imports and wiring only."""

from functools import partial

import reflex as rx

from workreef_app.http import wiring
from workreef_app.http.middleware import ASGIApp
from workreef_app.pages import (
    access,
    account,
    alarms,
    audit,
    audit_events,
    collecting,
    digest,
    imports,
    own,
    people,
    proposal,
    redaction,
    settings,
    sign_on,
    sources,
    status,
    tasks,
    tokens,
    trouble,
    verifying,
    witnessing,
)
from workreef_app.pages.shell import app_wraps, head, shell
from workreef_app.state import guard
from workreef_app.state.access import AccessState
from workreef_app.state.account import AccountState
from workreef_app.state.admin import StatusState
from workreef_app.state.alarm_routes import RoutesState
from workreef_app.state.alarms import AlarmsState
from workreef_app.state.audit import AuditState, EntryState
from workreef_app.state.audit_events import EventsState
from workreef_app.state.collecting import CollectorState
from workreef_app.state.contributor import MyWorkState, NotesState
from workreef_app.state.ended import EndedState
from workreef_app.state.imports import ImportsState
from workreef_app.state.jobs import JobsState
from workreef_app.state.people import PeopleState
from workreef_app.state.person import PersonState
from workreef_app.state.proposal import ProposalState
from workreef_app.state.redaction import RedactionState
from workreef_app.state.rehearsing import RehearsalState
from workreef_app.state.settings import SettingsState
from workreef_app.state.shell import ShellState, tell_nobody
from workreef_app.state.sign_on import SignOnState
from workreef_app.state.sources import SourcesState
from workreef_app.state.tokens import TokensState
from workreef_app.state.verifying import VerifyState
from workreef_app.state.witnessing import WitnessState
from workreef_app.state.work import DigestState, ListState, TaskState

PAGES = (
    ("/", "Digest", digest.digest_page, DigestState.load),
    ("/tasks", "Tasks", tasks.tasks_page, ListState.load_tasks),
    ("/tasks/[task_id]", "Task", tasks.task_page, TaskState.load),
    ("/proposals", "Proposals", tasks.proposals_page, ListState.load_proposals),
    ("/proposals/[proposal_id]", "Proposal", proposal.proposal_page, ProposalState.load),
    ("/sources", "Sources", sources.sources_page, [SourcesState.load, ImportsState.load]),
    ("/audit", "Audit", audit.audit_page, AuditState.load),
    ("/audit/events", "Audit events", audit_events.events_page, EventsState.load),
    ("/audit/verify", "Verify", verifying.verify_page, [VerifyState.load, RehearsalState.load]),
    ("/admin/siem", "SIEM", collecting.collector_page, CollectorState.load),
    ("/admin/witnesses", "Witnesses", witnessing.witnesses_page, WitnessState.load),
    ("/audit/[seq]", "Audit entry", audit.entry_page, EntryState.load),
    ("/imports", "Imports", imports.imports_page, EndedState.load),
    ("/account", "Account", account.account_page, AccountState.load),
    ("/admin/settings", "Settings", settings.settings_page, SettingsState.load),
    ("/admin/redaction", "Redaction", redaction.redaction_page, RedactionState.load),
    ("/admin/people", "People", people.people_page, PeopleState.load),
    ("/admin/people/[person_id]", "Person", people.person_page, PersonState.load),
    ("/admin/sso", "Single sign-on", sign_on.sign_on_page, SignOnState.load),
    ("/admin/tokens", "API tokens", tokens.tokens_page, TokensState.load),
    ("/me", "My work", own.my_work_page, MyWorkState.load),
    ("/notes", "Notes", own.notes_page, NotesState.load),
    ("/access", "Access", access.access_page, AccessState.load),
    ("/alarms", "Alarms", alarms.alarms_page, AlarmsState.load),
    ("/admin/alarms", "Where alarms go", alarms.routes_page, RoutesState.load),
    ("/admin/status", "Status", status.status_page, [StatusState.load, JobsState.load]),
)

app = rx.App(
    stylesheets=["/workreef.css", "/screens.css"], toaster=None, app_wraps=app_wraps(), head_components=head(),
    html_lang="en", backend_exception_handler=tell_nobody,
)
for route, title, content, load in PAGES:
    section = route.split("/[")[0].removesuffix("/verify").removesuffix("/events")
    app.add_page(
        shell(trouble.or_trouble(content()), title=title, current=section), route=route, title=f"{title} · WorkReef",
        on_load=[ShellState.load, *(load if isinstance(load, list) else [load]), ShellState.arrive],
    )
app.add_page(
    shell(trouble.not_found(), title="Not found", current=""), route="404", title="Not found · WorkReef",
    on_load=[ShellState.load, ShellState.arrive],
)
gate = guard.install(app)
wiring.install(app, wiring.Tabs(partial(guard.close_tabs, app, gate), partial(guard.look_again, app, gate)))


def serve() -> ASGIApp:
    """The whole application as it is served."""
    return wiring.front(app(), gate.owner)
