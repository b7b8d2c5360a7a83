"""Structured logs: one JSON object a line on standard error, with request ids and no content."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime

OWN = "workreef"
#: What a record may carry beside its message. Nothing else is written, so no content slips in.
FIELDS = ("request", "tenant", "method", "path", "status", "ms", "operation", "error")


class JsonLines(logging.Formatter):
    """A record as a JSON object."""

    def format(self, record: logging.LogRecord) -> str:
        entry: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": _message(record),
        }
        entry.update({name: getattr(record, name) for name in FIELDS if getattr(record, name, None) not in (None, "")})
        if record.exc_info and record.exc_info[2] is not None:
            entry["where"] = _places(record)
        return json.dumps(entry, ensure_ascii=False)


def _message(record: logging.LogRecord) -> str:
    """Our own messages in full. Other programs' may quote events and errors: only the first line, nothing filled in."""
    if record.name == OWN or record.name.startswith(f"{OWN}."):
        return record.getMessage()
    return str(record.msg).partition("\n")[0][:200]


def _places(record: logging.LogRecord) -> list[str]:
    """Where an exception came from: files and lines, not its text, which may quote data."""
    places, trace = [], record.exc_info[2] if record.exc_info else None
    while trace is not None:
        code = trace.tb_frame.f_code
        places.append(f"{code.co_filename.rsplit('/', 1)[-1]}:{trace.tb_lineno} {code.co_name}")
        trace = trace.tb_next
    return places[-8:]


def configure() -> None:
    """Sends our loggers, and warnings of all others, to standard error as JSON lines, and by no other way.

    Call it when everything is imported: some libraries put handlers of their own on their loggers.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    for name in list(logging.root.manager.loggerDict):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger(OWN).setLevel(logging.INFO)
