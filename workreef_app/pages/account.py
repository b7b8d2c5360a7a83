"""A person's own page: time zone, password, second factor, sessions."""

from __future__ import annotations

import reflex as rx

from workreef_app.pages.ui import badge, button, link, page_header, section
from workreef_app.state.account import ZONES, AccountState, SessionLine
from workreef_app.state.shell import ShellState


def zone_options(name: str) -> rx.Component:
    """The zones that a field with `list=name` offers while it is typed in."""
    return rx.el.datalist(*(rx.el.option(value=zone) for zone in ZONES), id=name)


def account_page() -> rx.Component:
    """The content of `/account`."""
    return rx.fragment(
        page_header("Account", lead=ShellState.person_name),
        section("Time zone", _zone()),
        section("Password", rx.el.p(link("Change your password", "/auth/password", reload=True))),
        section(
            "Second factor",
            rx.el.p(
                badge(rx.cond(AccountState.factor, "proven", "unknown"), AccountState.factor_text), " ",
                link(rx.cond(AccountState.factor, "Change it", "Set one up"), "/auth/factor", reload=True),
            ),
        ),
        section("Where you are signed in", _sessions()),
        section(
            "Session",
            rx.el.p("You are signed in until ", rx.el.strong(AccountState.session_ends), ", whatever you do."),
            rx.cond(
                AccountState.idle_ends != "",
                rx.el.p("Without activity your session ends ", rx.el.strong(AccountState.idle_ends), "."),
            ),
            rx.el.p("You are told five minutes and one minute before.", class_name="wr-quiet"),
        ),
    )


def _sessions() -> rx.Component:
    return rx.fragment(
        rx.el.ul(rx.foreach(AccountState.sessions, _session), class_name="wr-list"),
        rx.cond(
            AccountState.others > 0,
            rx.el.div(
                button("Sign out everywhere else", on_click=AccountState.end_others(AccountState.others)),
                class_name="wr-tools",
            ),
        ),
    )


def _session(session: rx.Var[SessionLine]) -> rx.Component:
    return rx.el.li(
        rx.el.div(
            rx.el.h3(session.device, class_name="wr-row-title"),
            rx.cond(
                session.current, badge("proven", "This browser"),
                button("Sign out", on_click=AccountState.end_session(session.id),
                       aria_label="Sign out: " + session.device + ", " + session.began),
            ),
            class_name="wr-row-head",
        ),
        rx.el.p(session.seen, " · ", session.began, " · from ", session.address, class_name="wr-quiet wr-wrap"),
        key=session.id,
        class_name="wr-card wr-opportunity",
    )


def _zone() -> rx.Component:
    return rx.el.form(
        rx.el.p("Times are shown in ", rx.el.strong(AccountState.shown_zone), ", where it is ", AccountState.now, "."),
        rx.el.label(
            rx.el.span("Your time zone", class_name="wr-quiet"),
            rx.el.input(
                id="time-zone", name="time_zone", list="wr-all-zones", default_value=AccountState.zone,
                key=AccountState.zone, placeholder=AccountState.tenant_zone, max_length=64, auto_complete="off",
                spell_check=False, aria_describedby="zone-rule", custom_attrs={"data-draft": "time_zone"},
            ),
            zone_options("wr-all-zones"),
            class_name="wr-filter wr-zone",
        ),
        rx.el.p(
            "Type a city or a region. Left empty, it is your organisation's: ", AccountState.tenant_zone, ".",
            id="zone-rule", class_name="wr-quiet",
        ),
        rx.el.div(
            button("Save", kind="primary", type="submit"),
            # Shown by assets/zone.js, which knows the browser's zone.
            button("Use this browser's zone", hidden=True, custom_attrs={"data-zone-for": "time-zone"}),
            class_name="wr-tools",
        ),
        on_submit=AccountState.save_zone,
        class_name="wr-card wr-stack",
        aria_label="Time zone",
    )
