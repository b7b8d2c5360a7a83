"""The sources in scope and how their last imports went."""

from __future__ import annotations

import reflex as rx

from workreef_app.pages.ui import Column, badge, data_table, empty_state, mono, none_yet, page_header, source
from workreef_app.state.shell import ShellState
from workreef_app.state.sources import SourceLine, SourcesState

COLUMNS = (
    Column("Source"), Column("Kind"), Column("Last import", wide=True), Column("Lines", wide=True),
    Column("Signals", number=True), Column("Data as of"),
)


def sources_page() -> rx.Component:
    """The content of `/sources`."""
    return rx.fragment(page_header("Sources", lead="What facts are read from, and how far."), sources_table())


def sources_table() -> rx.Component:
    """The sources as a table, or how to get the first."""
    command = "workreef source import --tenant SLUG --kind log_file --department SLUG FILE"
    return rx.cond(
        ShellState.locked,
        empty_state("locked", "The sources cannot be read.", "Their names are sealed under the tenant's key."),
        rx.cond(
            SourcesState.sources.length() > 0,
            data_table("Sources", COLUMNS, SourcesState.sources, _source),
            none_yet("No source yet.", "An admin imports a log on the machine that WorkReef runs on:", mono(command)),
        ),
    )


def _source(line: rx.Var[SourceLine]) -> list[rx.Component | rx.Var[str]]:
    last = rx.el.span(badge(line.state, line.last), line.last_at, class_name="wr-row")
    return [line.name, source(line.kind), last, line.account, line.signals, line.as_of]
