"""The alarms, each with what to do about it, and where alarms are sent."""

from __future__ import annotations

import reflex as rx
from reflex.event import EventSpec

from workreef_app.pages.filters import fixed_filter
from workreef_app.pages.ui import badge, button, link, mono, none_match, none_yet, page_header, pager, section
from workreef_app.pages.ui.ticker import Ticker
from workreef_app.state.alarm_routes import RoutesState
from workreef_app.state.alarms import AlarmLine, AlarmsState, OutcomeLine

TICK_MS = 5000
STATES = (("open", "Open"), ("acknowledged", "Acknowledged"), ("resolved", "Resolved"))
SEVERITIES = (("notice", "Notice"), ("warning", "Warning"), ("critical", "Critical"))


def alarms_page() -> rx.Component:
    """The content of `/alarms`."""
    return rx.fragment(
        Ticker.create(interval_ms=TICK_MS, active=True, on_tick=AlarmsState.tick),
        page_header(
            "Alarms", lead="What somebody must see, and what to do about it.",
            actions=rx.cond(
                AlarmsState.keeper,
                link("Where alarms go", "/admin/alarms", class_name="wr-button wr-button-plain"),
            ),
        ),
        rx.el.div(fixed_filter("State", AlarmsState.chosen, STATES, AlarmsState.choose), class_name="wr-filters"),
        rx.cond(
            AlarmsState.total > 0,
            rx.fragment(
                rx.el.div(
                    rx.el.p(
                        rx.el.strong(AlarmsState.count), " · ", AlarmsState.summary, " · open ones first, the worst of"
                        " them before the others", class_name="wr-quiet",
                    ),
                    link("Download as CSV, times in UTC", AlarmsState.csv_href, download=True),
                    class_name="wr-list-head",
                ),
                rx.el.ul(rx.foreach(AlarmsState.rows, _alarm), class_name="wr-list"),
                pager(first_href=AlarmsState.first_href, next_href=AlarmsState.next_href),
            ),
            rx.cond(
                AlarmsState.chosen != "", none_match("No alarm stands so.", "/alarms"),
                none_yet("No alarm yet.", "When a job fails for good, or nobody runs one, it is told here."),
            ),
        ),
    )


def _alarm(alarm: rx.Var[AlarmLine]) -> rx.Component:
    return rx.el.li(
        rx.el.div(
            rx.el.h2(alarm.title, class_name="wr-row-title"),
            rx.el.span(badge(alarm.state, alarm.severity), rx.el.span(alarm.stands), class_name="wr-row"),
            class_name="wr-row-head",
        ),
        rx.el.p(rx.el.strong("What to do: "), alarm.cure),
        rx.el.p(alarm.came, class_name="wr-quiet"),
        rx.el.p(
            rx.el.span("Owner: ", class_name="wr-quiet"), alarm.owner,
            rx.cond(alarm.history != "", rx.el.span(" · ", alarm.history, class_name="wr-quiet")),
        ),
        rx.cond(
            alarm.deliveries.length() > 0,
            rx.el.ul(rx.foreach(alarm.deliveries, _outcome), class_name="wr-stack", aria_label="Deliveries"),
        ),
        rx.el.div(
            rx.cond(alarm.href != "", link(alarm.href_text, alarm.href)),
            link("Its audit entries", alarm.audit_href),
            _action(alarm.may_acknowledge, "Acknowledge", AlarmsState.acknowledge(alarm.id), alarm.title),
            _action(alarm.may_take, "Assign to me", AlarmsState.take(alarm.id), alarm.title),
            _action(alarm.may_release, "Give up", AlarmsState.release(alarm.id), alarm.title),
            _action(alarm.may_resolve, "Resolve", AlarmsState.resolve(alarm.id), alarm.title),
            class_name="wr-row",
        ),
        key=alarm.id,
        class_name="wr-card wr-opportunity",
    )


def _action(allowed: rx.Var[bool], word: str, event: EventSpec, title: rx.Var[str]) -> rx.Component:
    return rx.cond(allowed, button(word, on_click=event, aria_label=f"{word}: " + title))


