"""The lists of modules that hold operations and bodies of jobs; importing them fills the registries."""

from __future__ import annotations

from importlib import import_module

MODULES = (
    "workreef_app.services.job_control.lifecycle",
    "workreef_app.services.job_control.operations",
    "workreef_app.services.alarms.delivery",
    "workreef_app.services.alarms.operations",
    "workreef_app.services.alarms.routes",
    "workreef_app.services.access.operations",
    "workreef_app.services.access.people_listing",
    "workreef_app.services.access.people_operations",
    "workreef_app.services.access.password_operations",
    "workreef_app.services.access.link_operations",
    "workreef_app.services.access.factor_operations",
    "workreef_app.services.access.session_operations",
    "workreef_app.services.access.own_operations",
    "workreef_app.services.access.settings_operations",
    "workreef_app.services.access.token_operations",
    "workreef_app.services.sso.setup",
    "workreef_app.services.sso.handing",
    "workreef_app.services.sso.steps",
    "workreef_app.services.redaction.operations",
    "workreef_app.services.access.matrix",
    "workreef_app.services.access.lookup",
    "workreef_app.services.witnesses.operations",
    "workreef_app.services.audit_review.operations",
    "workreef_app.services.audit_review.feeding",
    "workreef_app.services.audit_review.checkpointing",
    "workreef_app.services.audit_review.proving",
    "workreef_app.services.audit_review.rehearsal",
    "workreef_app.services.audit_review.stepwise",
    "workreef_app.services.siem.operations",
    "workreef_app.services.signals.operations",
    "workreef_app.services.signals.receiving",
    "workreef_app.services.signals.advancing",
    "workreef_app.services.recommend.operations",
    "workreef_app.services.recommend.finishing",
    "workreef_app.services.signals.notes",
    "workreef_app.services.digest.operations",
    "workreef_app.services.digest.my_work",
    "workreef_app.services.digest.imports",
    "workreef_app.services.posture.operations",
)
#: Modules that hold the bodies of jobs.
JOBS: tuple[str, ...] = (
    "workreef_app.services.access.link_operations",
    "workreef_app.services.alarms.jobs",
    "workreef_app.services.recommend.jobs",
    "workreef_app.services.digest.jobs",
)


def load() -> None:
    """Fills the registry, and loads every table: a foreign key must find its target even where nothing migrates."""
    import_module("workreef_app.services.tables")
    for module in (*MODULES, *JOBS):
        import_module(module)
