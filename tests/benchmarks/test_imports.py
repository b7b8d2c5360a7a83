"""What the import is measured by."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import imports, worlds
from workreef_app.services.door import Door


def test_peak_memory_grows_with_what_was_held_and_never_falls() -> None:
    before = imports.peak_mib()
    held = bytearray(b"x") * (64 << 20)
    during = imports.peak_mib()
    assert during >= before
    assert during > 64
    del held
    assert imports.peak_mib() == pytest.approx(during, abs=1)


def test_reading_and_mining_alone_has_a_rate(tmp_path: Path) -> None:
    worlds.write_log(tmp_path / "log", 200)
    assert imports.bare_rate(tmp_path / "log") > 0


def test_an_import_that_fails_is_no_measurement(door: Door, tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="The import failed"):
        imports.imported(door, "bench-imports", tmp_path / "none.log")
