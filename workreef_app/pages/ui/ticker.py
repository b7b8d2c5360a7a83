"""A timer in the browser, for pages that look again while something is under way."""

from __future__ import annotations

import reflex as rx
from reflex_components_core.core.banner import has_connection_errors

_SCRIPT = """
const WrTicker = ({ intervalMs, active, paused, onTick }) => {
  const tick = useRef(onTick);
  useEffect(() => { tick.current = onTick; });
  useEffect(() => {
    if (!active || paused) return;
    // Nobody looks at a hidden page; it catches up at once when it is shown again.
    const beat = () => { if (!document.hidden) { tick.current(); } };
    const shown = () => beat();
    const timer = setInterval(beat, intervalMs);
    document.addEventListener("visibilitychange", shown);
    return () => { clearInterval(timer); document.removeEventListener("visibilitychange", shown); };
  }, [intervalMs, active, paused]);
  return null;
};
"""


class Ticker(rx.Component):
    """Fires `on_tick` every `interval_ms` while it is on the page, `active`, in sight, and the socket is open.

    The handler is guarded like any other; a tick counts as no activity as long as it only asks for polls.
    """

    tag = "WrTicker"

    interval_ms: rx.Var[int]
    active: rx.Var[bool]
    paused: rx.Var[bool]

    on_tick: rx.EventHandler[rx.event.no_args_event_spec]

    @classmethod
    def create(cls, **props: object) -> rx.Component:
        return super().create(paused=has_connection_errors, **props)

    def add_imports(self) -> dict[str, list[rx.ImportVar]]:
        return {"react": [rx.ImportVar(tag="useEffect"), rx.ImportVar(tag="useRef")]}

    def add_custom_code(self) -> list[str]:
        return [_SCRIPT]
