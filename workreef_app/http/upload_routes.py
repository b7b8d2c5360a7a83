"""Files that people send from a page: streamed into an import as they come, by the operations that everybody uses.

`PUT /upload/imports` takes a file as its body and what it is in its query; `POST /upload/form` takes the page's form.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from fastapi.encoders import jsonable_encoder
from fastapi.responses import JSONResponse, RedirectResponse

from workreef_app.http import csrf
from workreef_app.http.context import caller
from workreef_app.http.form_tokens import FIELD
from workreef_app.http.parts import Field, FileBegins, Part, Parts, Piece
from workreef_app.http.sending import Cut, Sending, arriving
from workreef_app.services.operation import Invalid
from workreef_app.services.signals.runs import Import

routes = APIRouter(include_in_schema=False)


def payload_of(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """The fields of `imports.start` that were filled in. Raises Invalid for a field given twice."""
    found: dict[str, str] = {}
    for name, value in pairs:
        if name in found:
            raise Invalid("A field is given twice.", fields={name: "is given more than once"})
        found[name] = value
    return {name: value for name, value in found.items() if value}


@routes.put("/upload/imports")
async def send(request: Request) -> JSONResponse:
    """Imports the body. A refusal of what it is to be is answered before any of it is read."""
    sending = await Sending.begin(request, payload_of(request.query_params.multi_items()))
    try:
        async for data in arriving(request):
            await sending.take(data)
        run = await sending.end(whole=True)
    except BaseException as error:
        await sending.end_early(error)
        raise
    return JSONResponse({"import": jsonable_encoder(run)}, headers={"Cache-Control": "no-store"})


@routes.post("/upload/form")
async def send_form(request: Request) -> RedirectResponse:
    """Imports the files of a form and leads back to the page that shows their imports."""
    parts, form = Parts(request.headers.get("content-type", "")), Form(request)
    try:
        async for data in arriving(request):
            for part in parts.feed(data):
                await form.take(part)
        if not parts.complete:
            raise Cut
    except BaseException as error:
        if form.sending is not None:
            await form.sending.end_early(error)
        raise
    if not form.done:
        raise Invalid("No file was chosen. Go back, choose one, and press Import.")
    query = urlencode({"import": ",".join(str(run.id) for run in form.done)})
    return RedirectResponse(f"/sources?{query}", status_code=303)


class Form:
    """A form that is being read: the fields so far, the file that is coming, and the imports that are closed."""

    def __init__(self, request: Request) -> None:
        self.sending: Sending | None = None
        self.done: list[Import] = []
        self._request = request
        self._fields: list[tuple[str, str]] = []
        self._files = 0
        #: As the page's script sends it; else the form's own field must be it.
        self._token = request.headers.get(csrf.HEADER, "")

    async def take(self, part: Part) -> None:
        """Takes the next part. Raises a Refusal."""
        if isinstance(part, Field):
            if self._files:
                raise Invalid("The files must be the last fields of the form.")
            if part.name == FIELD:
                self._token = part.value
            else:
                self._fields.append((part.name, part.value))
        elif isinstance(part, FileBegins):
            csrf.verify(caller(self._request), self._token)
            self._files += 1
            if part.file_name:
                self.sending = await Sending.begin(self._request, self._payload(part.file_name))
        elif isinstance(part, Piece):
            if self.sending is not None:
                await self.sending.take(part.content)
        elif self.sending is not None:
            run = await self.sending.end(whole=True)
            self.sending = None
            self.done.append(run)

    def _payload(self, file_name: str) -> dict[str, Any]:
        return payload_of([*self._fields, ("file_name", file_name)])
