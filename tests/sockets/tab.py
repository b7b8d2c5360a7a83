"""A browser's tab by hand: Engine.IO 4 and Socket.IO 5 over a WebSocket, and Reflex's events in it."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Mapping
from contextlib import suppress
from types import TracebackType
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from uuid import uuid4

from websockets.exceptions import InvalidStatus
from websockets.sync.client import ClientConnection, connect

from tests.serving import Served

ROOT = "reflex___state____state."
SHELL = ROOT + "workreef_app___state___shell____shell_state"
SECONDS = 15.0
#: The parameter in the address of a page about one thing.
PARAMETERS = {"tasks": "task_id", "proposals": "proposal_id", "audit": "seq"}
Message = dict[str, Any]


def handler(module: str, state: str, name: str) -> str:
    """The full name of a handler of ours: `handler("work", "digest_state", "load")`."""
    return f"{ROOT}workreef_app___state___{module}____{state}.{name}"


def headers(served: Served, slug: str, cookie: Mapping[str, str] | None) -> dict[str, str]:
    given = served.host(slug)
    if cookie:
        given["Cookie"] = "; ".join(f"{name}={value}" for name, value in cookie.items())
    return given


def refused(
    served: Served, slug: str, cookie: Mapping[str, str] | None, *, origin: str | None, token: str = "", query: str = ""
) -> int:
    """Tries to open a socket; the status with which it was refused, 101 when it was not."""
    try:
        Tab(served, slug, cookie, origin=origin, token=token, query=query).close()
    except InvalidStatus as error:
        answer = error.response
    else:
        return 101
    assert not answer.body
    return answer.status_code


class Tab:
    """An open socket of a page. `seen` is all that the server has sent so far."""

    def __init__(
        self, served: Served, slug: str, cookie: Mapping[str, str] | None, *, origin: str | None = "", token: str = "",
        query: str = "",
    ) -> None:
        self.token = token or str(uuid4())
        self.seen: list[Message] = []
        self._marks = 0
        own = f"http://{served.host_name(slug)}:{served.port}"
        # The Host header is given by hand, since programs do not know *.localhost.
        self._opening = connect(
            f"ws://{served.host_name(slug)}:{served.port}/_event/?EIO=4&transport=websocket&token={self.token}{query}",
            origin=own if origin == "" else origin, additional_headers={  # type: ignore[arg-type]
                name: value for name, value in headers(served, slug, cookie).items() if name != "Host"
            },
            sock=_connection(served), proxy=None, max_size=None,
        )
        self._socket: ClientConnection = self._opening.__enter__()

    def __enter__(self) -> Tab:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        self._opening.__exit__(None, None, None)

    def join(self, boot: Message | None = None) -> Tab:
        """The Socket.IO connection, with a first event in it if one is given."""
        assert str(self._socket.recv(SECONDS)).startswith("0{")
        self._socket.send("40/_event," + (json.dumps({"event": boot}) if boot else ""))
        self.until(lambda message: message.get("joined", False))
        return self

    def send(self, name: str, payload: Message | None = None, path: str = "/") -> None:
        """Calls a handler from a page."""
        self._emit("event", event(name, payload, path))

    def _emit(self, kind: str, data: Any) -> None:
        self._socket.send("42/_event," + json.dumps([kind, data]))

    def until(self, fits: Callable[[Message], bool]) -> list[Message]:
        """What is sent up to the first message that fits. Raises TimeoutError when none comes."""
        begin = len(self.seen)
        while True:
            message = self._receive()
            self.seen.append(message)
            if fits(message):
                return self.seen[begin:]

    def settled(self, path: str = "/") -> list[Message]:
        """What is sent until all events so far are done, or the tab is sent away.

        A tab's events are done one after the other, so a last one of ours, which anybody may send, marks the end.
        """
        self._marks += 1
        mark = f"mark {self._marks} {self.token}"
        self.send(handler("proposal", "proposal_state", "set_reason"), {"value": mark}, path)
        return self.until(lambda message: mark in json.dumps(message) or leaving(message) is not None)

    def _receive(self) -> Message:
        while True:
            packet = str(self._socket.recv(SECONDS))
            if packet == "2":
                self._socket.send("3")
            elif packet.startswith("40/_event,"):
                return {"joined": True}
            elif packet.startswith("42/_event,"):
                kind, *data = json.loads(packet.removeprefix("42/_event,"))
                return data[0] if kind == "event" else {"kind": kind, "data": data}
            else:
                return {"packet": packet}


def _connection(served: Served) -> socket.socket:
    return socket.create_connection(("127.0.0.1", served.port), SECONDS)


def event(name: str, payload: Message | None = None, path: str = "/") -> Message:
    """An event as a page sends it: with its address, and the parameters in it."""
    address = urlsplit(path)
    parts = address.path.strip("/").split("/")
    query = dict(parse_qsl(address.query))
    if len(parts) == 2 and parts[0] in PARAMETERS:
        query[PARAMETERS[parts[0]]] = parts[1]
    router = {"pathname": address.path, "asPath": path, "query": query}
    return {"name": name, "payload": payload or {}, "router_data": router}


def leaving(message: Message) -> str | None:
    """Where a message sends the tab; None when it does not."""
    with suppress(AttributeError):
        found: str | None = message.get("delta", {}).get(SHELL, {}).get("leave_to_rx_state_")
        return found or None
    return None
