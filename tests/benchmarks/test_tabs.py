"""A tab by hand, against a server that speaks the socket's protocol and nothing else."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection, serve

from benchmarks import tabs
from benchmarks.tabs import Tab

STATE = tabs.ROOT + "page"


async def _speak(socket: ServerConnection, seen: list[str]) -> None:
    await socket.send('0{"sid":"a"}')
    async for packet in socket:
        seen.append(str(packet))
        if packet == "40/_event,":
            await socket.send('40/_event,{"sid":"b"}')
            await socket.send("2")
        elif str(packet).startswith("42"):
            value = json.loads(str(packet).removeprefix("42/_event,"))[1]["payload"]["value"]
            for shown in ("something else", value):
                delta = {"delta": {STATE: {"field_rx_state_": shown}}}
                await socket.send("42/_event," + json.dumps(["event", delta]))


@asynccontextmanager
async def _server() -> AsyncIterator[tuple[int, list[str]]]:
    seen: list[str] = []
    async with serve(lambda socket: _speak(socket, seen), "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1], seen


async def _open(value: Any, wanted: Any) -> list[str]:
    async with _server() as (port, seen):
        tab = Tab()
        await tab.open("tenant.localhost", port, {"Cookie": "a=b"})
        try:
            assert await tab.round_trip("page.set", {"value": value}, "page", "field", wanted) > 0
        finally:
            await tab.close()
        return seen


def test_a_round_trip_ends_with_its_own_delta_and_pings_are_answered() -> None:
    seen = asyncio.run(_open("new", "new"))
    assert sorted(packet[:3] for packet in seen) == ["3", "40/", "42/"]


def test_a_delta_that_does_not_come_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tabs, "SECONDS", 0.3)
    with pytest.raises(TimeoutError):
        asyncio.run(_open("new", "newer"))
