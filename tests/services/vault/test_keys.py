"""Local keys: files of mode 0600 that wrap data keys and are never given out."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from workreef_app.services.vault.errors import KeyUnavailable
from workreef_app.services.vault.keys import provider


def test_a_key_file_is_made_once_and_only_its_owner_may_read_it(tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    keeper = provider("local:platform", keys)
    keeper.create()
    file = keys / "platform.key"
    first = file.read_bytes()
    assert len(first) == 32
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(keys.stat().st_mode) == 0o700
    keeper.create()
    assert file.read_bytes() == first


def test_what_is_wrapped_unwraps_with_the_same_context_only(tmp_path: Path) -> None:
    keeper = provider("local:one", tmp_path)
    keeper.create()
    wrapped = keeper.wrap(b"d" * 32, b"context")
    assert b"d" * 8 not in wrapped
    assert keeper.unwrap(wrapped, b"context") == b"d" * 32
    with pytest.raises(KeyUnavailable, match="local:one did not wrap"):
        keeper.unwrap(wrapped, b"another")


def test_another_key_does_not_unwrap(tmp_path: Path) -> None:
    one, two = provider("local:one", tmp_path), provider("local:two", tmp_path)
    one.create()
    two.create()
    with pytest.raises(KeyUnavailable, match="local:two"):
        two.unwrap(one.wrap(b"d" * 32, b""), b"")


@pytest.mark.parametrize("wrapped", [b"", b"short", b"x" * 12, b"x" * 40])
def test_what_was_never_wrapped_is_refused(tmp_path: Path, wrapped: bytes) -> None:
    keeper = provider("local:one", tmp_path)
    keeper.create()
    with pytest.raises(KeyUnavailable):
        keeper.unwrap(wrapped, b"")


def test_a_key_taken_away_does_not_answer_and_answers_again_when_it_is_back(tmp_path: Path) -> None:
    keeper = provider("local:one", tmp_path)
    keeper.create()
    wrapped = keeper.wrap(b"d" * 32, b"")
    file, aside = tmp_path / "one.key", tmp_path / "aside"
    file.rename(aside)
    with pytest.raises(KeyUnavailable, match="local:one cannot be read"):
        keeper.unwrap(wrapped, b"")
    with pytest.raises(KeyUnavailable):
        keeper.wrap(b"", b"")
    aside.rename(file)
    assert keeper.unwrap(wrapped, b"") == b"d" * 32


def test_a_damaged_key_file_does_not_answer_and_its_bytes_are_not_told(tmp_path: Path) -> None:
    (tmp_path / "one.key").write_bytes(b"seventeen bytes!!")
    with pytest.raises(KeyUnavailable) as fault:
        provider("local:one", tmp_path).wrap(b"", b"")
    assert "seventeen" not in str(fault.value)


@pytest.mark.parametrize("name", ["", "../platform", "a/b", "UPPER", "-a", "a.b", "a" * 64, "a\n"])
def test_a_name_that_is_no_name_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(KeyUnavailable, match="no name of a local key"):
        provider(f"local:{name}", tmp_path)


@pytest.mark.parametrize("reference", ["", "platform", "vault:platform", "LOCAL:platform", "aws-kms:arn"])
def test_a_service_that_is_not_known_does_not_answer(tmp_path: Path, reference: str) -> None:
    with pytest.raises(KeyUnavailable, match="no key service"):
        provider(reference, tmp_path)
