"""The tenant's settings: a form with the difference before it is saved, and the history."""

from __future__ import annotations

import reflex as rx

from workreef_app.pages.account import zone_options
from workreef_app.pages.filters import select_filter
from workreef_app.pages.ui import (
    Column,
    button,
    data_table,
    empty_state,
    link,
    none_match,
    none_yet,
    page_header,
    pager,
    section,
)
from workreef_app.state.settings import ChangeLine, Edit, SettingField, SettingsState
from workreef_app.state.shell import ShellState

HISTORY = (
    Column("When"), Column("Setting"), Column("From"), Column("To"), Column("Who"),
    Column("Audit"), Column("Undo"),
)


def settings_page() -> rx.Component:
    """The content of `/admin/settings`."""
    return rx.fragment(
        page_header("Settings", lead="What this organisation has set for itself, and who changed what when."),
        rx.el.form(
            rx.el.ul(rx.foreach(SettingsState.fields, _field), class_name="wr-list"),
            zone_options("wr-setting-zones"),
            rx.cond(
                SettingsState.may_change,
                rx.el.div(button("Review changes", kind="primary", type="submit"), class_name="wr-tools"),
                rx.el.p("Admins change settings.", class_name="wr-quiet"),
            ),
            on_submit=SettingsState.review,
            class_name="wr-stack",
            aria_label="Settings",
        ),
        rx.el.div(_difference(), role="status", class_name="wr-told-here"),
        _history(),
    )


def _field(row: rx.Var[SettingField]) -> rx.Component:
    return rx.el.li(
        rx.el.label(
            rx.el.strong(row.title),
            rx.el.span(
                rx.el.input(
                    name=row.name, default_value=row.value, key=row.value, max_length=64, auto_complete="off",
                    spell_check=False, disabled=~SettingsState.may_change, aria_describedby=row.name + "-about",
                    aria_invalid=row.fault != "",
                    custom_attrs={
                        "data-draft": row.name, "inputMode": rx.cond(row.kind == "number", "numeric", "text"),
                        "list": rx.cond(row.kind == "zone", "wr-setting-zones", rx.Var("undefined")),
                    },
                ),
                " ", rx.el.span(row.unit, class_name="wr-quiet"),
            ),
            class_name="wr-filter",
        ),
        rx.el.div(
            rx.el.p(row.meaning),
            rx.el.p(
                rx.cond(row.bounds != "", row.bounds + " · ", ""), "default ", row.default, " · ",
                rx.cond(row.changed != "", rx.el.span(
                    "changed ", row.changed, " · ", link("History", "/admin/settings?setting=" + row.name),
                ), "never changed"),
                class_name="wr-quiet",
            ),
            rx.cond(row.fault != "", rx.el.p(rx.icon("triangle-alert", size=16, aria_hidden="true"), " ", row.fault,
                                             class_name="wr-fault")),
            id=row.name + "-about",
        ),
        class_name="wr-card wr-setting",
    )


def _difference() -> rx.Component:
    return rx.cond(
        SettingsState.edits.length() > 0,
        rx.el.section(
            rx.el.h2("To be changed"),
            rx.el.ul(rx.foreach(SettingsState.edits, _edit), class_name="wr-bullets"),
            rx.el.div(
                button(SettingsState.edits_text, kind="primary", on_click=SettingsState.save),
                button("Cancel", on_click=SettingsState.cancel),
                class_name="wr-tools",
            ),
            aria_label="To be changed",
            class_name="wr-card wr-stack",
        ),
    )


def _edit(edit: rx.Var[Edit]) -> rx.Component:
    return rx.el.li(
        edit.title, ": ", rx.el.del_(edit.before), " → ", rx.el.ins(edit.after), " ",
        rx.el.span(edit.unit, class_name="wr-quiet"),
    )


def _history() -> rx.Component:
    return section(
        "History",
        rx.cond(
            ShellState.locked,
            empty_state("locked", "The history cannot be read.", "It is sealed under the tenant's key."),
            rx.cond(
                SettingsState.changes_total > 0,
                rx.fragment(
                    rx.el.p(rx.el.strong(SettingsState.changes_text), " · newest first", class_name="wr-quiet"),
                    data_table("Changes of settings, newest first", HISTORY, SettingsState.changes, _change),
                    pager(first_href=SettingsState.first_href, next_href=SettingsState.next_href),
                ),
                rx.cond(
                    SettingsState.history_of != "",
                    none_match("Nobody has changed this setting.", "/admin/settings"),
                    none_yet("Nothing was changed yet.", "Each change will stand here with who made it."),
                ),
            ),
        ),
        aside=select_filter(
            "Setting", SettingsState.history_of, SettingsState.choices, SettingsState.choose_history
        ),
        name="history",
    )


def _change(line: rx.Var[ChangeLine]) -> list[rx.Component | rx.Var[str]]:
    return [
        line.at, line.title, rx.el.del_(line.before), rx.el.ins(line.after), line.by,
        rx.cond(line.entry != "", link(line.entry, line.entry_href), rx.el.span("–")),
        rx.cond(
            line.can_undo,
            button("Undo", on_click=SettingsState.undo(line.change_id), aria_label="Undo: " + line.title + " back to "
                   + line.before),
            rx.el.span("–"),
        ),
    ]
