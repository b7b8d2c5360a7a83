"""What stands where a page cannot be shown: no such row, no permission, locked, too many requests, failed."""

from __future__ import annotations

import reflex as rx

from workreef_app.pages.ui import empty_state, link, no_permission
from workreef_app.state.shell import ShellState


def or_trouble(content: rx.Component) -> rx.Component:
    """The page, or the reason why it cannot be shown."""
    start = link("Go to the start page", "/start", reload=True)
    return rx.match(
        ShellState.trouble,
        ("", content),
        ("missing", _titled("Not found", empty_state(
            "none_yet", "There is nothing here that you may see.",
            "It may not exist, or it belongs to a department that is not yours.", start))),
        ("persona", _titled("No permission", no_permission("this page", ShellState.contact))),
        ("locked", _titled("Locked", empty_state(
            "source_down", "This tenant is locked.",
            "Its key does not answer, so nothing sealed can be read. The audit log can be read and verified.",
            link("Open the audit log", "/audit")))),
        ("limited", _titled("Too many requests", empty_state("source_down", ShellState.trouble_text, "", start))),
        _titled("Something went wrong", empty_state("source_down", ShellState.trouble_text, "", start)),
    )


def _titled(title: str, body: rx.Component) -> rx.Component:
    return rx.fragment(rx.el.h1(title), body)


def not_found() -> rx.Component:
    """The page of an address that leads nowhere."""
    return _titled("Not found", empty_state(
        "none_yet", "There is no page at this address.", "Check the address, or begin at the start page.",
        link("Go to the start page", "/start", reload=True)))
