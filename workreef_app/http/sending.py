"""One file on its way into an import: in chunks, each handed over when the one before is kept, never held whole.

The sender is slowed down by the database: the next bytes are asked for when there is room for them.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Mapping
from typing import Any

import anyio
from fastapi import Request
from starlette.requests import ClientDisconnect

from workreef_app.http.context import perform, request_id
from workreef_app.services.operation import Command, Limited, Refusal, Unavailable
from workreef_app.services.signals.models import CHUNK_BYTES
from workreef_app.services.signals.receiving import AddChunk
from workreef_app.services.signals.runs import Import

log = logging.getLogger("workreef.http")

#: A sender that says nothing for so long is taken for gone.
STALL_SECONDS = 120.0
#: How long to wait before each further attempt while the database is away.
DELAYS = (0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0)


class Cut(Refusal):
    """The sender is gone, or has said nothing for too long, before the whole file had come."""

    status, code = 408, "interrupted"

    def __init__(self) -> None:
        super().__init__("The file stopped coming before its end. What came is counted, up to its last whole line.")


async def arriving(request: Request) -> AsyncIterator[bytes]:
    """The body as it comes. Raises Cut, also where less came than was announced."""
    stream, came = request.stream(), 0
    while True:
        try:
            with anyio.fail_after(STALL_SECONDS):
                data = await anext(stream)
        except StopAsyncIteration:
            break
        except (ClientDisconnect, TimeoutError):
            raise Cut from None
        came += len(data)
        if data:
            yield data
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and came < int(announced):
        raise Cut


class Sending:
    """An import that receives its file. `begin` opens it; `end` or `end_early` closes it, exactly once."""

    def __init__(self, request: Request, run: Import) -> None:
        self.run = run
        self._request = request
        self._held = bytearray()
        self._chunks = 0

    @classmethod
    async def begin(cls, request: Request, payload: Mapping[str, Any]) -> Sending:
        """Opens an import. Raises a Refusal."""
        return cls(request, await perform(request, "imports.start", payload))

    async def take(self, data: bytes) -> None:
        """Takes the next bytes; returns when all but a part of a chunk of them is kept. Raises a Refusal."""
        self._held += data
        while len(self._held) >= CHUNK_BYTES:
            chunk = bytes(self._held[:CHUNK_BYTES])
            del self._held[:CHUNK_BYTES]
            await self._keep(chunk)

    async def end(self, *, whole: bool) -> Import:
        """Hands over the rest and closes the import, which is then counted. Raises a Refusal."""
        if self._held:
            chunk = bytes(self._held)
            self._held.clear()
            await self._keep(chunk)
        return await self._close(whole=whole)

    async def end_early(self, why: BaseException) -> None:
        """Closes the import after a failure, so that what came is counted; where that fails too, the sweep does it."""
        with anyio.CancelScope(shield=True):
            try:
                await (self.end(whole=False) if isinstance(why, Cut) else self._close(whole=False))
            except Exception as error:
                facts = {"request": request_id(self._request), "error": type(error).__name__}
                log.warning("import not closed", extra=facts)

    async def _close(self, *, whole: bool) -> Import:
        closed: Import = await self._perform("imports.close", {"import_id": self.run.id, "whole": whole})
        return closed

    async def _keep(self, chunk: bytes) -> None:
        """Hands over a chunk, once: where the answer was lost, asks what arrived before it sends again."""
        command = AddChunk(import_id=self.run.id, number=self._chunks, content=chunk)
        uncertain = False
        for delay in (*DELAYS, None):
            try:
                if not uncertain or await self._received() == self._chunks:
                    await self._perform("imports.add_chunk", command)
                break
            except Unavailable:
                if delay is None:
                    raise
                uncertain = True
                await anyio.sleep(delay)
        self._chunks += 1

    async def _received(self) -> int:
        run: Import = await self._perform("imports.read", {"import_id": self.run.id})
        return run.chunks

    async def _perform(self, name: str, payload: Mapping[str, Any] | Command) -> Any:
        """An operation; waits where the limit of the sender's own requests is used up."""
        while True:
            try:
                return await perform(self._request, name, payload)
            except Limited as limited:
                await anyio.sleep(limited.retry_after)
