"""Ids and hashes in running text."""

from __future__ import annotations

import reflex as rx

from workreef_app.pages.ui.badge import Text


def mono(value: Text) -> rx.Component:
    """An id, in the face kept for ids and hashes."""
    return rx.el.code(value, class_name="wr-mono")


def hash_chip(value: Text, *, full: bool = False) -> rx.Component:
    """A hash as `a91f…03c2`; the whole of it in the tooltip, and as text that selects at one click when `full`."""
    if full:
        return rx.el.code(value, class_name="wr-mono wr-hash-full")
    text = rx.Var.create(value).to(str)
    return rx.el.code(text[:4], "…", text[-4:], title=value, class_name="wr-mono wr-hash")
