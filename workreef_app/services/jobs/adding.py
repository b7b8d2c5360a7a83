"""Adding a row that may be there already."""

from __future__ import annotations

from sqlalchemy.dialects.postgresql import Insert

from workreef_app.services.operation import Work


def unless_there(work: Work, statement: Insert) -> bool:
    """Whether the row was added now; False when one with the same key is there.

    Not with RETURNING, which asks for the right to read the row.
    """
    added = work.session.execute(statement.on_conflict_do_nothing(), execution_options={"preserve_rowcount": True})
    return bool(added.rowcount == 1)  # type: ignore[attr-defined]
