"""Verifying an export in the browser itself. What it does there is in `assets/verifier.js` and its worker."""

from __future__ import annotations

import reflex as rx


class LocalVerifier(rx.Component):
    """Takes an export and a checkpoint that was kept, checks one against the other, and tells what came of it.

    It sends nothing and calls no handler.
    """

    library = "$/public/verifier.js"
    tag = "LocalVerifier"
