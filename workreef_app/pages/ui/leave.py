"""Leaving a page whose session has ended: nothing of it may stay readable."""

from __future__ import annotations

import reflex as rx
from reflex_components_core.core.banner import connection_errors_count

from workreef_app.state.shell import ShellState

_SCRIPT = """
const wrLeave = (to) => { if (to) { window.wrDrafts?.forgetAll(); window.location.replace(to); } };
// A closed socket is refused for ever once its session has ended: then the page has to go, not to wait.
const wrAskAgain = (failures) => {
  if (!failures) return;
  fetch("/auth/csrf", { cache: "no-store" }).then(
    (answer) => {
      if (answer.status === 401) { wrLeave("/login?then=" + encodeURIComponent(location.pathname + location.search)); }
    },
    () => {},
  );
};
// A page that the browser kept whole, and shows again on the way back, may belong to a session that has ended.
const wrNeverKept = () => {
  const back = (event) => { if (event.persisted) { window.location.reload(); } };
  window.addEventListener("pageshow", back);
  return () => window.removeEventListener("pageshow", back);
};
"""


class Leave(rx.Fragment):
    """Leaves the application for an HTTP route, by a full load, once the guard says so or the session has ended."""

    def add_imports(self) -> dict[str, list[rx.ImportVar]]:
        return {"react": [rx.ImportVar(tag="useEffect")]}

    def add_custom_code(self) -> list[str]:
        return [_SCRIPT]

    def add_hooks(self) -> list[str | rx.Var[str]]:
        to, failures = ShellState.leave_to, connection_errors_count
        return [
            rx.Var(f"const leaveTo = {to!s};", _var_data=to._get_all_var_data()),
            rx.Var(f"const wrFailures = {failures!s};", _var_data=failures._get_all_var_data()),
            "useEffect(() => wrLeave(leaveTo), [leaveTo]);",
            "useEffect(() => wrAskAgain(wrFailures), [wrFailures]);",
            "useEffect(wrNeverKept, []);",
        ]
