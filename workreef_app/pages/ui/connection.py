"""Hands what the page knows of its connection and session to the scripts that tell people about it (assets/*.js)."""

from __future__ import annotations

import os

import reflex as rx
from reflex_components_core.core.banner import connection_errors_count

from workreef_app.state.shell import ShellState

#: The build that a page is of; set while the pages are built (`http/frontend.py`), and compiled into them.
BUILD = os.environ.get("WORKREEF_BUILD", "")
#: In the order in which they need each other.
SCRIPTS = ("notices.js", "draft.js", "connection.js", "session.js", "zone.js")

_SCRIPT = """
// Once for each mark: a page that is drawn anew has the same one still.
const wrAccepted = (accepted) => {
  if (!accepted || window.wrLastAccepted === accepted) return;
  window.wrLastAccepted = accepted;
  const [path, name] = accepted.split(" ");
  window.wrDrafts?.forget(path, name);
};
"""


class Connection(rx.Fragment):
    """Tells the scripts how often connecting has failed, until when the session holds, and what text was accepted."""

    def add_imports(self) -> dict[str, list[rx.ImportVar]]:
        return {"react": [rx.ImportVar(tag="useEffect"), rx.ImportVar(tag="useLayoutEffect")]}

    def add_custom_code(self) -> list[str]:
        return [_SCRIPT]

    def add_hooks(self) -> list[str | rx.Var[str]]:
        given = {
            "wrFailed": connection_errors_count, "wrMark": ShellState.session_mark, "wrLeft": ShellState.session_left,
            "wrIdle": ShellState.idle_left, "wrUsed": ShellState.accepted,
        }
        return [
            *(rx.Var(f"const {name} = {var!s};", _var_data=var._get_all_var_data()) for name, var in given.items()),
            "useEffect(() => window.wrConnection?.(wrFailed), [wrFailed]);",
            "useEffect(() => window.wrSession?.(wrMark, wrLeft, wrIdle), [wrMark, wrLeft, wrIdle]);",
            # Before a field that is drawn anew gets its draft back.
            "useLayoutEffect(() => wrAccepted(wrUsed), [wrUsed]);",
        ]


def connection() -> rx.Component:
    """The hand-over, and the marks that the scripts read: the session's, by which drafts are kept, and the build's."""
    return rx.fragment(
        Connection.create(),
        rx.el.span(
            id="wr-session", hidden=True, custom_attrs={"data-mark": ShellState.session_mark, "data-build": BUILD}
        ),
    )


def scripts() -> list[rx.Component]:
    """The scripts, for the head of every page. The build in their addresses renews them with it."""
    return [rx.el.script(src=f"/{name}?v={BUILD}", defer=True) for name in SCRIPTS]
