"""Which imports an address names."""

from __future__ import annotations

from uuid import UUID

from workreef_app.state.imports import SHOWN, ids_of

ONE, TWO = UUID(int=1), UUID(int=2)


def test_ids_of_an_address_are_ids_each_once_and_few() -> None:
    assert ids_of(f"{ONE},{TWO},{ONE},odd,,'; DROP TABLE") == [str(ONE), str(TWO)]
    assert ids_of("") == []
    assert len(ids_of(",".join(str(UUID(int=n)) for n in range(200)))) == SHOWN
