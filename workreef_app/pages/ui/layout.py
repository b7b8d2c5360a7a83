"""How a page is laid out: header, sections, actions, links."""

from __future__ import annotations

from typing import Any, Literal

import reflex as rx

from workreef_app.pages.ui.badge import Text
from workreef_app.pages.ui.native import NativeLink

Kind = Literal["primary", "plain", "danger"]


def page_header(
    title: Text, *, lead: Text | rx.Component = "", as_of: Text = "", actions: rx.Component | None = None
) -> rx.Component:
    """The page's only level-one heading, what it is about, and the time its data is from."""
    return rx.el.header(
        rx.el.div(
            rx.el.h1(title),
            rx.cond(lead, rx.el.p(lead, class_name="wr-lead")) if isinstance(lead, rx.Var)
            else (rx.el.p(lead, class_name="wr-lead") if lead else rx.fragment()),
            class_name="wr-page-title",
        ),
        rx.el.p(as_of, class_name="wr-as-of") if _given(as_of) else rx.fragment(),
        actions or rx.fragment(),
        class_name="wr-page-header",
    )  # fmt: skip


def section(title: Text, *children: rx.Component, aside: rx.Component | None = None, name: str = "") -> rx.Component:
    """A titled part of a page; `name` becomes its id, so that links can point at it."""
    return rx.el.section(
        rx.el.div(rx.el.h2(title), aside or rx.fragment(), class_name="wr-section-head"),
        *children,
        class_name="wr-section",
        **({"id": name} if name else {}),
    )


def button(*children: rx.Component | Text, kind: Kind = "plain", **props: Any) -> rx.Component:
    """A button of at least 32 px height; `type` is `button` unless given."""
    props.setdefault("type", "button")
    return rx.el.button(*children, class_name=f"wr-button wr-button-{kind}", **props)


def link(
    text: Text | rx.Component, href: Text, *, reload: bool = False, download: bool = False, **props: Any
) -> rx.Component:
    """A link. `reload` for what is no page but an HTTP route, as sign-in is: a full load; `download` for files."""
    props.setdefault("class_name", "wr-link")
    if download:
        return NativeLink.create(text, href=href, download=True, **props)
    if reload:
        return NativeLink.create(text, href=href, **props)
    return page_link(text, href=href, **props)


def page_link(*drawn: Text | rx.Component, **props: Any) -> rx.Component:
    """A link to a page, in its own colour under the pointer too: Reflex's own there is too pale to be read."""
    return rx.link(*drawn, underline="none", _hover={}, **props)


def action_bar(*actions: rx.Component) -> rx.Component:
    """The page's decision: top right on a desk, held at the bottom edge on a phone."""
    return rx.el.div(*actions, class_name="wr-actions", role="group", aria_label="Decision")


def _given(value: Text) -> bool:
    return isinstance(value, rx.Var) or bool(value)
