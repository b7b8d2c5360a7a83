"""The list of modules that hold operations; importing them fills the registry."""

from __future__ import annotations

from importlib import import_module

MODULES = (
    "workreef_app.services.access.operations",
    "workreef_app.services.audit_review.operations",
    "workreef_app.services.signals.operations",
    "workreef_app.services.recommend.operations",
    "workreef_app.services.digest.operations",
)


def load() -> None:
    """Fills the registry, and loads every table: a foreign key must find its target even where nothing migrates."""
    import_module("workreef_app.services.tables")
    for module in MODULES:
        import_module(module)
