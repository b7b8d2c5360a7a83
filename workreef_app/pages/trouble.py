"""What stands where a page cannot be shown: no such row, no permission, locked, too many requests, failed."""

from __future__ import annotations

import reflex as rx

from workreef_app.pages.ui import empty_state, link, no_permission
from workreef_app.state.shell import ShellState


def or_trouble(content: rx.Component) -> rx.Component:
    """The page, or the reason why it cannot be shown."""
    start = link("Go to the start page", "/start", reload=True)
    # An empty address is this very page, with its filters.
    again = link("Try again", "", reload=True)
    return rx.match(
        ShellState.trouble,
        ("", content),
        ("missing", _titled("Not found", empty_state(
            "missing", "There is nothing here that you may see.",
            "It may not exist, or it belongs to a department that is not yours.", _scope(start)))),
        ("persona", _titled("No permission", no_permission(ShellState.trouble_text, ShellState.contact), start)),
        ("factor", _titled("Second factor", empty_state(
            "locked", "Set up a second factor first.", "Here, admins sign in with one. It takes a minute.",
            link("Set it up", "/auth/factor", reload=True)))),
        ("locked", _titled("Locked", empty_state(
            "locked", "This tenant is locked.",
            "Its key does not answer, so nothing sealed can be read. The audit log can still be read and verified.",
            rx.cond(ShellState.may_audit, link("Open the audit log", "/audit"))))),
        ("limited", _titled("Too many requests", empty_state(
            "wait", "Wait a moment.", ShellState.trouble_text, again))),
        ("unavailable", _titled("Not available now", empty_state(
            "wait", "This page cannot be read at the moment.", ShellState.trouble_text, again))),
        ("invalid", _titled("Not an address of ours", empty_state(
            "missing", "This address asks for something that there is not.", ShellState.trouble_text, start))),
        _titled("Something went wrong", empty_state("failed", "This page could not be read.",
                                                    ShellState.trouble_text, again)),
    )


def _scope(start: rx.Component) -> rx.Component:
    """What the person's own scope is, and whom to ask for another one."""
    return rx.fragment(
        rx.el.p(
            rx.cond(
                ShellState.departments.length() > 0,
                "Your departments: " + ShellState.departments.join(", ") + ". ", "You belong to no department. ",
            ),
            "If it should be open to you, ask ", ShellState.contact, ".",
        ),
        start,
    )


def not_found() -> rx.Component:
    """The page of an address that leads nowhere."""
    return _titled("Not found", empty_state(
        "missing", "There is no page at this address.", "Check the address, or begin at the start page.",
        link("Go to the start page", "/start", reload=True)))


def _titled(title: str, *body: rx.Component) -> rx.Component:
    return rx.fragment(rx.el.h1(title), *body)
