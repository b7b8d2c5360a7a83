"""What a line's text may hold besides words."""

from __future__ import annotations

import re
from codecs import getincrementaldecoder

# Colours and the like of a terminal: control sequences, titles and links, and other two-letter escapes.
_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[ -/]*[0-Z\\^-~])")
_SURROGATE = re.compile("[\ud800-\udfff]")


def without_escapes(text: str) -> str:
    """The text without a terminal's escape sequences."""
    return _ESCAPES.sub("", text) if "\x1b" in text else text


def has_words(raw: bytes) -> bool:
    """Whether a line, which may be cut within a character, is text with a letter or a digit in it."""
    try:
        text = getincrementaldecoder("utf-8")().decode(raw)
    except UnicodeDecodeError:
        return False
    return any(map(str.isalnum, text))


def is_storable(message: str) -> bool:
    """False for what JSON can escape and no text column holds: NUL, and half of a surrogate pair."""
    return "\x00" not in message and (message.isascii() or _SURROGATE.search(message) is None)
