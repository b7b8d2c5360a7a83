"""Elements that the browser itself handles. (Reflex turns its own links into client-side ones and stops forms.)"""

from __future__ import annotations

import reflex as rx


class NativeForm(rx.Component):
    """A form that the browser sends, with a full load of what comes back."""

    tag = "form"
    _is_tag_in_global_scope = True

    action: rx.Var[str]
    method: rx.Var[str]


class NativeLink(rx.Component):
    """A link that the browser follows: to an HTTP route, to a part of the page, to another site."""

    tag = "a"
    _is_tag_in_global_scope = True

    href: rx.Var[str]
    #: Given for a file: without it the browser leaves the page for a moment, and the page's socket with it.
    download: rx.Var[bool]
    target: rx.Var[str]
    rel: rx.Var[str]


def token_field(token: rx.Var[str]) -> rx.Component:
    """The hidden field that shows that a form the browser sends is ours."""
    return rx.el.input(type="hidden", name="csrf_token", value=token, read_only=True)
