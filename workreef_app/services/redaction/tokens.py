"""The token map of one conversation: the same value has the same token in every message, tool and system text.

It lives in memory alone. A token reads `⟦EMAIL_1·k7q⟧`; the nonce is absent from every text that was given so far.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from typing import Final

_LETTERS: Final = "abcdefghijkmnpqrtuvwxyz23456789"
_DIGITS: Final = "23456789"
_LENGTH: Final = 3
_TRIES: Final = 64


class TokenMap:
    """Values and their tokens. Not for use by several threads at once."""

    __slots__ = ("_counts", "_nonce", "_tokens", "digits", "longest", "nonces", "values")

    def __init__(self, nonce: str | None = None) -> None:
        self._tokens: dict[str, str] = {}
        self._counts: dict[str, int] = {}
        self._nonce = nonce or _new(_LENGTH)
        self.nonces: set[str] = set()
        #: The lengths of the longest token and of the longest index.
        self.longest = self.digits = 0
        #: From what a token says, `EMAIL_1·k7q`, to the value.
        self.values: dict[str, str] = {}

    def __len__(self) -> int:
        return len(self._tokens)

    def __repr__(self) -> str:
        return f"TokenMap({len(self)} values)"

    def prepare(self, texts: Iterable[str]) -> None:
        """Makes sure that tokens from here on carry a nonce that none of the texts holds."""
        for text in texts:
            self._avoid(text)

    def _avoid(self, text: str) -> None:
        if self._nonce not in text and self._nonce.upper() not in text:
            return
        lowered = text.casefold()
        length = _LENGTH
        for attempt in range(_TRIES * 4):
            if attempt and attempt % _TRIES == 0:
                length += 2
            nonce = _new(length)
            if nonce not in lowered:
                self._nonce = nonce
                return
        self._nonce = _new(24)

    def token(self, kind: str, value: str) -> str:
        """The token of a value; a new one where it has none."""
        found = self._tokens.get(value)
        if found is not None:
            return found
        number = self._counts.get(kind, 0) + 1
        self._counts[kind] = number
        said = f"{kind}_{number}·{self._nonce}"
        token = f"⟦{said}⟧"
        self.nonces.add(self._nonce)
        self._tokens[value] = token
        self.values[said] = value
        self.longest, self.digits = max(self.longest, len(token)), max(self.digits, len(str(number)))
        return token

    @property
    def kinds(self) -> Iterable[str]:
        """The classes that have a token."""
        return self._counts.keys()

    @property
    def lengths(self) -> tuple[int, ...]:
        """How long its nonces are, the longest first."""
        return tuple(sorted({len(nonce) for nonce in self.nonces}, reverse=True))

    def originals(self) -> Iterable[str]:
        """The values that must not leave."""
        return self._tokens.keys()


def _new(length: int) -> str:
    chosen = secrets.token_bytes(length)
    letters = "".join([_LETTERS[byte % len(_LETTERS)] for byte in chosen[1:]])
    return letters + _DIGITS[chosen[0] % len(_DIGITS)]
