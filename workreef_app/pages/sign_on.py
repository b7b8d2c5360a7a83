"""Single sign-on: the provider, a test of it, and which of its groups are what here."""

from __future__ import annotations

import reflex as rx

from workreef_app.pages.ui import Column, badge, button, data_table, mono, none_yet, page_header, section
from workreef_app.state.rows import Choice
from workreef_app.state.sign_on import DEPARTMENT, PERSONA, PERSONAS, CheckLine, GroupLine, SignOnState

GROUPS = (Column("Group at the provider", wide=True), Column("Are here"), Column("Departments"), Column("Remove"))


def sign_on_page() -> rx.Component:
    """The content of `/admin/sso`."""
    return rx.fragment(
        page_header(
            "Single sign-on", lead="People sign in by your organisation's own OpenID provider.",
            as_of=rx.cond(SignOnState.changed_at != "", "Changed " + SignOnState.changed_at, "Never changed"),
        ),
        rx.el.p(badge(SignOnState.stands, SignOnState.stands_word), " ", SignOnState.stands_text),
        _provider(), _test(), _groups(), _handing(),
    )


def _provider() -> rx.Component:
    return section(
        "Provider",
        rx.el.p("Register WorkReef there as a web application with this redirect address:"),
        rx.el.p(mono(SignOnState.redirect_uri), class_name="wr-mono"),
        rx.el.form(
            rx.el.fieldset(
                _text("issuer", "Issuer", SignOnState.issuer, 500, "The provider's address as it calls itself, to the "
                      "last slash. Its metadata are read from there.", required=True),
                _text("client_id", "Client id", SignOnState.client_id, 200, "What WorkReef is called there.",
                      required=True),
                _secret(),
                _text("group_claim", "Name of the group claim", SignOnState.group_claim, 100,
                      "The claim that holds a person's groups, in the ID token or beside it.", required=True),
                _domains(),
                _box("link_by_email", SignOnState.link_by_email, "Let a person who was invited, and has no password "
                     "yet, come in by the same email"),
                _box("enabled", SignOnState.enabled, "Offer single sign-on on the sign-in page"),
                _box("only", SignOnState.only, "Refuse passwords to everybody but admins"),
                rx.cond(
                    SignOnState.may_change,
                    rx.el.div(button("Save", type="submit", kind="primary"), class_name="wr-tools"),
                    rx.el.p("Admins change this.", class_name="wr-quiet"),
                ),
                disabled=~SignOnState.may_change, class_name="wr-fields wr-stack",
            ),
            on_submit=SignOnState.save, aria_label="Provider", class_name="wr-card wr-form",
        ),
    )


def _text(name: str, label: str, value: rx.Var[str], longest: int, rule: str, *, required: bool) -> rx.Component:
    return rx.fragment(
        rx.el.label(
            rx.el.span(label),
            rx.el.input(
                name=name, default_value=value, key=name + SignOnState.mark, max_length=longest, required=required,
                auto_complete="off", spell_check=False, aria_describedby=f"{name}-rule",
            ),
            class_name="wr-filter wr-reason",
        ),
        rx.el.p(rule, id=f"{name}-rule", class_name="wr-quiet"),
    )


def _secret() -> rx.Component:
    return rx.fragment(
        rx.el.label(
            rx.el.span("Client secret"),
            rx.el.input(
                name="client_secret", type="password", key="secret" + SignOnState.mark, max_length=500,
                auto_complete="new-password", aria_describedby="secret-rule",
            ),
            class_name="wr-filter wr-reason",
        ),
        rx.el.p(
            rx.cond(
                SignOnState.secret_set, "One is set, and is never shown. Left empty, it stays.",
                "None is set. Most providers ask for one.",
            ),
            id="secret-rule", class_name="wr-quiet",
        ),
        rx.cond(SignOnState.secret_set, _box("no_secret", rx.Var.create(False), "Take the secret away")),
    )


def _domains() -> rx.Component:
    return rx.fragment(
        rx.el.label(
            rx.el.span("Domains of emails that may come in, one a line"),
            rx.el.textarea(
                name="domains", default_value=SignOnState.domains, key="domains" + SignOnState.mark, rows="2",
                max_length=6000, spell_check=False, aria_describedby="domains-rule",
            ),
            class_name="wr-filter wr-reason",
        ),
        rx.el.p("Empty: all. The provider must have verified the email in any case.", id="domains-rule",
                class_name="wr-quiet"),
    )


