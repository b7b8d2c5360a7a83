"""People and departments, and one person: what an admin changes of who may sign in and see what."""

from __future__ import annotations

import reflex as rx

from workreef_app.pages.filters import fixed_filter
from workreef_app.pages.ui import badge, button, link, mono, none_match, page_header, pager, section
from workreef_app.pages.ui.layout import page_link
from workreef_app.state.people import PATH, PeopleState, PersonLine
from workreef_app.state.person import WORD, Box, PersonState
from workreef_app.state.rows import Choice

STATUSES = (("active", "May sign in"), ("invited", "Invited"), ("deactivated", "Deactivated"))
PERSONAS = (
    ("operator", "Operator"), ("dept_lead", "Department lead"), ("change_leader", "Change leader"),
    ("contributor", "Contributor"), ("admin", "Admin"), ("security_reviewer", "Security reviewer"),
)


def people_page() -> rx.Component:
    """The content of `/admin/people`."""
    return rx.fragment(
        page_header("People", lead="Who may sign in, as what, and which departments they see."),
        rx.el.div(fixed_filter("Standing", PeopleState.chosen, STATUSES, PeopleState.choose), class_name="wr-filters"),
        rx.el.p(rx.el.strong(PeopleState.count), " · oldest first", class_name="wr-quiet"),
        rx.cond(
            PeopleState.total > 0,
            rx.fragment(
                rx.el.ul(rx.foreach(PeopleState.rows, _person), class_name="wr-list"),
                pager(first_href=PeopleState.first_href, next_href=PeopleState.next_href),
            ),
            none_match("Nobody stands so.", PATH),
        ),
        section("Invite somebody", _shown_link(PeopleState.link, PeopleState.link_for), _invite()),
        section("Departments", _departments()),
    )


def _person(person: rx.Var[PersonLine]) -> rx.Component:
    return rx.el.li(
        rx.el.div(
            rx.el.h2(page_link(person.name, href=person.href, class_name="wr-link"), class_name="wr-row-title"),
            badge(person.state, person.status),
            class_name="wr-row-head",
        ),
        rx.el.p(person.email, class_name="wr-quiet wr-wrap"),
        rx.el.p(person.personas, " · ", person.departments),
        rx.el.p(person.factor, " · ", person.seen, class_name="wr-quiet"),
        key=person.id,
        class_name="wr-card wr-opportunity",
    )


def _shown_link(address: rx.Var[str], whose: rx.Var[str]) -> rx.Component:
    """A one-time link, right after it was made."""
    return rx.cond(
        address != "",
        rx.el.div(
            rx.el.p(rx.el.strong("The link for ", whose, ". It is shown this once: pass it on now.")),
            rx.el.code(address, class_name="wr-mono wr-hash-full"),
            class_name="wr-card",
        ),
    )


def _boxes(legend: str, boxes: rx.Component) -> rx.Component:
    return rx.el.fieldset(rx.el.legend(legend), boxes, class_name="wr-boxes")


def _until(value: rx.Var[str] | str, key: rx.Var[str] | str) -> rx.Component:
    return rx.el.label(
        rx.el.span("A security reviewer until the end of"),
        rx.el.input(type="date", name="until", default_value=value, key=key),
        rx.el.span("Empty: until it is taken away.", class_name="wr-quiet"),
        class_name="wr-filter",
    )


def _text(label: str, name: str, *, kind: str = "text", limit: int = 120, **props: object) -> rx.Component:
    return rx.el.label(
        rx.el.span(label),
        rx.el.input(name=name, type=kind, required=True, max_length=limit, auto_complete="off", **props),
        class_name="wr-filter",
    )


def _invite() -> rx.Component:
    personas = rx.fragment(*(
        rx.el.label(rx.el.input(type="checkbox", name=f"persona.{name}"), rx.el.span(word), class_name="wr-check")
        for name, word in PERSONAS
    ))
    return rx.el.form(
        _text("Name", "name"), _text("Email", "email", kind="email", limit=254),
        _boxes("Personas", personas),
        rx.cond(
            PeopleState.departments.length() > 0,
            _boxes("Departments", rx.foreach(PeopleState.departments, _department_box)),
        ),
        _until("", "until"),
        rx.el.div(button("Invite", type="submit", kind="primary"), class_name="wr-tools"),
        on_submit=PeopleState.invite, reset_on_submit=True, aria_label="Invite somebody",
        class_name="wr-card wr-stack wr-form",
    )


