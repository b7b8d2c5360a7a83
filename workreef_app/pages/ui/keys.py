"""Moving through lists by single keys, and the small dialog that says which keys there are.

The keys act in the browser alone: nothing that is typed is sent anywhere by them. They can be turned off, which the
browser remembers (WCAG 2.2, 2.1.4); they are silent while a field has the focus.
"""

from __future__ import annotations

import reflex as rx

_SCRIPT = """
const wrKeysOff = () => { try { return localStorage.getItem("workreef-keys") === "off"; } catch { return false; } };
const wrKeepKeys = (on) => {
  try { localStorage.setItem("workreef-keys", on ? "on" : "off"); } catch { /* this browser keeps nothing */ }
};
const wrMove = (step) => {
  const rows = [...document.querySelectorAll(".wr-table tbody tr, .wr-opportunity")]
    .filter((row) => row.querySelector("a"));
  const at = rows.findIndex((row) => row.contains(document.activeElement));
  const row = rows[at < 0 ? 0 : Math.min(Math.max(at + step, 0), rows.length - 1)];
  row?.querySelector("a").focus();
  row?.scrollIntoView({ block: "nearest" });
};
const wrKey = (event) => {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (wrKeysOff() || event.target.closest?.("input, textarea, select, [contenteditable], :popover-open")) return;
  if (event.key === "j" || event.key === "k") { event.preventDefault(); wrMove(event.key === "j" ? 1 : -1); }
  if (event.key === "?") { event.preventDefault(); document.getElementById("wr-keys")?.showPopover(); }
};
const wrWatchKeys = () => {
  const box = document.getElementById("wr-keys-on");
  const keep = () => wrKeepKeys(box.checked);
  if (box) { box.checked = !wrKeysOff(); box.addEventListener("change", keep); }
  document.addEventListener("keydown", wrKey);
  return () => { document.removeEventListener("keydown", wrKey); box?.removeEventListener("change", keep); };
};
"""


class Keys(rx.Fragment):
    """Listens for the keys as long as the page is shown."""

    def add_imports(self) -> dict[str, list[rx.ImportVar]]:
        return {"react": [rx.ImportVar(tag="useEffect")]}

    def add_custom_code(self) -> list[str]:
        return [_SCRIPT]

    def add_hooks(self) -> list[str | rx.Var[str]]:
        return ["useEffect(wrWatchKeys, []);"]


def keys_dialog() -> rx.Component:
    """Which keys there are, and the switch that turns them off. Opened by `?` and from the person's menu."""
    return rx.el.div(
        Keys.create(),
        rx.el.h2("Keys", id="wr-keys-title"),
        rx.el.dl(
            *_key("j", "The next row of a list"), *_key("k", "The row before"), *_key("Enter", "Opens the row"),
            *_key("?", "Shows these keys"), *_key("Esc", "Closes a menu or this"),
            class_name="wr-facts",
        ),
        rx.el.label(
            rx.el.input(type="checkbox", default_checked=True, id="wr-keys-on"),
            rx.el.span("Use the keys j, k and ?"),
            class_name="wr-check",
        ),
        rx.el.button(
            "Close", type="button", auto_focus=True, class_name="wr-button wr-button-plain",
            custom_attrs={"popoverTarget": "wr-keys", "popoverTargetAction": "hide"},
        ),
        id="wr-keys", role="dialog", class_name="wr-keys", custom_attrs={"popover": "auto"},
        aria_labelledby="wr-keys-title",
    )  # fmt: skip


def _key(name: str, what: str) -> tuple[rx.Component, rx.Component]:
    return rx.el.dt(rx.el.kbd(name, class_name="wr-key")), rx.el.dd(what)
