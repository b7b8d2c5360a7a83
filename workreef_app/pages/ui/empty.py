"""Nothing to show, and why: each reason looks and reads differently."""

from __future__ import annotations

from typing import Literal

import reflex as rx

from workreef_app.pages.ui.badge import Text
from workreef_app.pages.ui.layout import page_link

EmptyKind = Literal["none_yet", "none_match", "no_permission", "source_down", "missing", "locked", "wait", "failed"]

ICONS: dict[str, str] = {
    "none_yet": "inbox",
    "none_match": "list-filter",
    "no_permission": "lock",
    "source_down": "unplug",
    "missing": "search-x",
    "locked": "lock",
    "wait": "hourglass",
    "failed": "triangle-alert",
}


def empty_state(kind: EmptyKind, title: Text, detail: Text, action: rx.Component | None = None) -> rx.Component:
    """A reason in words, and the next thing a person can do about it."""
    return rx.el.div(
        rx.icon(ICONS[kind], size=20, aria_hidden="true"),
        rx.el.div(
            rx.el.p(title, class_name="wr-empty-title"), rx.el.p(detail, class_name="wr-quiet"), action or rx.fragment()
        ),
        class_name=f"wr-empty wr-empty-{kind.replace('_', '-')}",
    )


def none_yet(what: Text, next_step: Text, action: rx.Component | None = None) -> rx.Component:
    """There has never been one; `next_step` says what makes the first."""
    return empty_state("none_yet", what, next_step, action)


def none_match(what: Text, clear_href: Text) -> rx.Component:
    """There are some, but not with these filters."""
    return empty_state(
        "none_match", what, "The filters leave nothing over.",
        page_link("Clear the filters", href=clear_href, class_name="wr-link"),
    )  # fmt: skip


def no_permission(whose: Text, ask: Text) -> rx.Component:
    """What is here is not for this person: `whose` says in a sentence for whom it is, `ask` whom to ask for it."""
    return empty_state(
        "no_permission", "You have no access to this page.",
        rx.Var.create(whose).to(str) + " If you need it, ask " + ask + ".",
    )


def source_down(name: Text, since: Text, detail: Text) -> rx.Component:
    """The system the rows come from does not answer."""
    return empty_state("source_down", rx.Var.create(name).to(str) + " does not answer since " + since + ".", detail)


def skeleton(rows: int = 3, kind: Literal["rows", "cards"] = "rows") -> rx.Component:
    """The shape of what comes. Said once to a screen reader as "Loading"."""
    return rx.el.div(
        rx.el.span("Loading", class_name="wr-hidden"),
        *(rx.el.div(class_name="wr-skeleton-part") for _ in range(rows)),
        class_name=f"wr-skeleton wr-skeleton-{kind}",
    )
