"""The verifier page: made for somebody who believes nothing that the server says of itself."""

from __future__ import annotations

import reflex as rx

from workreef_app.pages.filters import text_filter
from workreef_app.pages.ui import badge, button, hash_chip, link, mono, page_header, section
from workreef_app.pages.ui.local_verifier import LocalVerifier
from workreef_app.pages.ui.progress import progress_bar
from workreef_app.state.rehearsing import ATTACKS, RehearsalState
from workreef_app.state.verifying import Found, VerifyState

WORDS = {"proven": "Proven", "attention": "Chained only", "broken": "Broken", "unknown": "Stopped"}


def verify_page() -> rx.Component:
    """The content of `/audit/verify`."""
    return rx.fragment(
        page_header(
            "Verify",
            lead="Whether the audit log is as it was first written: here, in your browser, or on your own machine.",
            actions=rx.el.div(
                rx.cond(
                    VerifyState.may_attest,
                    link("Export as zip", "/export/audit", download=True, class_name="wr-button wr-button-plain"),
                ),
                link("Get the verifier", "/audit/verify.py", download=True, class_name="wr-button wr-button-plain"),
                class_name="wr-tools",
            ),
        ),
        rx.el.div(_result(), class_name="wr-card wr-stack"),
        _checkpoint(),
        section(
            "Your file, in your browser",
            rx.el.p(
                "An export is checked by your browser alone: nothing of it is sent anywhere.", class_name="wr-quiet"
            ),
            LocalVerifier.create(),
        ),
        rx.cond(VerifyState.may_attest, _rehearsal()),
        section(
            "What this does not prove",
            rx.el.ul(rx.foreach(VerifyState.not_proven, rx.el.li), class_name="wr-bullets"),
        ),
        section(
            "The verifier",
            rx.el.p(
                "One file of Python with nothing but its standard library. Its SHA-256: ",
                hash_chip(VerifyState.digest, full=True),
            ),
            rx.el.p(mono("python verify.py EXPORT.zip --known CHECKPOINT --key KEY"), class_name="wr-quiet"),
        ),
    )


def _result() -> rx.Component:
    return rx.fragment(
        rx.el.div(
            rx.cond(
                VerifyState.running,
                rx.el.div(
                    rx.el.div(
                        rx.el.strong("Verifying the log"), rx.el.span(VerifyState.progress),
                        class_name="wr-progress-head",
                    ),
                    progress_bar("Verifying the log", VerifyState.percent, VerifyState.progress),
                    class_name="wr-progress",
                ),
                rx.cond(
                    VerifyState.verdict != "",
                    rx.el.p(
                        rx.match(
                            VerifyState.verdict,
                            *((key, badge(key, word)) for key, word in WORDS.items()),
                            rx.fragment(),
                        ),
                        " ", rx.el.strong(VerifyState.headline), class_name="wr-verdict",
                    ),
                    rx.el.p("Not verified since you opened this page.", class_name="wr-verdict wr-quiet"),
                ),
            ),
            role="status",
        ),
        rx.cond(
            VerifyState.findings.length() > 0,
            rx.el.ul(rx.foreach(VerifyState.findings, _finding), class_name="wr-bullets"),
        ),
        rx.cond(
            VerifyState.running,
            rx.el.div(button("Stop", on_click=VerifyState.cancel), class_name="wr-tools"),
            rx.el.form(
                rx.el.details(
                    rx.el.summary("Against a checkpoint that you kept"),
                    rx.el.label(
                        rx.el.span("The checkpoint, as it was given to you"),
                        rx.el.textarea(name="known", rows=6, max_length=16_384, spell_check=False,
                                       auto_complete="off", class_name="wr-code"),
                        class_name="wr-filter",
                    ),
                ),
                rx.el.div(button("Verify the log", type="submit", kind="primary"), class_name="wr-tools"),
                on_submit=VerifyState.begin, aria_label="Verify the log", class_name="wr-stack",
            ),
        ),
    )


def _finding(line: rx.Var[Found]) -> rx.Component:
    return rx.el.li(link(line.what, line.href), ": ", line.why)


def _checkpoint() -> rx.Component:
    last = VerifyState.checkpoint
    return section(
        "The last checkpoint",
        rx.cond(
            last.size != "",
            rx.fragment(
                rx.el.p(
                    "It covers ", rx.el.strong(last.size), ", made ", last.at, ". Keep a copy where nobody here can",
                    " change it: whoever has one can tell a rewritten, cut or older log.",
                ),
                rx.el.pre(last.note, class_name="wr-code wr-wrap", tab_index=0, aria_label="The checkpoint"),
                rx.el.p("Signed with ", mono(last.key), class_name="wr-quiet wr-wrap"),
            ),
            rx.el.p("There is none yet. One is made every minute in which something is added.", class_name="wr-quiet"),
        ),
        rx.el.div(
            rx.cond(
                VerifyState.may_attest,
                rx.fragment(
                    button("Make a checkpoint now", on_click=VerifyState.make_checkpoint),
                    link("Witnesses", "/admin/witnesses", class_name="wr-button wr-button-plain"),
                ),
            ),
            rx.cond(
                last.size != "",
                rx.fragment(
                    link("Take it away", "/audit/checkpoint", download=True, class_name="wr-button wr-button-plain"),
                    link("Public keys", "/audit/keys.json", download=True, class_name="wr-button wr-button-plain"),
                ),
            ),
            class_name="wr-tools",
        ),
    )


def _named() -> rx.Component:
    word = rx.cond(RehearsalState.verdict == "proven", "Named", "Not named")
    return badge(RehearsalState.verdict, word)


def _rehearsal() -> rx.Component:
    return section(
        "Rehearse an attack",
        rx.el.p(
            badge("simulated", "On a copy"), " An attack is made on a copy of the last entries, and verified as your",
            " own verifier would. The log itself is never touched.",
        ),
        rx.el.form(
            rx.el.label(
                rx.el.span("What is done", class_name="wr-quiet"),
                rx.el.select(*(rx.el.option(word, value=key) for key, word in ATTACKS), name="attack"),
                class_name="wr-filter",
            ),
            text_filter("Entry", "seq", rx.Var.create(""), "text", "a number"),
            button("Attack the copy", type="submit"),
            on_submit=RehearsalState.rehearse, class_name="wr-filters", aria_label="Rehearse an attack",
        ),
        rx.el.div(
            rx.cond(
                RehearsalState.headline != "",
                rx.fragment(
                    rx.el.p(_named(), " ", rx.el.strong(RehearsalState.headline)),
                    rx.el.ul(rx.foreach(RehearsalState.named, _finding), class_name="wr-bullets"),
                ),
            ),
            role="status",
        ),
    )