def _department_box(choice: rx.Var[Choice]) -> rx.Component:
    return rx.el.label(
        rx.el.input(type="checkbox", name="department." + choice.value), rx.el.span(choice.label),
        key=choice.value, class_name="wr-check",
    )


def _departments() -> rx.Component:
    return rx.fragment(
        rx.cond(
            PeopleState.departments.length() > 0,
            rx.el.ul(
                rx.foreach(PeopleState.departments, lambda one: rx.el.li(one.label, " ", mono(one.value))),
                class_name="wr-plain-list",
            ),
            rx.el.p("No department yet.", class_name="wr-quiet"),
        ),
        rx.el.form(
            _text("Name", "name", limit=80),
            _text("Short name, for commands", "slug", limit=40, pattern="[a-z0-9][a-z0-9-]*",
                  title="Lower-case letters, digits and hyphens"),
            rx.el.div(button("Add the department", type="submit"), class_name="wr-tools"),
            on_submit=PeopleState.add_department, reset_on_submit=True, aria_label="Add a department",
            class_name="wr-card wr-stack wr-form",
        ),
    )


def person_page() -> rx.Component:
    """The content of `/admin/people/<id>`."""
    person = PersonState.person
    return rx.fragment(
        page_header(person.name, lead=person.email, actions=link("All people", PATH)),
        rx.el.p(badge(person.state, person.status), rx.el.span(" ", person.factor, " · ", person.seen)),
        _shown_link(PersonState.link, person.name),
        _change(),
        _signing_in(),
        rx.cond(PersonState.status == "deactivated", _activate(), _deactivate()),
    )


def _change() -> rx.Component:
    return section(
        "What they are",
        rx.el.form(
            _text("Name", "name", default_value=PersonState.person.name, key=PersonState.mark),
            _boxes("Personas", rx.foreach(PersonState.personas, _box)),
            rx.cond(
                PersonState.departments.length() > 0, _boxes("Departments", rx.foreach(PersonState.departments, _box))
            ),
            _until(PersonState.until, PersonState.mark),
            rx.el.p("Other personas or departments end the person's sessions.", class_name="wr-quiet"),
            rx.el.div(button("Save", type="submit", kind="primary"), class_name="wr-tools"),
            on_submit=PersonState.save, aria_label="What they are", class_name="wr-card wr-stack wr-form",
        ),
    )


def _box(box: rx.Var[Box]) -> rx.Component:
    return rx.el.label(
        rx.el.input(type="checkbox", name=box.name, default_checked=box.ticked), rx.el.span(box.label),
        key=PersonState.mark + box.name, class_name="wr-check",
    )


def _signing_in() -> rx.Component:
    return section(
        "How they sign in",
        rx.el.div(
            rx.cond(PersonState.status == "invited", button("New invitation", on_click=PersonState.renew_invitation)),
            rx.cond(PersonState.invited, button("Void the invitation", on_click=PersonState.revoke_invitation)),
            rx.cond(
                PersonState.status == "active",
                rx.fragment(
                    button("Link for a new password", on_click=PersonState.reset_link),
                    button("Sign out everywhere", on_click=PersonState.end_sessions),
                ),
            ),
            rx.cond(PersonState.factor, button("Take the second factor away", on_click=PersonState.reset_factor)),
            class_name="wr-tools",
        ),
        rx.el.p(
            "A link for a new password does not stand in for the second factor. Take that away only when you are sure "
            "who asks.", class_name="wr-quiet",
        ),
    )


def _deactivate() -> rx.Component:
    return section(
        "Deactivate",
        rx.el.form(
            rx.el.p("They cannot sign in any more, and what they have open closes at once. What they did stays."),
            rx.el.label(
                rx.el.span("Type the word ", mono(WORD)),
                rx.el.input(name="word", auto_complete="off", required=True, max_length=20, key=PersonState.mark),
                class_name="wr-filter",
            ),
            rx.el.div(button("Deactivate", type="submit", kind="danger"), class_name="wr-tools"),
            on_submit=PersonState.deactivate, aria_label="Deactivate", class_name="wr-card wr-stack wr-form",
        ),
    )


def _activate() -> rx.Component:
    return section(
        "Activate",
        rx.el.p("They may sign in again, with what they were before."),
        rx.el.div(button("Activate", on_click=PersonState.activate), class_name="wr-tools"),
    )
