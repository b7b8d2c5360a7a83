"""The form by which files are imported. What it does in the browser is in `assets/upload.js`."""

from __future__ import annotations

import reflex as rx

FILES = "wr-files"
ZONES = "wr-zones"

_text = rx.event.passthrough_event_spec(str)
_file = rx.event.passthrough_event_spec(str, int)


class Uploader(rx.Component):
    """A form of fields that sends files, shows how far that is, and tells what came of it.

    Its children are the fields; the input of `file_field` must be the last of them, since the server reads the form as
    it comes. Told are: name and number of each file as it begins, the ids of all imports so far, why a file was
    refused, and what cut the sending (`lost` or `cancelled`).
    """

    library = "$/public/upload.js"
    tag = "Uploader"

    file_input: rx.Var[str]
    zone_list: rx.Var[str]

    on_begun: rx.EventHandler[_file]
    on_sent: rx.EventHandler[_text]
    on_refused: rx.EventHandler[_text]
    on_cut: rx.EventHandler[_text]

    @classmethod
    def create(cls, *children: rx.Component, **props: object) -> rx.Component:
        return super().create(*children, file_input=FILES, zone_list=ZONES, **props)


def file_field(label: str) -> rx.Component:
    """Where files are chosen, or dropped."""
    return rx.el.label(
        rx.el.span(label),
        rx.el.input(type="file", name="file", id=FILES, multiple=True, required=True),
        class_name="wr-filter wr-files",
    )


def zone_field(label: str, value: rx.Var[str]) -> rx.Component:
    """A time zone by its name; the browser offers the ones it knows."""
    return rx.el.label(
        rx.el.span(label),
        rx.el.input(
            name="timezone", default_value=value, key=value, max_length=64, auto_complete="off", spell_check=False,
            custom_attrs={"list": ZONES},
        ),
        rx.el.datalist(id=ZONES),
        class_name="wr-filter",
    )
