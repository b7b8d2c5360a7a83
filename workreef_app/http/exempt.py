"""Every address at which a browser may write without our Origin and without a token of our pages: this list, whole.

Each is where another site sends the browser back to, and each checks by itself that we had sent it there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Exemption:
    """An exact path, and what it checks instead."""

    path: str
    instead: str


EXEMPT: Final = (
    Exemption(
        "/auth/oidc/callback",
        "`state` is one that we signed for this browser, which holds it in a cookie, and is used once; the code is"
        " bound to it by PKCE and the identity token by its nonce.",
    ),
)
PATHS: Final = frozenset(exemption.path for exemption in EXEMPT)
