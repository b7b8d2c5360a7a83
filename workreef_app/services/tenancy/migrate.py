"""Running the two migration trees, up and down, on a given connection."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

Tree = Literal["control", "tenant"]
TREES = Path(__file__).resolve().parents[3] / "alembic"


def _config(tree: Tree, connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(TREES / tree))
    config.attributes["connection"] = connection
    return config


def head(tree: Tree) -> str:
    """The revision that the code needs."""
    revision = ScriptDirectory.from_config(_config(tree)).get_current_head()
    if revision is None:
        raise RuntimeError(f"the {tree} migration tree is empty")
    return revision


def current(connection: Connection) -> str | None:
    """The revision that the database is at; None before the first migration."""
    return MigrationContext.configure(connection).get_current_revision()


def upgrade(connection: Connection, tree: Tree, revision: str = "head") -> None:
    """Brings the database up to `revision`. Runs in the connection's transaction; the caller commits."""
    command.upgrade(_config(tree, connection), revision)


def downgrade(connection: Connection, tree: Tree, revision: str) -> None:
    """Takes the database down to `revision` (`base` for empty). The caller commits."""
    command.downgrade(_config(tree, connection), revision)