def _box(name: str, checked: rx.Var[bool], label: str) -> rx.Component:
    return rx.el.label(
        rx.el.input(type="checkbox", name=name, default_checked=checked, key=name + SignOnState.mark),
        rx.el.span(label), class_name="wr-check",
    )


def _test() -> rx.Component:
    return rx.cond(
        SignOnState.may_change & (SignOnState.issuer != ""),
        section(
            "Test",
            rx.el.p("Asks the provider that is saved above for what a sign-in needs. Nobody is signed in."),
            rx.el.div(
                button(
                    rx.cond(SignOnState.testing, "Asking the provider…", "Test the provider"),
                    on_click=SignOnState.test, disabled=SignOnState.testing,
                ),
                class_name="wr-tools",
            ),
            rx.cond(
                SignOnState.checks.length() > 0,
                rx.el.ul(rx.foreach(SignOnState.checks, _check), class_name="wr-stack", aria_label="What was found"),
            ),
        ),
    )


def _check(line: rx.Var[CheckLine]) -> rx.Component:
    return rx.el.li(badge(line.state, line.word), rx.el.span(line.text), class_name="wr-row")


def _groups() -> rx.Component:
    return section(
        "Groups",
        rx.el.p(
            "A person is what all of their groups give together, anew at each sign-in. Whoever is in none of these "
            "groups is refused.",
        ),
        rx.cond(
            SignOnState.groups.length() > 0,
            data_table("Groups at the provider and what their people are here", GROUPS, SignOnState.groups, _group),
            none_yet("No group may come in yet.", "Add one below; its people are added here as they sign in."),
        ),
        rx.cond(SignOnState.may_change, _new_group()),
    )


def _handing() -> rx.Component:
    """An account with a password is never taken over by an email: an admin hands it over."""
    return rx.cond(
        SignOnState.may_change & SignOnState.enabled & SignOnState.link_by_email,
        section(
            "Hand an account over",
            rx.el.p(
                "Somebody who has a password is refused by single sign-on. Take the password away here, and their next "
                "sign-in by the provider, with the same email, is theirs.",
            ),
            rx.el.form(
                rx.el.label(
                    rx.el.span("Email"),
                    rx.el.input(name="email", type="email", key="email" + SignOnState.handed, max_length=254,
                                required=True, auto_complete="off"),
                    class_name="wr-filter wr-reason",
                ),
                rx.el.div(button("Take the password away", type="submit"), class_name="wr-tools"),
                on_submit=SignOnState.hand_over, aria_label="Hand an account over",
                class_name="wr-card wr-stack wr-form",
            ),
        ),
    )


def _group(line: rx.Var[GroupLine]) -> list[rx.Component | rx.Var[str]]:
    return [
        line.group, line.personas, line.departments,
        rx.cond(
            SignOnState.may_change,
            button("Remove", on_click=SignOnState.remove(line.group), aria_label="Remove: " + line.group),
            rx.el.span("–"),
        ),
    ]


def _new_group() -> rx.Component:
    return rx.el.form(
        rx.el.label(
            rx.el.span("Group, as the provider writes it"),
            rx.el.input(
                name="group", key="group" + SignOnState.mark, max_length=200, required=True, auto_complete="off",
                spell_check=False,
            ),
            class_name="wr-filter wr-reason",
        ),
        rx.el.fieldset(
            rx.el.legend("Its people are"),
            *(_box(f"{PERSONA}{value}", rx.Var.create(False), label) for value, label in PERSONAS),
            class_name="wr-fields wr-choices",
        ),
        rx.cond(
            SignOnState.departments.length() > 0,
            rx.el.fieldset(
                rx.el.legend("Of the departments"), rx.foreach(SignOnState.departments, _department),
                class_name="wr-fields wr-choices",
            ),
        ),
        rx.el.div(button("Add or change the group", type="submit"), class_name="wr-tools"),
        on_submit=SignOnState.add, aria_label="A group", class_name="wr-card wr-stack wr-form",
    )


def _department(choice: rx.Var[Choice]) -> rx.Component:
    return rx.el.label(
        rx.el.input(
            type="checkbox", name=DEPARTMENT + choice.value, default_checked=False, key=choice.value + SignOnState.mark,
        ),
        rx.el.span(choice.label), class_name="wr-check",
    )
