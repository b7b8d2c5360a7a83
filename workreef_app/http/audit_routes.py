"""What leaves of the audit log: its export, receipts, checkpoints with their keys, and the verifier."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, PlainTextResponse, Response

from workreef_app.http.context import perform
from workreef_app.http.operations import file_response
from workreef_app.services.audit import verify

routes = APIRouter(include_in_schema=False)


def _asked(request: Request, *names: str) -> dict[str, str]:
    return {name: request.query_params[name] for name in names if request.query_params.get(name)}


@routes.get("/export/audit")
async def export_audit(request: Request) -> Response:
    """The tenant's audit log as a zip, or the entries from `first` to `last`."""
    return file_response(await perform(request, "audit.export", dict(_asked(request, "first", "last"))))


@routes.get("/export/events")
async def export_events(request: Request) -> Response:
    """The log for a SIEM, in `format` ocsf or cef, from `first` to `last`."""
    asked = dict(_asked(request, "format", "first", "last"))
    return file_response(await perform(request, "audit.export_events", asked))


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
