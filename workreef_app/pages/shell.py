"""The frame around every page: landmarks, navigation by persona, who am I, theme, status."""

from __future__ import annotations

from collections.abc import Callable

import reflex as rx
from reflex_components_core.base.error_boundary import ErrorBoundary

from workreef_app.pages.proof import proof_form
from workreef_app.pages.ui import badge, link, mono, skeleton
from workreef_app.pages.ui.arrival import Arrival, arrived
from workreef_app.pages.ui.connection import connection, scripts
from workreef_app.pages.ui.keys import keys_dialog
from workreef_app.pages.ui.layout import page_link
from workreef_app.pages.ui.leave import Leave
from workreef_app.pages.ui.native import NativeForm, NativeLink, token_field
from workreef_app.state.shell import NavItem, ShellState

NAV_ICONS = (
    ("digest", "newspaper"), ("tasks", "repeat"), ("proposals", "file-check"), ("approvals", "stamp"),
    ("drive", "gauge"), ("audit", "link"), ("posture", "shield-check"), ("status", "activity"), ("alarms", "bell"),
    ("sources", "plug"), ("people", "users"), ("consent", "hand"), ("me", "user"),
    ("settings", "sliders-horizontal"), ("sign_on", "log-in"), ("access", "key-round"), ("notes", "message-square"),
    ("tokens", "ticket"), ("redaction", "eye-off"),
)  # fmt: skip
PERSONAS = (
    ("operator", "Operator"), ("dept_lead", "Department lead"), ("change_leader", "Change leader"),
    ("contributor", "Contributor"), ("admin", "Admin"), ("security_reviewer", "Security reviewer"),
)  # fmt: skip


def shell(content: rx.Component, *, title: str, current: str) -> rx.Component:
    """The whole page. `current` is the address of the navigation item that the page belongs to.

    `title` names the page in the top bar of a phone; the page's own header holds the heading.
    Nothing of the page remains once the session has ended.
    """
    return rx.fragment(
        Leave.create(),
        connection(),
        rx.cond(ShellState.leave_to == "", _frame(content, title, current)),
    )


def error_page() -> rx.Component:
    """What replaces the page when it cannot be drawn. It may not read any state."""
    return rx.el.main(
        rx.el.title("This page could not be drawn · WorkReef"),
        rx.el.h1("This page could not be drawn"),
        rx.el.p("Load the page again; if it stays, tell your administrator the time and the address."),
        rx.el.p(NativeLink.create("Start page", href="/", class_name="wr-link")),
        class_name="wr-content wr-error-page",
    )  # fmt: skip


def head() -> list[rx.Component]:
    """What every page's head holds besides the title."""
    return [rx.el.link(rel="icon", href="/favicon.svg", type="image/svg+xml"), *scripts()]


def app_wraps() -> dict[tuple[int, str], Callable[[bool], rx.Component | None]]:
    """Wrappers for `rx.App`: our own error page, and none of the default overlays."""
    return {(10, "ErrorBoundary"): lambda _stateful: _error_boundary()}


def _frame(content: rx.Component, title: str, current: str) -> rx.Component:
    return rx.el.div(
        NativeLink.create("Skip to content", href="#main", class_name="wr-skip"),
        _header(title),
        rx.el.nav(_nav_list(current), aria_label="Main", class_name="wr-side"),
        rx.el.div(
            rx.el.nav(
                rx.el.p(ShellState.tenant_name, class_name="wr-drawer-tenant"), _nav_list(current), aria_label="Menu"
            ),
            id="wr-drawer", class_name="wr-drawer", custom_attrs={"popover": "auto"},
        ),
        rx.el.main(
            Arrival.create(),
            _status(),
            rx.cond(ShellState.prove, proof_form()),
            _unfit(),
            rx.cond(arrived(), content, skeleton(rows=4)),
            id="main", tab_index=-1, class_name="wr-content",
        ),
        keys_dialog(),
        class_name="wr-frame",
    )  # fmt: skip


def _header(title: str) -> rx.Component:
    return rx.el.header(
        rx.el.button(
            rx.icon("menu", size=20, aria_hidden="true"),
            type="button", aria_label="Menu", class_name="wr-icon-button wr-menu-button",
            custom_attrs={"popoverTarget": "wr-drawer"},
        ),
        link(rx.el.span("WorkReef", class_name="wr-brand"), "/start", reload=True, aria_label="WorkReef, start page",
             class_name="wr-home"),
        rx.el.span(title, class_name="wr-where", aria_hidden="true"),
        rx.el.span(ShellState.tenant_name, class_name="wr-tenant"),
        rx.cond(ShellState.environment, rx.el.span(ShellState.environment, class_name="wr-environment")),
        rx.cond(ShellState.locked, rx.el.span(
            rx.icon("lock", size=12, aria_hidden="true"), "LOCKED", class_name="wr-environment wr-environment-locked")),
        rx.el.span(class_name="wr-spacer"),
        rx.cond(ShellState.may_alarms, _alarms()),
        _theme_switch(),
        _me(),
        class_name="wr-header",
    )  # fmt: skip


