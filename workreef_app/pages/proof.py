"""The small form that asks anew who it is, before something dangerous."""

from __future__ import annotations

import reflex as rx

from workreef_app.pages.ui import button
from workreef_app.state.shell import ShellState


def proof_form() -> rx.Component:
    """Password, and a code where there is a second factor. It repeats nothing by itself."""
    return rx.el.form(
        rx.el.h2("Is it you?"),
        rx.el.label(
            rx.el.span("Password"),
            rx.el.input(
                name="password", type="password", auto_complete="current-password", required=True, auto_focus=True,
                max_length=200,
            ),
            class_name="wr-filter",
        ),
        rx.cond(
            ShellState.factor,
            rx.el.label(
                rx.el.span("Code of your second factor"),
                rx.el.input(name="code", auto_complete="one-time-code", required=True, max_length=40),
                class_name="wr-filter",
            ),
        ),
        rx.el.div(button("It is me", type="submit", kind="primary"), class_name="wr-tools"),
        on_submit=ShellState.prove_again,
        aria_label="Is it you?",
        class_name="wr-card wr-stack wr-form wr-proof",
    )
