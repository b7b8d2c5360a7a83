"""What a demo keeps in its data directory, and what it leaves alone."""

from __future__ import annotations

import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest

from workreef_app.commands.frame import Failed
from workreef_app.demo.memory import Memory, claimed, password, place_of, remembered, reset, settings_of
from workreef_app.settings import Environment


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_first_start_writes_settings_that_later_ones_read(tmp_path: Path) -> None:
    environment = {"WORKREEF_ENV": "production", "WORKREEF_DATABASE_URL": "postgresql://elsewhere/x"}
    first = settings_of(tmp_path, 3456, environment)
    assert first.env is Environment.DEMO
    assert first.embedded
    assert (first.port, first.public_url) == (3456, "http://localhost:3456")
    assert mode(tmp_path / "workreef.env") == 0o600
    assert environment == {"WORKREEF_DATA_DIR": str(tmp_path)}
    second = settings_of(tmp_path, None, {})
    assert second == first


def test_another_port_keeps_the_secret(tmp_path: Path) -> None:
    first = settings_of(tmp_path, None, {})
    second = settings_of(tmp_path, None, {"WORKREEF_PORT": "3457"})
    assert (first.port, second.port, second.public_url) == (3000, 3457, "http://localhost:3457")
    assert first.secret_key == second.secret_key


def test_a_port_that_is_none_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(Failed, match="is no port"):
        settings_of(tmp_path, None, {"WORKREEF_PORT": "many"})


def test_an_installation_that_is_no_demo_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "workreef.env").write_text("WORKREEF_ENV=production\n")
    (tmp_path / "keys").mkdir()
    with pytest.raises(Failed, match="production installation"):
        settings_of(tmp_path, None, {})
    with pytest.raises(Failed, match="production installation"):
        reset(tmp_path)
    assert (tmp_path / "keys").exists()


def test_two_demos_do_not_share_a_directory(tmp_path: Path) -> None:
    with claimed(tmp_path), pytest.raises(Failed, match=r"runs in .* already"), claimed(tmp_path):
        pass
    with claimed(tmp_path):
        pass


def test_a_directory_of_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(Failed, match=r"thesis\.txt"), claimed(tmp_path):
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_reset_removes_what_is_ours_and_nothing_else(tmp_path: Path) -> None:
    settings_of(tmp_path, None, {})
    Memory(tmp_path / "demo.json", datetime.now(UTC)).save()
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "platform.key").write_bytes(b"k")
    (tmp_path / "pages").mkdir()
    (tmp_path / "thesis.txt").write_text("years of work")
    reset(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["pages", "thesis.txt"]
    reset(tmp_path)


def test_what_is_remembered_is_read_again_and_private(tmp_path: Path) -> None:
    memory = remembered(tmp_path)
    secret = memory.person("health", "a@b.example")["password"]
    memory.logs.append("health/claims")
    memory.save()
    assert mode(tmp_path / "demo.json") == 0o600
    again = remembered(tmp_path)
    assert again == memory
    assert again.person("health", "a@b.example")["password"] == secret


def test_a_broken_memory_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "demo.json").write_text("{")
    with pytest.raises(Failed, match="--reset"):
        remembered(tmp_path)


def test_passwords_are_long_enough_and_differ() -> None:
    found = {password() for _ in range(100)}
    assert len(found) == 100
    assert all(len(one) >= 12 for one in found)


def test_the_place_is_the_option_then_the_environment(tmp_path: Path) -> None:
    environment = {"WORKREEF_DATA_DIR": str(tmp_path / "environment")}
    assert place_of(tmp_path / "option", environment) == tmp_path / "option"
    assert place_of(None, environment) == tmp_path / "environment"
