"""What a source saw: window, size of the sample, how it spread over time, and some of its summaries."""

from __future__ import annotations

import reflex as rx

from workreef_app.pages.ui.badge import Text, source
from workreef_app.pages.ui.layout import page_link
from workreef_app.pages.ui.native import NativeLink


def sparkline(percents: rx.Var[list[int]], label: Text) -> rx.Component:
    """Columns of 0 to 100 percent height, oldest first; `label` says in words what they show."""
    return rx.el.div(
        rx.foreach(percents, lambda percent: rx.el.span(style={"height": percent.to_string() + "%"})),
        role="img",
        aria_label=label,
        class_name="wr-sparkline",
    )


def evidence_card(
    kind: Text, *, window: Text, sample: Text, sample_href: Text, as_of: Text, summaries: rx.Var[list[str]],
    percents: rx.Var[list[int]] | None = None, percents_label: Text = "", vendor_href: Text = "",
) -> rx.Component:  # fmt: skip
    """One source's part of the evidence. `sample_href` leads to the rows, `vendor_href` to the system itself."""
    return rx.el.article(
        rx.el.div(source(kind), rx.el.span("as of ", as_of, class_name="wr-quiet"), class_name="wr-evidence-head"),
        rx.el.p(
            page_link(sample, href=sample_href, class_name="wr-link"),
            rx.el.span(" · ", window, class_name="wr-quiet"),
        ),
        rx.fragment() if percents is None else sparkline(percents, percents_label),
        rx.el.ul(
            rx.foreach(summaries, lambda text: rx.el.li(text, class_name="wr-summary")), class_name="wr-summaries"
        ),
        rx.cond(
            vendor_href,
            NativeLink.create(
                "Open in the source", href=vendor_href, target="_blank", rel="noopener noreferrer", class_name="wr-link"
            ),
        ) if isinstance(vendor_href, rx.Var) or vendor_href else rx.fragment(),
        class_name="wr-card wr-evidence",
    )  # fmt: skip
