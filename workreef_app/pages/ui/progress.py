"""How far long work is."""

from __future__ import annotations

import reflex as rx

from workreef_app.pages.ui.badge import Text


def progress_bar(label: Text, percent: rx.Var[int], text: Text) -> rx.Component:
    """A bar named `label`, `percent` of it full; `text` says how far that is in words."""
    return rx.el.div(
        rx.el.span(class_name="wr-progress-fill", style={"width": percent.to_string() + "%"}),
        role="progressbar", aria_label=label, aria_valuemin=0, aria_valuemax=100,
        aria_valuenow=percent, aria_valuetext=text, class_name="wr-progress-track",
    )
