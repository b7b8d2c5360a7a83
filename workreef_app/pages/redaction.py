"""Redaction: the profile, a text and what leaves of it, the answer restored, a test set, and the history."""

from __future__ import annotations

import reflex as rx

from workreef_app.pages.ui import Column, button, data_table, link, none_yet, page_header, section
from workreef_app.state.redaction import TABS, ChangeLine, ClassBox, Difference, FindLine, RedactionState, ScoreLine

FINDS = (Column("Class"), Column("Rule"), Column("Token"), Column("Characters"))
SCORES = (Column("Class"), Column("Labelled"), Column("Found"), Column("Recall"), Column("Precision"))
HISTORY = (Column("When"), Column("Who"), Column("From"), Column("To"), Column("Audit"))


def redaction_page() -> rx.Component:
    """The content of `/admin/redaction`."""
    return rx.fragment(
        page_header(
            "Redaction",
            lead="What is replaced by tokens before a text leaves for a model, and put back in the answer.",
            as_of=RedactionState.changed,
        ),
        rx.el.p(
            "The profile that holds is ", rx.el.strong(RedactionState.holds), ". It looks for ", RedactionState.finds,
            ", and knows ", RedactionState.people, " of your own people.",
        ),
        _tabs(),
        rx.el.form(
            _parts(), _texts(),
            rx.el.div(button("Show what would leave", kind="primary", type="submit"), class_name="wr-tools"),
            on_submit=RedactionState.preview, aria_label="Preview", class_name="wr-stack",
        ),
        rx.el.div(_difference(), role="status", class_name="wr-told-here"),
        rx.cond(RedactionState.shown, _result()),
        _test(), _history(),
    )


def _tabs() -> rx.Component:
    return rx.el.div(
        *(
            button(
                label, on_click=RedactionState.choose(name),
                kind=rx.cond(RedactionState.tab == name, "primary", "plain"),
                custom_attrs={"aria-pressed": rx.cond(RedactionState.tab == name, "true", "false")},
            )
            for name, label in TABS
        ),
        role="group", aria_label="Profile to try", class_name="wr-tools",
    )


def _parts() -> rx.Component:
    return rx.cond(
        RedactionState.tab == "custom",
        rx.el.fieldset(
            rx.el.legend("Custom profile"),
            rx.el.div(rx.foreach(RedactionState.classes, _class), class_name="wr-tools"),
            _lines("deny", "Always redacted, one a line", RedactionState.deny,
                   "Whole words, whatever their case; the names of projects, say."),
            _lines("allow", "Never redacted, one a line", RedactionState.allow,
                   "Whole words, whatever their case; your own help desk's address, say."),
            _lines("patterns", "Patterns, one a line: NAME expression", RedactionState.patterns,
                   "As BADGE B-[0-9]{5}. The engine runs in linear time: no look-around, no back-references."),
            rx.el.label(
                rx.el.input(
                    type="checkbox", name="response", default_checked=RedactionState.response,
                    key="response" + RedactionState.mark,
                ),
                rx.el.span("Redact new personal data in answers too"), class_name="wr-check",
            ),
            class_name="wr-card wr-fields wr-stack",
        ),
    )


def _class(box: rx.Var[ClassBox]) -> rx.Component:
    return rx.el.label(
        rx.el.input(type="checkbox", name=box.field, default_checked=box.checked, key=box.field + RedactionState.mark),
        rx.el.span(box.name), class_name="wr-check",
    )


def _lines(name: str, label: str, value: rx.Var[str], about: str) -> rx.Component:
    return rx.fragment(
        rx.el.label(
            rx.el.span(label),
            rx.el.textarea(
                name=name, default_value=value, key=name + RedactionState.mark, rows="3", max_length=22000,
                spell_check=False, aria_describedby=f"{name}-about",
            ),
            class_name="wr-filter wr-reason",
        ),
        rx.el.p(about, id=f"{name}-about", class_name="wr-quiet"),
    )


