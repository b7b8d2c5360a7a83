"""The oldest server that is supported carries the whole path too."""

from __future__ import annotations

import hashlib
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.imports import import_lines
from workreef_app.services.door import Caller, Door
from workreef_app.services.tenancy import embedded, migrate
from workreef_app.services.tenancy.platform import Platform
from workreef_app.services.tenancy.tenants import create_tenant, migrate_tenant, prepare_platform
from workreef_app.settings import Settings


def test_a_tenant_works_from_import_to_verified_chain_on_postgres_16(settings: Settings) -> None:
    with (
        tempfile.TemporaryDirectory(prefix="workreef-test-", ignore_cleanup_errors=True) as name,
        embedded.lease(Path(name) / "postgres", version=16) as server,
    ):
        platform = Platform(settings, server.url())
        try:
            prepare_platform(platform)
            row = create_tenant(platform, slug="sixteen", name="Sixteen")
            door = Door(platform)
            caller = Caller(platform.tenant("sixteen"), "test", cli_user="tester")
            start = datetime(2026, 11, 1, tzinfo=UTC)
            lines = [
                {
                    "at": start + timedelta(hours=number), "message": f"backup of volume {number} failed: disk full",
                    "identity": hashlib.sha256(str(number).encode()).hexdigest(),
                }
                for number in range(120)
            ]
            done = import_lines(door, caller, None, lines)
            assert (done.added, done.new_tasks) == (120, 1)
            assert door.perform(caller, "digest.read", {}).opportunities[0].times == 120
            assert door.perform(caller, "audit.verify", {}).ok
            assert migrate_tenant(platform, row, "base") == (migrate.head("tenant"), None)
            assert migrate_tenant(platform, row) == (None, migrate.head("tenant"))
        finally:
            platform.close()