def _outcome(line: rx.Var[OutcomeLine]) -> rx.Component:
    return rx.el.li(badge(line.state, line.word), rx.el.span(line.text), class_name="wr-row")


def routes_page() -> rx.Component:
    """The content of `/admin/alarms`."""
    return rx.fragment(
        page_header(
            "Where alarms go", lead="Whom WorkReef tells when nobody looks at the page.",
            as_of=rx.cond(RoutesState.changed_at != "", "Changed " + RoutesState.changed_at, "Never changed"),
        ),
        rx.el.form(
            _mail(), _webhook(), _severity(),
            rx.el.div(button("Save", type="submit", kind="primary"), class_name="wr-tools"),
            on_submit=RoutesState.save, aria_label="Where alarms go", class_name="wr-card wr-stack wr-form",
        ),
        _test(),
    )


def _mail() -> rx.Component:
    return rx.fragment(
        rx.el.label(
            rx.el.span("Mail addresses, one a line"),
            rx.el.textarea(
                name="recipients", default_value=RoutesState.recipients, key=RoutesState.recipients, rows="3",
                max_length=6000, spell_check=False, aria_describedby="mail-rule",
            ),
            class_name="wr-filter wr-reason",
        ),
        rx.el.p(
            "Empty: no mail is sent. A mail names the alarm and leads here; it holds nothing of what was found.",
            id="mail-rule", class_name="wr-quiet",
        ),
        rx.cond(
            ~RoutesState.mail_server,
            rx.el.p(
                badge("attention", "No mail server"), " This installation cannot send mail until ",
                mono("WORKREEF_SMTP_URL"), " and ", mono("WORKREEF_MAIL_FROM"), " are set.",
            ),
        ),
    )


def _webhook() -> rx.Component:
    return rx.fragment(
        rx.el.label(
            rx.el.span("Webhook address"),
            rx.el.input(
                name="webhook", type="url", default_value=RoutesState.webhook, key=RoutesState.webhook, max_length=500,
                auto_complete="off", aria_describedby="webhook-rule",
            ),
            class_name="wr-filter wr-reason",
        ),
        rx.el.p(
            "Empty: no webhook is called. Each call is signed with a secret, in the header ",
            mono("X-WorkReef-Signature"), ".", id="webhook-rule", class_name="wr-quiet",
        ),
        rx.cond(
            RoutesState.secret_set,
            rx.el.label(
                rx.el.input(type="checkbox", name="renew", default_checked=False, key=RoutesState.changed_at),
                rx.el.span("Make a new secret; the one before stops working"), class_name="wr-check",
            ),
        ),
        rx.cond(
            RoutesState.new_secret != "",  # nosec B105: no password, whether one is shown
            rx.el.div(
                rx.el.p(rx.el.strong("The webhook's secret. It is shown this once: copy it now.")),
                rx.el.code(RoutesState.new_secret, class_name="wr-mono wr-hash-full"),
                class_name="wr-card",
            ),
        ),
    )


def _severity() -> rx.Component:
    return rx.el.label(
        rx.el.span("From which severity on"),
        rx.el.select(
            *(rx.el.option(word, value=value) for value, word in SEVERITIES),
            name="severity", default_value=RoutesState.severity, key=RoutesState.severity,
        ),
        class_name="wr-filter",
    )


def _test() -> rx.Component:
    return section(
        "Test",
        rx.el.p("Sends a test, which says that it is one, to what is saved above."),
        rx.el.div(
            button(
                rx.cond(RoutesState.testing, "Sending a test…", "Send a test"), on_click=RoutesState.test,
                disabled=RoutesState.testing,
            ),
            class_name="wr-tools",
        ),
        rx.cond(
            RoutesState.tested,
            rx.cond(
                RoutesState.outcomes.length() > 0,
                rx.el.ul(rx.foreach(RoutesState.outcomes, _outcome), class_name="wr-stack", aria_label="Outcomes"),
                rx.el.p(badge("unknown", "Nothing sent"), " Neither mail nor a webhook is set up."),
            ),
        ),
    )
