"""Turns one log message into the tuple of tokens that the miner groups by.

What can be told to be a variable from its form alone (a number, an identifier with a digit in it, an
address, a path, a date word) is replaced here, so that lines of one event are mostly equal already and
the miner has only free words left to decide. The idea, masking before grouping, is that of AEL (Jiang
et al., QSIC 2008) and ULP (Sedki et al., ICSME 2022); the forms below are our own and name no product.
"""

from __future__ import annotations

import re

VARIABLE = "<#>"
"""Stands in a token for a part that its form shows to be variable."""

MAX_LENGTH = 2_048
"""Characters looked at in a message; the rest becomes one variable."""

MAX_TOKENS = 128
"""Tokens looked at in a message; the rest becomes one variable."""

MAX_TOKEN_LENGTH = 256
"""Characters; a longer token (a blob, a key) is a variable as a whole."""

_CACHED_TOKENS = 65_536

_DATE_WORDS = "Mon|Tue|Wed|Thu|Fri|Sat|Sun|Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec"
_DATES = frozenset(_DATE_WORDS.split("|"))

# One alternation, tried from the top, only ever on a token of bounded length.
_VARIABLE_FORMS = re.compile(
    r"""
      [A-Za-z][A-Za-z0-9+.\-]*://[^\s"'<>()\[\]{},;]*            # URL
    | [\w.+\-]+@[\w\-]+(?:\.[\w\-]+)+                            # e-mail address
    | (?<!\w)[A-Za-z]:\\[^\s"'<>|,;]*                            # path, Windows
    | (?<![\w.\-)\]>])[~.]{0,2}/[\w.@%+~:$*\#?&=/\-]+            # path, Unix, with its query
    | (?<![0-9A-Za-z])[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}(?![0-9A-Za-z])   # UUID
    | (?<![0-9A-Za-z])[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){3,}(?![0-9A-Za-z])              # MAC, IPv6
    # a name with a digit in it, with everything joined to it: number, version, host, IP:port, time, id
    | [<>~]?[+\-]?(?:[A-Za-z]+[.\-])*[A-Za-z]*[0-9][0-9A-Za-z]*
        (?:[.\-]+[0-9A-Za-z]+|[:/_+,@\#%~]+(?:[A-Za-z]*[0-9][0-9A-Za-z]*|[A-Za-z](?![A-Za-z])))*
    # a qualified name, of a host, a package, a class: a.b.c, a.b.c:80, a.b:80; but no exception, which is the event
    | (?<![\w.\-])[a-z][a-z\-]*(?:\.[a-z][a-z\-]*)+:[0-9]{1,5}(?![\w.])
    | (?<![\w.\-])[a-z][a-z\-]*(?:\.[a-z][a-z\-]*){2,}(?:\.(?!\w*(?:Exception|Error)\b)[\w$]+)*
        (?::[0-9]+)?(?![\w.(])
    | (?<=[=:])(?i:true|false|null|none|nil|yes|no|nan)(?!\w)     # a flag's value
    | ^(?:""" + _DATE_WORDS + r"""),?$         # date word
    | (?<=^\()(?=\)) | (?<=^\[)(?=\])                            # a value left empty: "()"
    | <[*\#]>                                                    # our own marks, met in the input
    """,
    re.VERBOSE,
)

# A quoted value with blanks in it is one token, whatever the number of its words.
_QUOTE_AWARE = re.compile(r'[^\s"]*"[^"]{0,200}"[^\s"]*|\S+')

# A unit after a number: "93.0 B" and "14.3 KB", "<1 sec" and "00:02" are values of one variable.
_UNIT = re.compile(
    r"(?:[KMGTPkmgtp]i?)?[Bb]|[Bb]ytes?|(?:[mun]?s|secs?|seconds?|mins?|minutes?|hours?|hrs?|days?)"
)
_CLOSING = ",.;:)]}"


class Shaper(dict[str, str]):
    """Makes shapes, and remembers the form of each token met; pure apart from that bounded memory."""

    def __missing__(self, token: str) -> str:
        if token.isdigit() or len(token) > MAX_TOKEN_LENGTH:
            return VARIABLE
        if token.isalpha():  # no other form is of letters alone
            form = VARIABLE if token in _DATES else token
        else:
            form = _VARIABLE_FORMS.sub(VARIABLE, token)
        if len(self) >= _CACHED_TOKENS:
            self.clear()
        self[token] = form
        return form

    def shape(self, message: str) -> tuple[str, ...]:
        """The message's tokens with every recognisable variable replaced."""
        long = len(message) > MAX_LENGTH
        if long:
            message = message[:MAX_LENGTH]
        pieces = _QUOTE_AWARE.findall(message) if '"' in message else message.split()
        if long and pieces:
            pieces[-1] = VARIABLE
        if len(pieces) > MAX_TOKENS:
            pieces[MAX_TOKENS - 1 :] = [VARIABLE]
        return tuple(map(self.__getitem__, pieces))


def condensed(tokens: tuple[str, ...]) -> tuple[str, ...]:
    """The shape with what is one value to a reader made one token.

    A unit goes with its number ("93.0 B", "<1 sec"), a size told twice counts once
    ("1190 bytes (1.16 KB)"), and a list with commas is one value whatever its length.
    """
    kept: list[str] = []
    measured = False
    for token in tokens:
        last = kept[-1] if kept else ""
        bare = token.rstrip(_CLOSING)
        if last.endswith(VARIABLE) and _UNIT.fullmatch(bare):
            if measured and last == f"({VARIABLE}" and token.startswith(bare + ")"):
                kept.pop()
                kept[-1] += token[len(bare) + 1 :]
                measured = False
            else:
                kept[-1] += token[len(bare) :]
                measured = True
        elif last == f"{VARIABLE}," and token.startswith(VARIABLE):
            kept[-1] = token
        else:
            kept.append(token)
            measured = measured and token == f"({VARIABLE}"
    return tuple(kept)
