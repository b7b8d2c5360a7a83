"""Open tabs by hand, as many as wanted: Engine.IO 4 and Socket.IO 5 over a WebSocket, and Reflex's events in it."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from websockets.asyncio.client import ClientConnection, connect

ROOT = "reflex___state____state."
SECONDS = 30.0
ROUTER = {"pathname": "/", "asPath": "/", "query": {}}


class Tab:
    """A tab with an open socket; answers the server's pings meanwhile. Call `open` first, and `close` at the end."""

    def __init__(self) -> None:
        self._deltas: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._joined = asyncio.Event()

    async def open(self, host: str, port: int, headers: Mapping[str, str]) -> None:
        """Connects as a page at `host` does."""
        url = f"ws://{host}:{port}/_event/?EIO=4&transport=websocket&token={uuid4()}"
        # Programs do not know *.localhost, so the address is given beside the name.
        self._socket: ClientConnection = await connect(
            url, origin=f"http://{host}:{port}", additional_headers=dict(headers),  # type: ignore[arg-type]
            proxy=None, max_size=None, host="127.0.0.1",
        )
        self._listening = asyncio.create_task(self._listen())
        async with asyncio.timeout(SECONDS):
            await self._joined.wait()

    async def close(self) -> None:
        await self._socket.close()
        await self._listening

    async def _listen(self) -> None:
        async for packet in self._socket:
            said = str(packet)
            if said.startswith("0{"):
                await self._socket.send("40/_event,")
            elif said == "2":
                await self._socket.send("3")
            elif said.startswith("40/_event,"):
                self._joined.set()
            elif said.startswith("42/_event,"):
                kind, *data = json.loads(said.removeprefix("42/_event,"))
                if kind == "event":
                    self._deltas.put_nowait(data[0].get("delta") or {})

    async def round_trip(self, name: str, payload: Mapping[str, Any], state: str, field: str, value: Any) -> float:
        """Seconds from sending an event until a delta sets the field of the state to the value. Raises TimeoutError."""
        event = {"name": ROOT + name, "payload": payload, "router_data": ROUTER}
        packet = "42/_event," + json.dumps(["event", event])
        began = time.perf_counter()
        await self._socket.send(packet)
        async with asyncio.timeout(SECONDS):
            while (await self._deltas.get()).get(ROOT + state, {}).get(f"{field}_rx_state_") != value:
                pass
        return time.perf_counter() - began
