"""Values are kept for a while, in bounded number, and fetched anew when that is wanted."""

from __future__ import annotations

import pytest

from workreef_app.services.sso.kept import Kept


def test_a_value_is_fetched_once_while_it_is_young() -> None:
    now, asked = [0.0], []
    kept: Kept[str, int] = Kept(300, 2, lambda: now[0])

    def fetch() -> int:
        asked.append(now[0])
        return len(asked)

    assert [kept.get("a", fetch), kept.get("a", fetch)] == [1, 1]
    now[0] = 299.9
    assert kept.get("a", fetch) == 1
    assert kept.get("a", fetch, fresh=True) == 2
    now[0] += 300
    assert kept.get("a", fetch) == 3


def test_the_oldest_make_room() -> None:
    kept: Kept[str, str] = Kept(300, 2, lambda: 0.0)
    for key in ("a", "b", "c"):
        kept.get(key, lambda key=key: key)  # type: ignore[misc]
    assert kept.get("c", lambda: "anew") == "c"
    assert kept.get("a", lambda: "anew") == "anew"


def test_that_it_could_not_be_fetched_is_not_kept() -> None:
    kept: Kept[str, int] = Kept(300, 2, lambda: 0.0)

    def fail() -> int:
        raise OSError

    with pytest.raises(OSError):
        kept.get("a", fail)
    assert kept.get("a", lambda: 7) == 7
