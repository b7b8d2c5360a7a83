"""Lists: a table on a desk, cards on a phone, one page at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import reflex as rx

from workreef_app.pages.ui.badge import Text
from workreef_app.pages.ui.layout import page_link


@dataclass(frozen=True)
class Column:
    """A column's heading; `number` aligns right with tabular numerals, `wide` may wrap over lines."""

    heading: str
    number: bool = False
    wide: bool = False


def data_table(
    caption: Text, columns: Sequence[Column], rows: rx.Var[list[Any]],
    cells: Callable[[Any], Sequence[rx.Component | Text]],
) -> rx.Component:  # fmt: skip
    """Rows under headings; under 768 px each row is a card whose lines carry the headings.

    `cells` gives one cell a column for a row. Roles are written out because cards are drawn with a
    `display` that takes a table's own roles away.
    """
    return rx.el.div(
        rx.el.table(
            rx.el.caption(caption, class_name="wr-hidden"),
            rx.el.thead(
                rx.el.tr(
                    *(rx.el.th(c.heading, scope="col", role="columnheader", class_name=_cell(c)) for c in columns),
                    role="row",
                ),
                role="rowgroup",
            ),
            rx.el.tbody(rx.foreach(rows, lambda row: _row(columns, cells(row))), role="rowgroup"),
            role="table",
            class_name="wr-table",
        ),
        class_name="wr-table-frame",
    )


def pager(*, first_href: rx.Var[str], next_href: rx.Var[str]) -> rx.Component:
    """The ways to a list's first and next page; an empty address means there is none, and nothing for one page."""
    return rx.cond(
        (first_href != "") | (next_href != ""),
        rx.el.nav(
            _step(first_href, rx.icon("chevrons-left", size=16, aria_hidden="true"), "First page"),
            _step(next_href, "Next page", rx.icon("chevron-right", size=16, aria_hidden="true")),
            aria_label="Pages of the list",
            class_name="wr-pager",
        ),
    )


def _row(columns: Sequence[Column], cells: Sequence[rx.Component | Text]) -> rx.Component:
    pairs = zip(columns, cells, strict=True)
    return rx.el.tr(
        *(
            rx.el.td(cell, role="cell", class_name=_cell(column), custom_attrs={"data-label": column.heading})
            for column, cell in pairs
        ),
        role="row",
    )  # fmt: skip


def _cell(column: Column) -> str:
    return " ".join(name for name, on in (("wr-number", column.number), ("wr-wide", column.wide)) if on)


def _step(href: Text, *drawn: rx.Component | str) -> rx.Component:
    return rx.cond(href, page_link(*drawn, href=href, class_name="wr-button wr-button-plain"))
