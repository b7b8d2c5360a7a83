"""A QR code as SVG in the page itself, drawn here: nothing that is secret goes anywhere else."""

from __future__ import annotations

import io

import segno


def picture(text: str) -> str:
    """The text as an SVG element, black on white in either theme, since scanners want it so."""
    out = io.BytesIO()
    segno.make(text, error="m").save(
        out, kind="svg", xmldecl=False, svgns=False, border=4, dark="#000", light="#fff", omitsize=True,
        title="QR code of the key", svgclass=None, lineclass=None, nl=False,
    )
    return out.getvalue().decode().replace("<svg ", '<svg role="img" aria-label="QR code of the key" ', 1)