def _texts() -> rx.Component:
    return rx.el.div(
        rx.el.div(
            _area("text", "A text of yours", "Nothing of it is stored.", 8),
            _area("answer", "An answer with tokens, if you want to try one",
                  "Left empty, the text comes back as it left.", 2),
            class_name="wr-stack",
        ),
        rx.el.section(
            rx.el.h2("What would leave"),
            rx.cond(
                RedactionState.shown, rx.el.pre(RedactionState.leaves, class_name="wr-pre", tab_index=0),
                rx.el.p("Enter a text and show what would leave.", class_name="wr-quiet"),
            ),
            aria_label="What would leave", class_name="wr-card wr-stack",
        ),
        class_name="wr-columns",
    )


def _area(name: str, label: str, about: str, rows: int) -> rx.Component:
    return rx.el.div(
        rx.el.label(
            rx.el.span(label),
            rx.el.textarea(name=name, rows=str(rows), max_length=20000, spell_check=False,
                           aria_describedby=f"{name}-rule"),
            class_name="wr-filter wr-reason",
        ),
        rx.el.p(about, id=f"{name}-rule", class_name="wr-quiet"),
    )


def _difference() -> rx.Component:
    return rx.cond(
        RedactionState.may_change & (RedactionState.edits.length() > 0),
        rx.el.section(
            rx.el.h2("To be changed"),
            rx.el.ul(rx.foreach(RedactionState.edits, _edit), class_name="wr-bullets"),
            rx.el.div(
                button("Save this profile", kind="primary", on_click=RedactionState.save),
                button("Cancel", on_click=RedactionState.cancel), class_name="wr-tools",
            ),
            aria_label="To be changed", class_name="wr-card wr-stack",
        ),
    )


def _edit(edit: rx.Var[Difference]) -> rx.Component:
    return rx.el.li(
        edit.part, ": ", rx.cond(edit.before != "", rx.el.del_(edit.before)), " ",
        rx.cond(edit.after != "", rx.el.ins(edit.after)),
    )


def _result() -> rx.Component:
    return rx.fragment(
        section(
            "Found", rx.el.p(RedactionState.found_text, class_name="wr-quiet"),
            rx.cond(
                RedactionState.found.length() > 0,
                data_table("What was found, by class and rule", FINDS, RedactionState.found, _find),
                none_yet("Nothing was found.", "The text leaves as it is."),
            ),
        ),
        section(
            "The answer",
            rx.el.h3("As it comes back"), rx.el.pre(RedactionState.answer, class_name="wr-pre", tab_index=0),
            rx.el.h3("As people see it"), rx.el.pre(RedactionState.restored, class_name="wr-pre", tab_index=0),
            rx.el.p(RedactionState.unknown, class_name="wr-quiet"),
        ),
    )


def _find(line: rx.Var[FindLine]) -> list[rx.Component | rx.Var[str]]:
    return [line.kind, line.rule, line.token, line.place]


def _test() -> rx.Component:
    return section(
        "Test set",
        rx.el.form(
            _area("lines", "Labelled lines", 'One JSON object a line: {"text": "…", "spans": [{"type": "EMAIL", '
                  '"start": 0, "end": 9}]}. Nothing of it is stored.', 4),
            rx.el.div(button("Measure", type="submit"), class_name="wr-tools"),
            on_submit=RedactionState.measure, aria_label="Test set", class_name="wr-stack",
        ),
        rx.cond(
            RedactionState.scores_text != "",
            rx.fragment(
                rx.el.p(RedactionState.scores_text, role="status", class_name="wr-quiet"),
                data_table("Recall and precision by class", SCORES, RedactionState.scores, _score),
            ),
        ),
    )


def _score(line: rx.Var[ScoreLine]) -> list[rx.Component | rx.Var[str]]:
    return [line.kind, line.true, line.found, line.recall, line.precision]


def _history() -> rx.Component:
    return section(
        "History",
        rx.cond(
            RedactionState.history.length() > 0,
            rx.fragment(
                rx.el.p(rx.el.strong(RedactionState.history_text), " · newest first", class_name="wr-quiet"),
                data_table("Changes of the profile, newest first", HISTORY, RedactionState.history, _change),
            ),
            none_yet("Nothing was changed yet.", "Each change will stand here with who made it."),
        ),
    )


def _change(line: rx.Var[ChangeLine]) -> list[rx.Component | rx.Var[str]]:
    return [
        line.at, line.by, rx.el.del_(line.before), rx.el.ins(line.after),
        rx.cond(line.entry != "", link(line.entry, line.entry_href), rx.el.span("–")),
    ]
