"""Files that are made for one request: sent whole, then removed, whatever the server offers."""

from __future__ import annotations

import asyncio
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

from workreef_app.http.operations import file_response
from workreef_app.services.operation import FileResult

Message = MutableMapping[str, Any]


def test_a_file_for_one_request_is_sent_by_its_bytes_and_removed(tmp_path: Path) -> None:
    """A server that is given only its path opens it after it is removed, and answers 404."""
    file = tmp_path / "export.zip"
    file.write_bytes(b"proof" * 40_000)
    sent: list[Message] = []
    scope: dict[str, Any] = {
        "type": "http", "method": "GET", "path": "/", "headers": [],
        "extensions": {"http.response.pathsend": {}, "http.response.trailers": {}},
    }

    async def receive() -> Message:
        await asyncio.Event().wait()
        raise AssertionError

    async def send(message: Message) -> None:
        sent.append(message)

    response = file_response(FileResult(file, "export.zip", "application/zip"))
    asyncio.run(response(scope, receive, send))
    assert {message["type"] for message in sent} == {"http.response.start", "http.response.body"}
    assert b"".join(message["body"] for message in sent[1:]) == b"proof" * 40_000
    assert not file.exists()
    assert set(scope["extensions"]) == {"http.response.pathsend", "http.response.trailers"}
