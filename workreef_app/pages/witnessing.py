"""Witnesses of checkpoints."""

from __future__ import annotations

import reflex as rx

from workreef_app.pages.ui import Column, badge, button, data_table, mono, none_yet, page_header, section
from workreef_app.state.witnessing import KINDS, WitnessLine, WitnessState

COLUMNS = (
    Column("Kind"), Column("Where", wide=True), Column("State", wide=True), Column("Last taken"), Column("End"),
)
TARGETS = (("folder", "Name of the folder"), ("webhook", "Address"), ("s3", "Name of the bucket"))


def witnesses_page() -> rx.Component:
    """The content of `/admin/witnesses`."""
    return rx.fragment(
        page_header(
            "Witnesses",
            lead="Every checkpoint of the audit log is handed to these, within a minute. Whoever keeps one can tell a "
            "rewritten, cut or older log.",
        ),
        section(
            "Where checkpoints go",
            rx.cond(
                WitnessState.rows.length() > 0,
                data_table("Witnesses, oldest first", COLUMNS, WitnessState.rows, _witness),
                none_yet("No witness yet.", "Until there is one, checkpoints are kept here alone."),
            ),
        ),
        rx.cond(WitnessState.may_change, section("New witness", _form(), _made())),
    )


def _witness(line: rx.Var[WitnessLine]) -> list[rx.Component | rx.Var[str]]:
    return [
        line.kind, rx.el.span(line.target, class_name="wr-wrap"), badge(line.state, line.standing), line.taken,
        rx.cond(
            WitnessState.may_change,
            button("Remove", on_click=WitnessState.remove(line.witness_id), aria_label="Remove: " + line.target),
            rx.el.span("–"),
        ),
    ]


def _made() -> rx.Component:
    return rx.cond(
        WitnessState.made != "",
        rx.el.div(
            rx.el.p(rx.el.strong("The secret that our calls are signed with. It is shown this once: copy it now.")),
            rx.el.code(WitnessState.made, class_name="wr-mono wr-hash-full"),
            rx.el.p("The signature is in ", mono("X-WorkReef-Signature"), ", as for alarms.", class_name="wr-quiet"),
            class_name="wr-card wr-stack", role="status",
        ),
    )


def _form() -> rx.Component:
    return rx.el.form(
        rx.el.label(
            rx.el.span("Kind"),
            rx.el.select(
                *(rx.el.option(word, value=key) for key, word in KINDS), name="kind", default_value=KINDS[0][0],
                on_change=WitnessState.choose,
            ),
            class_name="wr-filter",
        ),
        _field(rx.match(WitnessState.kind, *TARGETS, TARGETS[0][1]), "target", required=True),
        rx.cond(
            (WitnessState.kind == "") | (WitnessState.kind == "folder"),
            rx.el.p("It lies in the directory of ", mono("WORKREEF_WITNESS_DIR"), ", best one of another host.",
                    class_name="wr-quiet"),
        ),
        rx.cond(
            WitnessState.kind == "s3",
            rx.fragment(
                _field("Region", "region", required=True),
                _field("Address of the store; empty for Amazon's own", "endpoint"),
                _field("Access key", "access_key", required=True),
                _field("Secret key: entered once, never shown again", "secret_key", required=True, kind="password"),
            ),
        ),
        rx.el.div(button("Add the witness", type="submit", kind="primary"), class_name="wr-tools"),
        on_submit=WitnessState.add, aria_label="New witness",
        class_name="wr-card wr-stack wr-form",
    )


def _field(label: str | rx.Var[str], name: str, *, required: bool = False, kind: str = "text") -> rx.Component:
    return rx.el.label(
        rx.el.span(label),
        rx.el.input(name=name, type=kind, required=required, max_length=500, auto_complete="off", spell_check=False),
        class_name="wr-filter wr-reason",
    )
