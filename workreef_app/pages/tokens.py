"""API tokens: which there are, a new one, and the end of one."""

from __future__ import annotations

import reflex as rx

from workreef_app.pages.ui import Column, badge, button, data_table, mono, none_yet, page_header, pager, section
from workreef_app.state.tokens import OperationChoice, TokenLine, TokensState

COLUMNS = (
    Column("Name", wide=True), Column("Acts for"), Column("Operations", wide=True), Column("State"),
    Column("Last used"), Column("Expires"), Column("End"),
)


def tokens_page() -> rx.Component:
    """The content of `/admin/tokens`."""
    return rx.fragment(
        page_header(
            "API tokens",
            lead="A token lets a program call the operations that it lists, as the person who made it.",
        ),
        section(
            "Tokens",
            rx.cond(
                TokensState.total > 0,
                rx.fragment(
                    rx.el.p(rx.el.strong(TokensState.count), " · newest first", class_name="wr-quiet"),
                    data_table("API tokens, newest first", COLUMNS, TokensState.rows, _token),
                    pager(first_href=TokensState.first_href, next_href=TokensState.next_href),
                ),
                none_yet("No token yet.", "A program that calls WorkReef needs one."),
            ),
        ),
        section("New token", _form(), _made()),
    )


def _made() -> rx.Component:
    """The token that was just made, where its maker looks: under the button."""
    return rx.cond(
        TokensState.made != "",
        rx.el.div(
            rx.el.p(rx.el.strong("The new token. It is shown this once: copy it now.")),
            rx.el.code(TokensState.made, class_name="wr-mono wr-hash-full"),
            rx.el.p("A program sends it as ", mono("Authorization: Bearer …"), ".", class_name="wr-quiet"),
            class_name="wr-card wr-stack", role="status",
        ),
    )


def _token(line: rx.Var[TokenLine]) -> list[rx.Component | rx.Var[str]]:
    return [
        line.name, line.owner, rx.el.span(line.operations, class_name="wr-quiet"), badge(line.state, line.standing),
        line.used, line.expires,
        rx.cond(
            line.active,
            button("Revoke", on_click=TokensState.revoke(line.token_id), aria_label="Revoke: " + line.name),
            rx.el.span("–"),
        ),
    ]


def _form() -> rx.Component:
    return rx.el.form(
        rx.el.label(
            rx.el.span("What it is for"),
            rx.el.input(name="name", required=True, max_length=80, auto_complete="off"),
            class_name="wr-filter wr-reason",
        ),
        rx.el.label(
            rx.el.span("For how many days it holds, at most 366"),
            rx.el.input(
                name="days", required=True, default_value="90", max_length=3, auto_complete="off",
                custom_attrs={"inputMode": "numeric", "pattern": "[0-9]{1,3}"},
            ),
            class_name="wr-filter",
        ),
        rx.el.fieldset(
            rx.el.legend("What it may call"),
            rx.el.ul(rx.foreach(TokensState.choices, _choice), class_name="wr-list"),
            class_name="wr-stack",
        ),
        rx.el.div(button("Make the token", type="submit", kind="primary"), class_name="wr-tools"),
        on_submit=TokensState.create, reset_on_submit=True, aria_label="New token",
        class_name="wr-card wr-stack wr-form",
    )


def _choice(choice: rx.Var[OperationChoice]) -> rx.Component:
    return rx.el.li(
        rx.el.label(
            rx.el.input(type="checkbox", name=choice.name, default_checked=False),
            rx.el.span(mono(choice.name), " ", rx.el.span(choice.summary, class_name="wr-quiet")),
            class_name="wr-check",
        ),
    )
