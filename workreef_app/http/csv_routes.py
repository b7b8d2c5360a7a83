"""What a list shows, as CSV (RFC 4180): the same operation, filters and scope, page after page, each read audited."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import StreamingResponse
from starlette.exceptions import HTTPException

from workreef_app.http.context import caller, patiently, perform
from workreef_app.services.operation import Invalid
from workreef_app.services.process import current

routes = APIRouter(include_in_schema=False)

#: With these a spreadsheet begins a formula, or skips to where one may begin.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
#: A list is at most this long; the door counts each page towards the reader's limit.
PAGES = 10_000


@dataclass(frozen=True)
class Listing:
    """A list operation as a table: its columns, and how its pages follow each other."""

    operation: str
    columns: tuple[str, ...]
    limit: int
    cursor: str
    next: Callable[[Any], Any]


WORK_COLUMNS = (
    "task_id", "proposal_id", "title", "department", "recommendation", "status", "reason_text", "score", "times",
    "days", "window_days", "uniformity", "handling", "sources", "as_of",
)
JOB_COLUMNS = (
    "id", "kind", "status", "requested_by", "attempts", "crashes", "done", "total", "error", "created_at", "started_at",
    "finished_at",
)
ALARM_COLUMNS = (
    "id", "kind", "title", "severity", "state", "subject", "department", "times", "raised_at", "last_at", "owner",
    "acknowledged_at", "acknowledged_by", "resolved_at", "resolved_by",
)
AUDIT_COLUMNS = ("seq", "at", "actor", "actor_name", "event", "target", "chain_hash")
ACCESS_COLUMNS = ("operation", "summary", "personas", "public", "jobs", "limit", "event", "keyless")
LISTINGS = {
    "access": Listing("access.matrix", ACCESS_COLUMNS, 500, "after", lambda page: page.next),
    "tasks": Listing("tasks.list", WORK_COLUMNS, 200, "after", lambda page: page.next),
    "proposals": Listing("proposals.list", WORK_COLUMNS, 200, "after", lambda page: page.next),
    "jobs": Listing("jobs.list", JOB_COLUMNS, 200, "after", lambda page: page.next),
    "alarms": Listing("alarms.list", ALARM_COLUMNS, 200, "after", lambda page: page.next),
    "audit": Listing("audit.list", AUDIT_COLUMNS, 500, "before", lambda page: page.next_before),
}


def cell(value: Any) -> str:
    """A value as a cell's text that no spreadsheet takes for a formula; nothing where it is unknown. Times in UTC."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    text = "; ".join(value) if isinstance(value, list) else str(getattr(value, "value", value))
    return f"'{text}" if text.startswith(_FORMULA) else text


def lines(rows: Iterable[Iterable[Any]]) -> str:
    """Rows as CSV lines."""
    out = io.StringIO()
    csv.writer(out).writerows([cell(value) for value in row] for row in rows)
    return out.getvalue()


async def _stream(request: Request, listing: Listing, filters: dict[str, Any], page: Any) -> AsyncIterator[str]:
    yield lines([listing.columns])
    for _ in range(PAGES):
        yield lines([getattr(row, column) for column in listing.columns] for row in page.rows)
        cursor = listing.next(page)
        if not cursor:
            return
        page = await patiently(request, listing.operation, {**filters, listing.cursor: cursor})


@routes.get("/export/{name}.csv")
async def download(request: Request, name: str) -> StreamingResponse:
    """A list with the filters of its page's address. A refusal is answered before anything is sent."""
    listing = LISTINGS.get(name)
    if listing is None:
        raise HTTPException(404)
    filters: dict[str, Any] = {key: value for key, value in request.query_params.items() if value}
    ours = {"limit", listing.cursor} & filters.keys()
    if ours:
        raise Invalid(f"Not accepted: {', '.join(sorted(ours))}.")
    filters["limit"] = listing.limit
    first = await perform(request, listing.operation, filters)
    day = current().clock().date().isoformat()
    file_name = f"{name}-{caller(request).tenant.info.slug}-{day}.csv"
    return StreamingResponse(
        _stream(request, listing, filters, first), media_type="text/csv; charset=utf-8; header=present",
        headers={"Content-Disposition": f'attachment; filename="{file_name}"', "Cache-Control": "no-store"},
    )
