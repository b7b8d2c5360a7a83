"""The audit log, one entry of it, and the verification of the chain."""

from __future__ import annotations

import reflex as rx

from workreef_app.pages.filters import choice_filter, text_filter
from workreef_app.pages.ui import (
    Column,
    button,
    data_table,
    hash_chip,
    link,
    mono,
    none_match,
    none_yet,
    page_header,
    pager,
    section,
)
from workreef_app.pages.ui.ticker import Ticker
from workreef_app.state.audit import EVENTS, AuditState, EntryLine, EntryState

#: How often a page that follows the log looks again.
TICK_MS = 3000
COLUMNS = (
    Column("Entry", number=True), Column("Time"), Column("Who"), Column("Event"), Column("Target", wide=True),
    Column("Previous hash"), Column("Hash"),
)


def audit_page() -> rx.Component:
    """The content of `/audit`."""
    return rx.fragment(
        page_header(
            "Audit",
            lead="Every read, change, refusal and decision in your scope, each chained to the one before.",
            actions=rx.el.div(
                link("Verify", "/audit/verify", class_name="wr-button wr-button-primary"),
                rx.cond(
                    AuditState.may_export,
                    link("Export as zip", "/export/audit", download=True, class_name="wr-button wr-button-plain"),
                ),
                link("Events", "/audit/events", class_name="wr-button wr-button-plain"),
                link("Get the verifier", "/audit/verify.py", download=True, class_name="wr-button wr-button-plain"),
                class_name="wr-tools",
            ),
        ),
        _filters(),
        Ticker.create(interval_ms=TICK_MS, active=AuditState.live, on_tick=AuditState.tick),
        rx.cond(
            AuditState.rows.length() > 0,
            rx.fragment(
                rx.el.div(
                    rx.el.p(
                        rx.el.strong(AuditState.count), " · newest first",
                        rx.cond(AuditState.live, " · new ones appear by themselves", ""), class_name="wr-quiet",
                    ),
                    rx.el.p(AuditState.arrived, role="status", class_name="wr-quiet"),
                    rx.cond(
                        AuditState.live_href != "",
                        link(rx.cond(AuditState.live, "Stop following", "Follow"), AuditState.live_href),
                    ),
                    _downloads(),
                    class_name="wr-list-head",
                ),
                data_table("Audit entries, newest first", COLUMNS, AuditState.rows, _cells),
                pager(first_href=AuditState.first_href, next_href=AuditState.next_href),
            ),
            rx.cond(
                AuditState.filtered, none_match("No entry matches.", "/audit"),
                none_yet("No entries in your scope.", "Each thing that you do here adds one."),
            ),
        ),
    )


def _downloads() -> rx.Component:
    """What is filtered, as a table for people and as events for the tools of a security team."""
    return rx.el.span(
        link("Download as CSV, times in UTC", AuditState.csv_href, download=True),
        rx.cond(
            AuditState.may_export,
            rx.fragment(
                " · ", link("OCSF", AuditState.ocsf_href, download=True),
                " · ", link("CEF", AuditState.cef_href, download=True),
                " · ", link("Push to a SIEM", "/admin/siem"),
            ),
        ),
    )


def _filters() -> rx.Component:
    return rx.el.form(
        choice_filter("Event", "event", AuditState.event, [(name, name) for name in EVENTS]),
        text_filter("Who", "actor", AuditState.actor, hint="person:… or cli:…"),
        text_filter("Target", "target", AuditState.target, hint="proposal:…"),
        text_filter("Id of anything", "id", AuditState.named),
        text_filter("From", "since", AuditState.since, "date"),
        text_filter("To", "until", AuditState.until, "date"),
        button("Filter", type="submit"),
        rx.cond(AuditState.filtered, link("Clear the filters", "/audit")),
        on_submit=AuditState.search,
        class_name="wr-filters",
        aria_label="Filters",
    )


def _cells(row: rx.Var[EntryLine]) -> list[rx.Component | rx.Var[str]]:
    return [
        link(row.seq, row.href), row.at, link(row.actor, row.actor_href), row.event,
        rx.cond(row.target_href != "", link(mono(row.target), row.target_href), rx.el.span("–")),
        hash_chip(row.previous_hash), hash_chip(row.chain_hash),
    ]


def entry_page() -> rx.Component:
    """The content of `/audit/[seq]`."""
    line = EntryState.line
    return rx.fragment(
        page_header("Entry " + line.seq, lead=rx.el.span(line.at, " · ", line.actor, " · ", line.event)),
        section(
            "Hashes",
            rx.el.dl(
                rx.el.dt("Previous"), rx.el.dd(hash_chip(EntryState.previous_hash, full=True)),
                rx.el.dt("This entry"), rx.el.dd(hash_chip(line.chain_hash, full=True)),
                class_name="wr-facts",
            ),
            rx.el.p(
                "This entry's hash is the SHA-256 of its content followed by the previous hash.",
                class_name="wr-quiet",
            ),
            rx.cond(
                EntryState.checkpoint != "",
                rx.el.p(
                    "Covered since the checkpoint of ",
                    link(EntryState.checkpoint, EntryState.checkpoint_href, download=True),
                    ". ", link("Download the receipt", EntryState.receipt_href, download=True),
                ),
                rx.el.p("No checkpoint covers it yet; one is made within a minute.", class_name="wr-quiet"),
            ),
        ),
        section("Content", rx.el.pre(EntryState.content, class_name="wr-code", tab_index=0)),
        section("Exactly as hashed", rx.el.pre(EntryState.canonical, class_name="wr-code wr-wrap", tab_index=0)),
    )
