"""Redacting and restoring messages, tools and whatever else is nested: JSON goes in, and JSON comes out."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

from workreef_app.services.redaction.engine import PROTOCOL, Redactor, strings_of
from workreef_app.services.redaction.restoring import Restored, restore
from workreef_app.services.redaction.tokens import TokenMap

_KEPT = PROTOCOL | {"id", "tool_call_id", "call_id", "tool_use_id"}
_DEFINES = frozenset({"parameters", "input_schema", "arguments", "inputSchema", "input"})


def redact_value(value: Any, redactor: Redactor, tokens: TokenMap) -> tuple[Any, Counter[str]]:
    """A copy of a JSON value with tokens in its strings, keys and long numbers, and the counts by class.

    Words of the protocol and names of tools stay; `Redactor.rescan` looks at them all the same.
    """
    counts: Counter[str] = Counter()
    if redactor.profile.off:
        return value, counts
    tokens.prepare(strings_of(value))
    return _redacted(value, redactor, tokens, counts), counts


def _redacted(value: Any, redactor: Redactor, tokens: TokenMap, counts: Counter[str]) -> Any:
    if isinstance(value, str):
        done = redactor.redact(value, tokens)
        counts.update(done.counts)
        return done.text
    if isinstance(value, dict):
        tool = not _DEFINES.isdisjoint(value)
        return {
            _redacted(key, redactor, tokens, counts): inner
            if isinstance(inner, str) and _stays(key, inner, tool=tool) else _redacted(inner, redactor, tokens, counts)
            for key, inner in value.items()
        }
    if isinstance(value, list | tuple):
        return [_redacted(inner, redactor, tokens, counts) for inner in value]
    if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) >= 1_000_000:
        done = redactor.redact(str(value), tokens)
        counts.update(done.counts)
        return done.text if done.findings else value
    return value


def _stays(key: str, inner: str, *, tool: bool) -> bool:
    plain = inner.isascii() and len(inner) <= 128 and inner.replace("-", "").replace("_", "").isalnum()
    return plain and (key in _KEPT or (tool and key == "name"))


def restore_value(value: Any, tokens: TokenMap) -> tuple[Any, Counter[str], int]:
    """A copy of a JSON value with the originals back, the counts by class, and how many tokens were not known.

    A string that is JSON itself, as the arguments of a tool call are, stays JSON.
    """
    counts: Counter[str] = Counter()
    unknown = [0]
    restored = _restored(value, tokens, counts, unknown)
    return restored, counts, unknown[0]


def _restored(value: Any, tokens: TokenMap, counts: Counter[str], unknown: list[int]) -> Any:
    if isinstance(value, str):
        done = restore_text(value, tokens)
        counts.update(done.counts)
        unknown[0] += done.unknown
        return done.text
    if isinstance(value, dict):
        return {
            _restored(key, tokens, counts, unknown): _restored(inner, tokens, counts, unknown)
            for key, inner in value.items()
        }
    if isinstance(value, list | tuple):
        return [_restored(inner, tokens, counts, unknown) for inner in value]
    return value


def restore_text(text: str, tokens: TokenMap) -> Restored:
    """A text with the originals back; one that is a JSON object or list is still one afterwards."""
    return restore(text, tokens, in_json=_is_document(text))


def _is_document(text: str) -> bool:
    if text.lstrip()[:1] not in ("{", "["):
        return False
    try:
        json.loads(text)
    except ValueError:
        return False
    return True
