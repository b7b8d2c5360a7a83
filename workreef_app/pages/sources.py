"""The sources in scope, how their last imports went, and, for admins, importing more."""

from __future__ import annotations

import reflex as rx

from workreef_app.pages.ui import (
    Column,
    badge,
    button,
    data_table,
    empty_state,
    link,
    mono,
    none_yet,
    page_header,
    section,
    source,
)
from workreef_app.pages.ui.native import token_field
from workreef_app.pages.ui.ticker import Ticker
from workreef_app.pages.ui.upload import Uploader, file_field, zone_field
from workreef_app.state.import_cards import AccountLine, ImportCard
from workreef_app.state.imports import ImportsState
from workreef_app.state.shell import ShellState
from workreef_app.state.sources import SourceLine, SourcesState

COLUMNS = (
    Column("Source"), Column("Kind"), Column("Last import", wide=True), Column("Lines", wide=True),
    Column("Signals", number=True), Column("Data as of"),
)
POLL_MS = 2000


def sources_page() -> rx.Component:
    """The content of `/sources`."""
    return rx.fragment(
        page_header("Sources", lead="What facts are read from, and how far."),
        sources_table(),
        rx.cond(
            ImportsState.may_import,
            rx.fragment(
                Ticker.create(interval_ms=POLL_MS, active=ImportsState.active, on_tick=ImportsState.tick),
                rx.cond(
                    ImportsState.cards.length() > 0,
                    section("Imports", rx.el.ul(rx.foreach(ImportsState.cards, _import), class_name="wr-list")),
                ),
                section("Import a log", _form(), name="import"),
            ),
            rx.cond(ShellState.locked, rx.fragment(), rx.el.p(
                "Admins import logs. To have one imported, ask ", ShellState.contact, ".", class_name="wr-quiet")),
        ),
    )


def sources_table() -> rx.Component:
    """The sources as a table, or how to get the first."""
    command = "workreef source import --tenant SLUG --kind log_file --department SLUG FILE"
    return rx.cond(
        ShellState.locked,
        empty_state("locked", "The sources cannot be read.", "Their names are sealed under the tenant's key."),
        rx.cond(
            SourcesState.sources.length() > 0,
            data_table("Sources", COLUMNS, SourcesState.sources, _source),
            none_yet("No source yet.", "An admin imports a log on the page Sources, or where WorkReef runs:",
                     mono(command)),
        ),
    )


def _source(line: rx.Var[SourceLine]) -> list[rx.Component | rx.Var[str]]:
    at = rx.cond(
        ImportsState.may_import & (line.last_href != ""), link(line.last_at, line.last_href), rx.el.span(line.last_at)
    )
    last = rx.el.span(badge(line.state, line.last), at, class_name="wr-row")
    return [line.name, source(line.kind), last, line.account, line.signals, line.as_of]


def _form() -> rx.Component:
    return Uploader.create(
        token_field(ShellState.csrf_token),
        rx.el.div(
            _choice("Kind", "kind", rx.el.option("Log file", value="log_file")),
            _choice(
                "Department", "department", rx.el.option("No department: admins only", value=""),
                rx.foreach(ImportsState.departments, lambda choice: rx.el.option(choice.label, value=choice.value)),
            ),
            zone_field("Time zone of lines that name none", ImportsState.zone),
            rx.el.label(
                rx.el.span("Year of lines that name none"),
                rx.el.input(name="year", type="number", min=1970, max=9999, placeholder="guessed"),
                class_name="wr-filter",
            ),
            rx.el.label(
                rx.el.input(type="checkbox", name="gzip", value="true"), rx.el.span("The file is gzip"),
                class_name="wr-check",
            ),
            class_name="wr-filters wr-import-fields",
        ),
        file_field("Files, chosen or dropped here"),
        rx.el.p(
            "A file is sealed as it arrives and erased as its lines are counted. A line that is known already is not "
            "counted again.", class_name="wr-quiet",
        ),
        rx.cond(
            ImportsState.refusals.length() > 0,
            rx.el.ul(rx.foreach(ImportsState.refusals, lambda why: rx.el.li(why)), class_name="wr-refusals"),
        ),
        on_begun=ImportsState.begun, on_sent=ImportsState.sent, on_refused=ImportsState.refused,
        on_cut=ImportsState.cut, class_name="wr-card wr-stack wr-upload", aria_label="Import a log",
    )


def _choice(label: str, name: str, *options: rx.Component) -> rx.Component:
    return rx.el.label(rx.el.span(label), rx.el.select(*options, name=name), class_name="wr-filter")


def _import(card: rx.Var[ImportCard]) -> rx.Component:
    return rx.el.li(
        rx.el.div(
            rx.el.h3(card.file_name, class_name="wr-row-title"), badge(card.state, card.word), class_name="wr-row-head"
        ),
        rx.cond(card.percent >= 0, _counting(card)),
        rx.el.p(card.said),
        rx.cond(
            card.account.length() > 0,
            rx.el.dl(rx.foreach(card.account, _account_line), class_name="wr-facts wr-account"),
        ),
        rx.el.div(
            rx.cond(card.tasks_href != "", link(card.tasks_text, card.tasks_href)),
            rx.cond(card.may_cancel, button("Cancel the import of ", card.file_name,
                                            on_click=ImportsState.cancel(card.id))),
            rx.el.span("Begun ", card.started_at, class_name="wr-quiet"),
            class_name="wr-row",
        ),
        class_name="wr-card wr-stack",
    )


def _counting(card: rx.Var[ImportCard]) -> rx.Component:
    percent = card.percent.to_string()
    return rx.el.div(
        rx.el.span(class_name="wr-progress-fill", style={"width": percent + "%"}),
        role="progressbar", aria_label="Counting " + card.file_name, aria_valuemin=0, aria_valuemax=100,
        aria_valuenow=card.percent, aria_valuetext=card.said, class_name="wr-progress-track",
    )


def _account_line(line: rx.Var[AccountLine]) -> rx.Component:
    return rx.fragment(rx.el.dt(line.label), rx.el.dd(line.number))
