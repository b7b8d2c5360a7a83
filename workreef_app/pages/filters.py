"""Filters of lists. What is chosen goes into the address, so that a list can be linked and comes back."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import reflex as rx

from workreef_app.state.rows import Choice

RECOMMENDATIONS = (("do_now", "Do now"), ("pilot", "Pilot"), ("later", "Later"), ("human_only", "Human only"))
STATUSES = (("open", "Open"), ("returned", "Returned"), ("accepted", "Accepted"), ("declined", "Declined"))


def select_filter(
    label: str, value: rx.Var[str], options: rx.Var[list[Choice]], on_change: Callable[..., Any]
) -> rx.Component:
    """A labelled choice whose options come from the data."""
    drawn = rx.foreach(options, lambda option: rx.el.option(option.label, value=option.value))
    return _select(label, value, drawn, on_change)


def fixed_filter(
    label: str, value: rx.Var[str], options: tuple[tuple[str, str], ...], on_change: Callable[..., Any]
) -> rx.Component:
    """A labelled choice among what the product itself names."""
    drawn = rx.fragment(*(rx.el.option(name, value=key) for key, name in options))
    return _select(label, value, drawn, on_change)


def _select(label: str, value: rx.Var[str], options: rx.Component, on_change: Callable[..., Any]) -> rx.Component:
    return rx.el.label(
        rx.el.span(label, class_name="wr-quiet"),
        rx.el.select(rx.el.option("All", value=""), options, value=value, on_change=on_change),
        class_name="wr-filter",
    )


def choice_filter(label: str, name: str, value: rx.Var[str], options: Iterable[tuple[str, str]]) -> rx.Component:
    """A labelled choice of a form of filters, among what the product itself names."""
    drawn = (rx.el.option(word, value=key) for key, word in options)
    return rx.el.label(
        rx.el.span(label, class_name="wr-quiet"),
        rx.el.select(rx.el.option("All", value=""), *drawn, name=name, default_value=value, key=value),
        class_name="wr-filter",
    )


def text_filter(label: str, name: str, value: rx.Var[str], kind: str = "text", hint: str = "") -> rx.Component:
    """A labelled field of a form of filters; `hint` shows the form of what is looked for."""
    return rx.el.label(
        rx.el.span(label, class_name="wr-quiet"),
        rx.el.input(name=name, default_value=value, key=value, type=kind, max_length=100, placeholder=hint),
        class_name="wr-filter",
    )
