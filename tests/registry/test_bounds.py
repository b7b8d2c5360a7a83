"""Every field of every command is bounded, whatever is nested in it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import BaseModel, Field

from workreef_app.services import operations
from workreef_app.services.operation import REGISTRY, Command

operations.load()
#: Formats whose texts have a length of their own.
FORMATS = {"uuid", "date-time", "date"}


def unbounded(schema: Any, definitions: dict[str, Any], path: str, seen: frozenset[str] = frozenset()) -> Iterator[str]:
    """The places in a command's schema that could hold any number of things."""
    if not isinstance(schema, dict):
        return
    reference = schema.get("$ref")
    if reference is not None:
        name = reference.rsplit("/", 1)[-1]
        if name not in seen:
            yield from unbounded(definitions[name], definitions, path, seen | {name})
        return
    for branch in (*schema.get("anyOf", ()), *schema.get("oneOf", ()), *schema.get("allOf", ())):
        yield from unbounded(branch, definitions, path, seen)
    kind = schema.get("type")
    if kind == "string" and not _bounded_text(schema):
        yield path
    if kind == "array":
        if "maxItems" not in schema:
            yield path
        for part in (schema.get("items"), *schema.get("prefixItems", ())):
            yield from unbounded(part, definitions, f"{path}[]", seen)
    if kind == "object":
        yield from _object(schema, definitions, path, seen)


def _bounded_text(schema: dict[str, Any]) -> bool:
    pattern = re.sub(r"\[[^\]]*\]", "x", schema.get("pattern", ""))  # what stands in a class is no quantifier
    closed = pattern.startswith("^") and pattern.endswith("$") and not any(sign in pattern for sign in ("*", "+", ",}"))
    return closed or "maxLength" in schema or "enum" in schema or "const" in schema or schema.get("format") in FORMATS


def _object(schema: dict[str, Any], definitions: dict[str, Any], path: str, seen: frozenset[str]) -> Iterator[str]:
    for name, field in schema.get("properties", {}).items():
        yield from unbounded(field, definitions, f"{path}.{name}", seen)
    more = schema.get("additionalProperties", False)
    if more is not False:
        names = schema.get("propertyNames")
        if names is None or ("maxProperties" not in schema and "$ref" not in names):
            yield path  # names of an enum are as few as it has
        yield from unbounded(more, definitions, f"{path}{{}}", seen)
        yield from unbounded(names, definitions, f"{path}{{}}", seen)


def faults(command: type[BaseModel]) -> list[str]:
    schema = command.model_json_schema()
    return list(unbounded(schema, schema.get("$defs", {}), command.__name__))


@pytest.mark.parametrize("name", sorted(REGISTRY))
def test_every_field_of_a_command_is_bounded(name: str) -> None:
    assert faults(REGISTRY[name].command) == []


@pytest.mark.parametrize(("kind", "given"), [
    (str, Field()), (list[int], Field()), (list[str], Field(max_length=3)), (dict[str, int], Field(max_length=3)),
    (bytes, Field()), (str, Field(pattern="^a+$")), (str | None, Field(None)),
])
def test_what_is_unbounded_is_found(kind: Any, given: Any) -> None:
    bare = type("Bare", (Command,), {"__annotations__": {"field": kind}, "field": given})
    assert faults(bare)
