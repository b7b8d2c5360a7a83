"""Canonical JSON: one text for one value, so that what is hashed can be made again by anyone.

The subset of RFC 8785 (JSON Canonicalization Scheme) that audit entries need: ASCII keys, strings, whole
numbers within ±2^53, booleans, null, lists and objects. No floats, whose text forms differ between
languages. Within this subset sorting keys by code point is RFC 8785's order, and Python's own encoder
writes strings exactly as section 3.2.2.2 asks (tested).
"""

from __future__ import annotations

import json
from typing import Any, Final

MAX_INTEGER: Final = 2**53
#: How deeply lists and objects may nest, the outermost counted. Far more than an entry needs, and far less
#: than any reader's recursion limit.
MAX_DEPTH: Final = 32

_encode = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False).encode


class NotCanonical(ValueError):
    """A value or a text without a canonical form. `path` leads to the fault, as in `$.detail.rows[2]`."""

    def __init__(self, path: str, fault: str) -> None:
        super().__init__(f"{path}: {fault}")
        self.path = path
        self.fault = fault


def canonical(value: object) -> str:
    """The canonical text of a value; raises `NotCanonical` for one that has none."""
    _check(value, "$", MAX_DEPTH)
    return _encode(value)


def parse(text: str) -> dict[str, Any]:
    """The object that a canonical text stands for.

    Raises `NotCanonical` for anything but the canonical text of an object: a repeated key, a float, a number
    out of range, a needless space or escape, keys out of order, another value than an object.
    """
    try:
        value = _decode(text)
    except NotCanonical:
        raise
    except (ValueError, RecursionError) as error:
        raise NotCanonical("$", f"not JSON ({error})") from None
    if not isinstance(value, dict):
        raise NotCanonical("$", "not an object")
    if canonical(value) != text:
        raise NotCanonical("$", "keys out of order, or spaces or escapes that the canonical form has not")
    return value


def _check(value: object, path: str, room: int) -> None:
    if value is None or isinstance(value, bool):
        return
    if isinstance(value, str):
        _check_text(value, path)
    elif isinstance(value, int):
        if not -MAX_INTEGER <= value <= MAX_INTEGER:
            raise NotCanonical(path, "a number beyond 2^53")
    elif not isinstance(value, dict | list):
        raise NotCanonical(path, f"a {type(value).__name__} has no canonical form")
    elif room == 0:
        raise NotCanonical(path, f"nested more than {MAX_DEPTH} deep")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            _check(item, f"{path}[{index}]", room - 1)
    else:
        for key, item in value.items():
            if not isinstance(key, str) or not key.isascii():
                raise NotCanonical(path, "a key that is not ASCII text")
            _check(item, f"{path}.{key}", room - 1)


def _check_text(value: str, path: str) -> None:
    try:
        value.encode()
    except UnicodeEncodeError:
        raise NotCanonical(path, "a lone surrogate") from None


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        repeated = next(key for key in keys if keys.count(key) > 1)
        raise NotCanonical("$", f"the key {repeated!r} twice in one object")
    return found


def _integer(digits: str) -> int:
    # Longer than any number in range, and refused before it is parsed: parsing a million digits takes seconds.
    if len(digits) > len(str(-MAX_INTEGER)):
        raise NotCanonical("$", "a number beyond 2^53")
    return int(digits)


def _no_float(text: str) -> float:
    raise NotCanonical("$", f"{text[:20]} is not a whole number")


_decode = json.JSONDecoder(
    object_pairs_hook=_pairs, parse_int=_integer, parse_float=_no_float, parse_constant=_no_float
).decode
