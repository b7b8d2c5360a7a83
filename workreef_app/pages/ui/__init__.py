"""Small shared pieces of the screens."""

from workreef_app.pages.ui.badge import badge, recommendation, source
from workreef_app.pages.ui.data import Column, data_table, pager
from workreef_app.pages.ui.empty import (
    empty_state,
    no_permission,
    none_match,
    none_yet,
    skeleton,
    source_down,
)
from workreef_app.pages.ui.evidence import evidence_card, sparkline
from workreef_app.pages.ui.layout import action_bar, button, link, page_header, section
from workreef_app.pages.ui.measure import measure_bar, stat
from workreef_app.pages.ui.text import hash_chip, mono

__all__ = [
    "Column", "action_bar", "badge", "button", "data_table", "empty_state", "evidence_card", "hash_chip", "link",
    "measure_bar", "mono", "no_permission", "none_match", "none_yet", "page_header", "pager", "recommendation",
    "section", "skeleton", "source", "source_down", "sparkline", "stat",
]  # fmt: skip
