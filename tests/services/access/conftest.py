"""Shared by the tests of access."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from argon2 import PasswordHasher
from argon2.profiles import CHEAPEST

from workreef_app.services.access import passwords


@pytest.fixture(scope="module")
def cheap_passwords() -> Iterator[None]:
    """For tests that make many sign-ins, and are not about how slow a password's hash is."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "_hasher", PasswordHasher.from_parameters(CHEAPEST))
        patch.setattr(passwords, "_nobody", passwords.hash_password("no person has this password"))
        yield
