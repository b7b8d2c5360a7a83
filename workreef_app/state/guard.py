"""Lets an event through only from a session that holds, to handlers of our own pages.

Every handler can be called by anyone who opens a socket, and hydration runs before any handler; this middleware
stands before all of it. It looks the session up for every event and binds the tab's token to it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any
from uuid import UUID

import reflex as rx
from reflex.istate.manager.token import BaseStateToken
from reflex.middleware.middleware import Middleware
from reflex.state import BaseState, StateUpdate
from reflex_base.event import Event
from reflex_base.event.context import EventContext
from reflex_base.registry import RegistrationContext
from uuid_utils.compat import uuid7

from workreef_app.services.browser import browser_caller
from workreef_app.services.door import Caller
from workreef_app.services.process import current, refusal_of
from workreef_app.services.tenancy.errors import UnknownTenant
from workreef_app.state.calls import CALLER, in_pool
from workreef_app.state.shell import ShellState

log = logging.getLogger("workreef.state")

_STATE = "reflex___state____state."
#: Reflex's own handlers that its pages need; every other built-in one is refused.
BUILT_IN = frozenset({
    _STATE + "hydrate",
    _STATE + "hydrate_and_load",
    _STATE + "set_is_hydrated",
    _STATE + "reflex___state____on_load_internal_state.on_load_internal",
    _STATE + "reflex___state____on_load_internal_state.set_is_hydrated",
})


def allowed_handlers() -> frozenset[str]:
    """Names of the handlers that a browser may call: our states' own, and what Reflex needs to load a page."""
    ours = (
        name for name in RegistrationContext.get().event_handlers
        if "workreef_app___state___" in name and not name.endswith(".setvar")
    )
    return BUILT_IN | frozenset(ours)


def leave(path: str) -> StateUpdate:
    """Refuses an event and sends the tab away; nothing else of the state leaves."""
    return StateUpdate(delta={ShellState.get_full_name(): {"leave_to_rx_state_": path}})


def tell(sentence: str) -> StateUpdate:
    """Refuses an event and says why in the status region; nothing of the state leaves."""
    return StateUpdate(delta={ShellState.get_full_name(): {
        "status_rx_state_": sentence, "status_href_rx_state_": "", "refused_rx_state_": True,
    }})


def _who(router_data: dict[str, Any]) -> tuple[Caller | None, UUID | None]:
    """The caller of an event and their session; None for what there is not."""
    try:
        caller = browser_caller(
            current().platform, router_data.get("headers", {}), router_data.get("ip", ""), uuid7().hex
        )
    except UnknownTenant:
        return None, None
    known = current().actor(caller) if caller is not None else None
    return caller, known[0].session_id if known is not None else None


class Guard(Middleware):
    """The first middleware: refuses, or lets the event through as its caller.

    `opened` tells whether a tab has an open socket.
    """

    def __init__(self, opened: Callable[[str], bool] = lambda _: True) -> None:
        self._opened = opened
        self._bound: dict[str, UUID] = {}
        self._callers: dict[str, Caller] = {}
        self._allowed: frozenset[str] = frozenset()

    async def preprocess(self, app: rx.App, state: BaseState, event: Event) -> StateUpdate | None:
        self._allowed = self._allowed or allowed_handlers()
        if event.name not in self._allowed:
            return StateUpdate()
        context = EventContext.get()
        router_data: dict[str, Any] = context.router_data
        try:
            caller, session_id = await in_pool(_who, router_data)
        except Exception as error:
            refusal = refusal_of(error)
            if refusal is None:
                raise
            return tell(refusal.detail)
        if not self._opened(context.token):
            return StateUpdate()  # closed since: what is bound or loaded now, nothing would ever forget
        if caller is None or session_id is None:
            state.reset()  # type: ignore[no-untyped-call]
            return leave("/login")
        if self._bound.setdefault(context.token, session_id) != session_id:
            # The tab's state belongs to another session: forget it, and load the page anew.
            state.reset()  # type: ignore[no-untyped-call]
            self._bind(context.token, session_id, caller)
            return leave(router_data.get("asPath", "/"))
        self._bind(context.token, session_id, caller)
        CALLER.set(caller)
        return None

    def _bind(self, token: str, session_id: UUID, caller: Caller) -> None:
        self._bound[token], self._callers[token] = session_id, caller

    def owner(self, token: str) -> UUID | None:
        """The session that an open tab belongs to; None for a token of no open tab."""
        return self._bound.get(token)

    def tabs(self, session_id: UUID) -> list[str]:
        """The open tabs of a session."""
        return [token for token, bound in self._bound.items() if bound == session_id]

    def callers(self) -> dict[UUID, Caller]:
        """The sessions that have open tabs, each with who last called from one."""
        return {self._bound[token]: caller for token, caller in self._callers.items() if token in self._bound}

    def release(self, token: str) -> None:
        """Forgets which session a tab belonged to."""
        self._bound.pop(token, None)
        self._callers.pop(token, None)


def install(app: rx.App) -> Guard:
    """Puts the guard before every event, and forgets a tab's state when its socket closes."""
    namespace = app.event_namespace
    if namespace is None:
        raise RuntimeError("the application has no event socket")
    original = namespace.on_disconnect

    def opened(token: str) -> bool:
        return token in namespace.sid_to_token.values()

    guard = Guard(opened)
    app.add_middleware(guard, index=0)

    def forget(token: str) -> None:
        guard.release(token)
        # The memory manager has no public way to forget one token.
        app.state_manager._purge_token(BaseStateToken(ident=token, cls=rx.State))  # type: ignore[attr-defined]

    def on_disconnect(sid: str, *arguments: Any) -> Any:
        token = namespace.sid_to_token.get(sid)
        task = original(sid, *arguments)
        if token is not None:
            forget(token)
            if task is not None:
                # Until it is done the tab counts as open, and an event may have bound it again.
                task.add_done_callback(lambda _: None if opened(token) else forget(token))
        return task

    namespace.on_disconnect = on_disconnect  # type: ignore[method-assign]
    for name in ("reflex.app", "reflex_base.event.processor.event_processor",
                 "reflex_base.event.processor.base_state_processor"):
        logging.getLogger(name).addFilter(_without_content)
    return guard


async def close_tabs(app: rx.App, guard: Guard, session_id: UUID) -> None:
    """Blanks a session's open tabs and closes their sockets: closing alone would leave the text on the screen."""
    namespace = app.event_namespace
    if namespace is None or app.sio is None:
        return
    for token in guard.tabs(session_id):
        sid = namespace.token_to_sid.get(token)
        if sid is not None:
            await namespace.emit_update(leave("/login"), token)
            await app.sio.disconnect(sid, namespace=namespace.namespace)


async def look_again(app: rx.App, guard: Guard) -> None:
    """Closes the tabs of sessions that have ended, when word of it may have been missed."""
    for session_id, caller in guard.callers().items():
        try:
            known = await in_pool(current().actor, caller)
        except Exception as error:  # whatever it was, the next event finds out
            log.warning("an open page's session was not looked up", extra={"error": type(error).__name__})
            continue
        if known is None:
            await close_tabs(app, guard, session_id)


def _without_content(record: logging.LogRecord) -> bool:
    """Reflex logs whole events, cookies included; only that something happened is kept."""
    record.msg, record.args = f"{record.name}: an event was not processed", ()
    record.exc_info = None
    return True
