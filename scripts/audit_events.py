"""Makes docs/audit-events.md of the events that the code declares."""

from __future__ import annotations

from pathlib import Path

from workreef_app.services import door  # noqa: F401  (registers every operation)
from workreef_app.services.audit_review.coverage import events

DOCUMENT = Path(__file__).resolve().parent.parent / "docs" / "audit-events.md"
HEAD = """# Events of the audit log

Made by `make docs` of `workreef_app/services/events.py`; the page `/audit/events` shows the same. Every entry says
when, who (`person:`, `token:`, `cli:`, `job:`, `system:`, `public`), as which persona, what it was done to, in which
department, and by which operation. Texts that people wrote are never in it: ids, numbers, enums and times are, and
keyed hashes of what must be comparable.

| event | what it says | written by |
|---|---|---|
"""


def document() -> str:
    """The whole page."""
    return HEAD + "".join(
        f"| `{told.event}` | {told.meaning} | {', '.join(f'`{name}`' for name in told.operations) or told.besides} |\n"
        for told in events()
    )


if __name__ == "__main__":
    DOCUMENT.write_text(document(), "utf-8")
