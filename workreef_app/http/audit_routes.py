"""What leaves of the audit log: its export, receipts, checkpoints with their keys, and the verifier."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, PlainTextResponse, Response, StreamingResponse
from starlette.exceptions import HTTPException

from workreef_app.http.context import caller, patiently, perform
from workreef_app.http.operations import file_response
from workreef_app.services.audit import verify

routes = APIRouter(include_in_schema=False)


def _asked(request: Request, *names: str) -> dict[str, str]:
    return {name: request.query_params[name] for name in names if request.query_params.get(name)}

FEED_FIELDS = ("actor", "event", "target", "id", "since", "until", "after", "upto")


@routes.get("/export/audit")
async def export_audit(request: Request) -> Response:
    """The tenant's audit log as a zip, or the entries from `first` to `last`."""
    return file_response(await perform(request, "audit.export", dict(_asked(request, "first", "last"))))


#: Forms of the log for the tools of a security team: the ending of the address, the form, and its media type.
FEEDS = {"ndjson": ("ocsf", "application/x-ndjson"), "cef": ("cef", "text/plain; charset=utf-8")}


@routes.get("/export/audit-events.{ending}")
async def feed(request: Request, ending: str) -> Response:
    """The log, or what the address filters of it, as OCSF in NDJSON or as CEF, piece after piece in its own order."""
    if ending not in FEEDS:
        raise HTTPException(404)
    form, media_type = FEEDS[ending]
    asked: dict[str, object] = dict(_asked(request, *FEED_FIELDS), form=form)
    first = await perform(request, "audit.feed", asked)
    name = f"audit-{caller(request).tenant.info.slug}.{ending}"
    return StreamingResponse(_pieces(request, asked, first), media_type=media_type, headers={
        "Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store",
    })


async def _pieces(request: Request, asked: dict[str, object], piece: Any) -> AsyncIterator[str]:
    while True:
        yield piece.lines
        if piece.next is None:
            return
        piece = await patiently(request, "audit.feed", asked | {"after": piece.next, "upto": piece.upto})


@routes.get("/export/receipt")
async def receipt(request: Request) -> Response:
    """The receipt of the entry `seq`, for `verify.py receipt`."""
    made = await perform(request, "audit.receipt", dict(_asked(request, "seq")))
    return Response(made.receipt, media_type="application/json", headers={
        "Content-Disposition": f'attachment; filename="receipt-{made.seq}.json"', "Cache-Control": "no-store",
    })


@routes.get("/audit/checkpoint")
async def checkpoint(request: Request) -> Response:
    """The last checkpoint as a signed note, or that of `size` entries."""
    found = await perform(request, "audit.read_checkpoint", dict(_asked(request, "size")))
    return PlainTextResponse(found.note, headers={
        "Content-Disposition": f'attachment; filename="checkpoint-{found.size}.txt"', "Cache-Control": "no-store",
    })


@routes.get("/audit/keys.json")
async def keys(request: Request) -> Response:
    """The public keys of the checkpoints' signatures."""
    found = await perform(request, "audit.read_checkpoint", {})
    return Response(found.keys_json, media_type="application/json", headers={"Cache-Control": "no-store"})


@routes.get("/audit/verify.py")
async def verifier() -> Response:
    """The offline verifier's source."""
    return FileResponse(verify.__file__, media_type="text/x-python", filename="verify.py")
