"""The landing page of contributors, and the notes as operators and leads read them."""

from __future__ import annotations

import reflex as rx

from workreef_app.pages.ui import Column, button, data_table, none_yet, page_header, pager, section
from workreef_app.state.contributor import DidLine, MyWorkState, NoteLine, NotesState

MAXIMUM = 2000


def my_work_page() -> rx.Component:
    """The content of `/me`."""
    return rx.fragment(
        page_header("My work"),
        rx.el.p(MyWorkState.status, class_name="wr-calm"),
        section("What changes, and when", rx.el.p(MyWorkState.changes)),
        section("Whom to ask", rx.el.p(MyWorkState.ask_whom)),
        section("Add context", _form(), _own_notes()),
        section(
            "What you did here",
            rx.cond(
                MyWorkState.did.length() > 0,
                rx.fragment(
                    rx.el.p("From the audit log, newest first; what you only read is left out.", class_name="wr-quiet"),
                    data_table(
                        "What you did here, newest first", (Column("When"), Column("What", wide=True), Column("Entry")),
                        MyWorkState.did, _did,
                    ),
                    pager(first_href=MyWorkState.first_href, next_href=MyWorkState.next_href),
                ),
                none_yet("Nothing yet.", "What you do here will stand here."),
            ),
            name="did",
        ),
    )


def _form() -> rx.Component:
    options = rx.foreach(MyWorkState.departments, lambda option: rx.el.option(option.label, value=option.value))
    return rx.el.form(
        rx.el.label(
            rx.el.span("What should people know about your work?"),
            rx.el.textarea(
                name="text", default_value="", key=MyWorkState.taken, rows="4", max_length=MAXIMUM, required=True,
                aria_describedby="note-rule", custom_attrs={"data-draft": "note"},
            ),
            class_name="wr-filter wr-reason",
        ),
        rx.cond(MyWorkState.several, rx.el.label(
            rx.el.span("For", class_name="wr-quiet"), rx.el.select(options, name="department"), class_name="wr-filter",
        )),
        rx.el.p(
            f"Read by you, and by the operators and leads of your department. Up to {MAXIMUM:,} characters. "
            "You can take it back at any time; it is then erased.", id="note-rule", class_name="wr-quiet",
        ),
        rx.el.div(button("Add", kind="primary", type="submit"), class_name="wr-tools"),
        on_submit=MyWorkState.add,
        class_name="wr-card wr-stack",
        aria_label="Add context",
    )


def _own_notes() -> rx.Component:
    return rx.cond(
        MyWorkState.notes.length() > 0,
        rx.el.ul(rx.foreach(MyWorkState.notes, _own_note), class_name="wr-list", aria_label="Your notes"),
        none_yet("You have added nothing yet.", "What you add stays here until you take it back."),
    )


def _own_note(note: rx.Var[NoteLine]) -> rx.Component:
    return rx.el.li(
        _said(note),
        rx.el.div(
            button(
                "Take back", on_click=MyWorkState.withdraw(note.note_id),
                aria_label="Take back the note of " + note.at,
            ),
            class_name="wr-tools",
        ),
        class_name="wr-card wr-stack",
    )


def _said(note: rx.Var[NoteLine]) -> rx.Component:
    return rx.fragment(
        rx.el.p(note.text, class_name="wr-said"),
        rx.el.p(rx.cond(note.author != "", note.author + " · ", ""), note.department, " · ", note.at,
                class_name="wr-quiet"),
    )


def _did(line: rx.Var[DidLine]) -> list[rx.Component | rx.Var[str]]:
    return [line.at, line.text, line.entry]


def notes_page() -> rx.Component:
    """The content of `/notes`."""
    return rx.fragment(
        page_header("Notes", lead="What people of your department added about their own work. Only they change it."),
        rx.cond(
            NotesState.total > 0,
            rx.fragment(
                rx.el.p(rx.el.strong(NotesState.count), " · newest first", class_name="wr-quiet"),
                rx.el.ul(
                    rx.foreach(NotesState.rows, lambda note: rx.el.li(_said(note), class_name="wr-card wr-stack")),
                    class_name="wr-list", aria_label="Notes, newest first",
                ),
                pager(first_href=NotesState.first_href, next_href=NotesState.next_href),
            ),
            none_yet("No notes yet.", "Contributors add them on their page My work."),
        ),
    )
