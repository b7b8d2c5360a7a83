"""Where the events of the audit log are pushed."""

from __future__ import annotations

import reflex as rx

from workreef_app.pages.ui import badge, button, mono, none_yet, page_header, section
from workreef_app.state.collecting import FORMS, KINDS, CollectorState


def collector_page() -> rx.Component:
    """The content of `/admin/siem`."""
    return rx.fragment(
        page_header(
            "SIEM",
            lead="The events of the audit log go to a collector of yours, in their order. What it did not take is sent "
            "again, so that none is lost; it may get one twice.",
        ),
        section(
            "Where events go",
            rx.cond(
                CollectorState.kind != "",
                rx.el.div(
                    rx.el.dl(
                        rx.el.dt("Collector"), rx.el.dd(CollectorState.kind_word, ", ", CollectorState.form_word),
                        rx.el.dt("Address"), rx.el.dd(rx.el.span(CollectorState.target, class_name="wr-wrap")),
                        rx.el.dt("State"), rx.el.dd(badge(CollectorState.meaning, CollectorState.said)),
                        class_name="wr-facts",
                    ),
                    rx.cond(
                        CollectorState.may_change,
                        rx.el.div(button("Push nothing more", on_click=CollectorState.stop), class_name="wr-tools"),
                    ),
                    class_name="wr-stack",
                ),
                none_yet("No collector yet.", "The log can be downloaded as OCSF or CEF on the audit page."),
            ),
        ),
        rx.cond(CollectorState.may_change, section("Another collector", _form(), _made())),
    )


def _form() -> rx.Component:
    return rx.el.form(
        _choice("Kind", "kind", KINDS), _choice("Format", "form", FORMS),
        rx.el.label(
            rx.el.span("Address: https://… of a webhook, tls://host:port of a syslog collector"),
            rx.el.input(
                name="target", required=True, max_length=500, auto_complete="off", spell_check=False,
                placeholder="tls://siem.example.com:6514",
            ),
            class_name="wr-filter wr-reason",
        ),
        rx.el.label(
            rx.el.input(type="checkbox", name="from_start"),
            rx.el.span("From the first entry on, not only what is added"), class_name="wr-check",
        ),
        rx.el.div(button("Push to it", type="submit", kind="primary"), class_name="wr-tools"),
        on_submit=CollectorState.change, aria_label="Another collector",
        class_name="wr-card wr-stack wr-form",
    )


def _choice(label: str, name: str, options: tuple[tuple[str, str], ...]) -> rx.Component:
    return rx.el.label(
        rx.el.span(label), rx.el.select(*(rx.el.option(word, value=key) for key, word in options), name=name),
        class_name="wr-filter",
    )


def _made() -> rx.Component:
    return rx.cond(
        CollectorState.made != "",
        rx.el.div(
            rx.el.p(rx.el.strong("The secret that our calls are signed with. It is shown this once: copy it now.")),
            rx.el.code(CollectorState.made, class_name="wr-mono wr-hash-full"),
            rx.el.p("The signature is in ", mono("X-WorkReef-Signature"), ", as for alarms.", class_name="wr-quiet"),
            class_name="wr-card wr-stack", role="status",
        ),
    )
