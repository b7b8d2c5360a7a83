"""Whether what the page shows belongs to its address.

Moving between pages happens in the browser at once, while the rows come a moment later. Until then the page must not
show the rows of the address before: a person would decide about one proposal while reading another.
"""

from __future__ import annotations

import reflex as rx
from reflex.vars import VarData

from workreef_app.state.shell import ShellState

_PATH = "const wrPath = useLocation().pathname.replace(/\\/+$/, '') || '/';"
_SETTLE = """
const wrSettle = (here) => {
  const part = location.hash && document.getElementById(location.hash.slice(1));
  if (part) { part.scrollIntoView(); }
  else if (window.wrSeen && window.wrSeen !== here) { document.getElementById("main")?.focus({ preventScroll: true }); }
  window.wrSeen = here;
};
"""


def arrived() -> rx.Var[bool]:
    """True once the state holds what belongs to the browser's address. The path alone counts: while a filter
    changes, the rows before it stay."""
    loaded = ShellState.loaded
    hooks: dict[str, VarData | None] = {_PATH: None, f"const wrArrived = {loaded!s} === wrPath;": None}
    data = VarData(hooks=hooks, imports={"react-router": [rx.ImportVar(tag="useLocation")]})
    return rx.Var("wrArrived", _var_type=bool, _var_data=VarData.merge(loaded._get_all_var_data(), data))


class Arrival(rx.Fragment):
    """On arrival goes to the part of the page that the address names; else moves the focus into the new page."""

    def add_imports(self) -> dict[str, list[rx.ImportVar]]:
        return {"react": [rx.ImportVar(tag="useEffect")]}

    def add_custom_code(self) -> list[str]:
        return [_SETTLE]

    def add_hooks(self) -> list[str | rx.Var[str]]:
        ready = arrived()
        return [
            rx.Var("useEffect(() => { if (wrArrived) { wrSettle(wrPath); } }, [wrArrived, wrPath]);",
                   _var_data=ready._get_all_var_data()),
        ]