def _nav_list(current: str) -> rx.Component:
    return rx.el.ul(rx.foreach(ShellState.nav, lambda item: _nav_item(item, current)), class_name="wr-nav")


def _nav_item(item: rx.Var[NavItem], current: str) -> rx.Component:
    icons = [(name, rx.icon(icon, size=16, aria_hidden="true")) for name, icon in NAV_ICONS]
    return rx.el.li(
        page_link(
            rx.match(item.icon, *icons, rx.icon("circle", size=16, aria_hidden="true")),
            rx.el.span(item.label),
            href=item.href,
            class_name="wr-nav-link",
            custom_attrs={"aria-current": rx.cond(item.href == current, "page", "false")},
        )
    )


def _alarms() -> rx.Component:
    """Where the alarms are, and how many are open."""
    count = ShellState.alarms.to_string()
    return rx.cond(
        ShellState.alarms > 0,
        page_link(
            badge(ShellState.alarms_state, rx.el.span(count, rx.el.span(" ", ShellState.alarms_unit,
                                                                        class_name="wr-alarms-unit"))),
            href="/alarms?state=open", class_name="wr-alarms",
            aria_label=count + " " + ShellState.alarms_unit,
        ),
        page_link(
            rx.icon("bell", size=18, aria_hidden="true"), href="/alarms", class_name="wr-icon-button",
            aria_label="Alarms: none is open", title="Alarms: none is open",
        ),
    )  # fmt: skip


def _theme_switch() -> rx.Component:
    word = rx.color_mode_cond(light="Switch to the dark theme", dark="Switch to the light theme")
    return rx.el.button(
        rx.color_mode_cond(
            light=rx.icon("moon", size=18, aria_hidden="true"), dark=rx.icon("sun", size=18, aria_hidden="true")
        ),
        on_click=rx.toggle_color_mode, type="button", aria_label=word, title=word, class_name="wr-icon-button",
    )  # fmt: skip


def _me() -> rx.Component:
    return rx.fragment(
        rx.el.button(
            ShellState.person_initials,
            type="button", class_name="wr-me-button", custom_attrs={"popoverTarget": "wr-me"},
            aria_label=rx.Var.create("Signed in as ").to(str) + ShellState.person_name,
        ),
        rx.el.div(
            rx.el.p(ShellState.person_name, class_name="wr-me-name"),
            rx.el.ul(
                rx.foreach(ShellState.personas, lambda name: rx.el.li(rx.match(name, *PERSONAS, name))),
                class_name="wr-me-personas",
            ),
            rx.cond(
                ShellState.departments.length() > 0,
                rx.el.p(ShellState.departments.join(", "), class_name="wr-me-departments"),
            ),
            link(
                rx.fragment(rx.icon("circle-user", size=16, aria_hidden="true"), "Account"), "/account",
                class_name="wr-button wr-button-plain",
            ),
            rx.el.button(
                rx.icon("keyboard", size=16, aria_hidden="true"), "Keys",
                type="button", class_name="wr-button wr-button-plain", custom_attrs={"popoverTarget": "wr-keys"},
            ),
            NativeForm.create(
                token_field(ShellState.csrf_token),
                rx.el.button(
                    rx.icon("log-out", size=16, aria_hidden="true"), "Sign out",
                    type="submit", class_name="wr-button wr-button-plain",
                ),
                method="post", action="/auth/logout",
            ),
            id="wr-me", class_name="wr-me", custom_attrs={"popover": "auto"},
        ),
    )  # fmt: skip


def _status() -> rx.Component:
    return rx.el.div(
        rx.cond(
            ShellState.status,
            rx.el.div(
                rx.cond(ShellState.refused, rx.icon("triangle-alert", size=16, aria_hidden="true"),
                        rx.icon("check", size=16, aria_hidden="true")),
                rx.el.span(ShellState.status),
                rx.cond(ShellState.status_href, link("Audit entry", ShellState.status_href)),
                class_name=rx.cond(ShellState.refused, "wr-status wr-status-refused", "wr-status"),
            ),
        ),
        role="status",
        class_name="wr-told",
    )


def _unfit() -> rx.Component:
    """Tells an admin that this installation is set up for development."""
    return rx.cond(
        ShellState.unfit != "",
        rx.el.p(
            "Set up for development: production would refuse ", ShellState.unfit, ". ", mono("workreef doctor"),
            " names each with its cure.", class_name="wr-quiet",
        ),
    )


def _error_boundary() -> rx.Component:
    """Draws the error page. The error itself stays in the browser: it may quote what was on the page."""
    return ErrorBoundary.create(fallback_render=rx.Var.create(error_page()), on_error=rx.noop())
