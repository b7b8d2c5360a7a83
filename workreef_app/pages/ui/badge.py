"""Words that carry a meaning: always an icon, a word and a colour, the same everywhere."""

from __future__ import annotations

from typing import Literal

import reflex as rx

Text = str | rx.Var[str]
Meaning = Literal["proven", "attention", "broken", "unknown", "simulated"]

MEANINGS: dict[str, tuple[str, str]] = {
    "proven": ("check", "Proven"),
    "attention": ("triangle-alert", "Attention"),
    "broken": ("x", "Broken"),
    "unknown": ("minus", "Unknown"),
    "simulated": ("flask-conical", "Simulated"),
}
RECOMMENDATIONS: dict[str, tuple[str, str]] = {
    "do_now": ("zap", "Do now"),
    "pilot": ("compass", "Pilot"),
    "later": ("clock", "Later"),
    "human_only": ("user", "Human only"),
}
SOURCES: dict[str, tuple[str, str]] = {
    "cloudwatch_alarms": ("bell", "CloudWatch alarms"),
    "cloudwatch_logs": ("scroll-text", "CloudWatch logs"),
    "jira": ("ticket", "Jira"),
    "github_actions": ("git-branch", "GitHub Actions"),
    "log_file": ("file-text", "Log file"),
    "note": ("message-square", "Note"),
}


def badge(meaning: Meaning | rx.Var[str], word: Text | None = None) -> rx.Component:
    """One of the five meanings; `word` replaces its name where the page can say it more exactly."""
    return _chosen(meaning, MEANINGS, "wr-badge", word)


def recommendation(value: Text) -> rx.Component:
    """What WorkReef recommends for a task."""
    return _chosen(value, RECOMMENDATIONS, "wr-tag wr-tag-recommendation", None)


def source(kind: Text) -> rx.Component:
    """The kind of system an observation came from."""
    return _chosen(kind, SOURCES, "wr-tag", None)


def _chosen(value: Text, known: dict[str, tuple[str, str]], name: str, word: Text | None) -> rx.Component:
    if isinstance(value, str):
        icon, own_word = known[value]
        return _pill(name, value, icon, own_word if word is None else word)
    cases = [
        (key, _pill(name, key, icon, own_word if word is None else word)) for key, (icon, own_word) in known.items()
    ]
    return rx.match(value, *cases, _pill(name, "unknown", "minus", value))


def _pill(name: str, key: str, icon: str, word: Text) -> rx.Component:
    return rx.el.span(
        rx.icon(icon, size=14, aria_hidden="true"), rx.el.span(word), class_name=f"{name} wr-is-{key.replace('_', '-')}"
    )
