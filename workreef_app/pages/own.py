"""The landing pages of contributors and admins."""

from __future__ import annotations

import reflex as rx

from workreef_app.pages.sources import sources_table
from workreef_app.pages.ui import Column, badge, data_table, page_header, section
from workreef_app.state.admin import SettingLine, StatusState
from workreef_app.state.contributor import MyWorkState


def my_work_page() -> rx.Component:
    """The content of `/me`."""
    return rx.fragment(
        page_header("My work"),
        rx.el.p(MyWorkState.status, class_name="wr-calm"),
        section("What changes, and when", rx.el.p(MyWorkState.changes)),
        section("Whom to ask", rx.el.p(MyWorkState.ask_whom)),
    )


def status_page() -> rx.Component:
    """The content of `/admin/status`."""
    return rx.fragment(
        page_header("Status", lead="What this tenant runs on, and how each part stands."),
        section("Key", rx.el.p(badge(StatusState.key_state, StatusState.key_word), " ", StatusState.key_text)),
        section("Sources", sources_table()),
        section(
            "Settings",
            data_table(
                "Settings",
                (Column("Setting"), Column("Value", number=True), Column("Bounds"), Column("Meaning", wide=True)),
                StatusState.settings, _setting,
            ),
        ),
    )


def _setting(line: rx.Var[SettingLine]) -> list[rx.Component | rx.Var[str]]:
    return [
        rx.el.span(line.name), rx.cond(line.own, rx.el.strong(line.value), rx.el.span(line.value)), line.bounds,
        line.meaning,
    ]
