"""Numbers: never alone, always with unit, window, time and the rows behind them."""

from __future__ import annotations

import reflex as rx

from workreef_app.pages.ui.badge import Text, badge
from workreef_app.pages.ui.layout import page_link

Number = float | rx.Var[float]


def stat(label: Text, value: Text, *, unit: Text, window: Text, as_of: Text, href: Text) -> rx.Component:
    """A number with its unit, its window and the time it is from; the whole of it links to its rows."""
    return page_link(
        rx.el.span(label, class_name="wr-stat-label"),
        rx.el.span(rx.el.strong(value), " ", rx.el.span(unit, class_name="wr-stat-unit"), class_name="wr-stat-value"),
        rx.el.span(window, " · as of ", as_of, class_name="wr-stat-note"),
        href=href,
        class_name="wr-stat",
    )


def measure_bar(
    label: Text, value: Number, text: Text, *, known: bool | rx.Var[bool] = True,
    threshold: Number | None = None, threshold_text: Text = "", note: Text = "",
) -> rx.Component:  # fmt: skip
    """A measure between 0 and 1 with its threshold drawn on it, or `unknown` with the reason, never a number.

    `text` is the value as people read it ("0.94 of 41"); `note` says what it counts, or why it is unknown.
    """
    share = rx.Var.create(value).to(float)
    return rx.el.div(
        rx.el.div(
            rx.el.span(label, class_name="wr-measure-label"),
            rx.cond(known, rx.el.span(text, class_name="wr-measure-value"), badge("unknown")),
            class_name="wr-measure-head",
        ),
        rx.cond(
            known,
            rx.el.div(
                rx.el.span(class_name="wr-measure-fill", style={"width": _percent(share)}),
                rx.fragment() if threshold is None
                else rx.el.span(
                    class_name="wr-measure-mark", style={"left": _percent(rx.Var.create(threshold).to(float))}
                ),
                custom_attrs={"role": "meter"}, aria_label=label, aria_valuemin=0, aria_valuemax=1, aria_valuenow=share,
                aria_valuetext=text, class_name="wr-measure-track",
            ),
        ),
        rx.el.p(
            note,
            rx.fragment() if threshold is None
            else rx.el.span(rx.cond(known, " · ", " "), threshold_text, class_name="wr-measure-threshold"),
            class_name="wr-measure-note",
        ),
        class_name="wr-measure",
    )  # fmt: skip


def _percent(share: rx.Var[float]) -> rx.Var[str]:
    return (share * 100).to_string() + "%"
