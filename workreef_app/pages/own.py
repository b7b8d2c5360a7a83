"""The landing page of contributors."""

from __future__ import annotations

import reflex as rx

from workreef_app.pages.ui import page_header, section
from workreef_app.state.contributor import MyWorkState


def my_work_page() -> rx.Component:
    """The content of `/me`."""
    return rx.fragment(
        page_header("My work"),
        rx.el.p(MyWorkState.status, class_name="wr-calm"),
        section("What changes, and when", rx.el.p(MyWorkState.changes)),
        section("Whom to ask", rx.el.p(MyWorkState.ask_whom)),
    )
