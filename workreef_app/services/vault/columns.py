"""Columns with a sensitivity, sealed or in clear.

Every tenant column is declared through `sealed` and its kin, `lookup` or `clear`, so that its sensitivity stands where
the column is declared. Sealed columns hold bytes; the cipher of the running unit of work (`using`) turns them into
values and back.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, Column, LargeBinary, Table, Text, event
from sqlalchemy.orm import registry
from sqlalchemy.types import TypeDecorator, TypeEngine
from sqlmodel import Field, SQLModel

from workreef_app.services.vault.cipher import FORMAT, OVERHEAD, SUMMARY_SEALED, Cipher, cut_summary

_cipher: ContextVar[Cipher] = ContextVar("workreef_cipher")


class TenantTable(SQLModel, registry=registry()):
    """Base of every table in a tenant's database."""


class Sensitivity(StrEnum):
    """How much harm a column's values do in wrong hands; it decides sealing, prompts and exports."""

    PUBLIC = "public"
    INTERNAL = "internal"
    PERSONAL = "personal"
    HEALTH = "health"
    SECRET = "secret"  # nosec B105: a name, no value


class Form(StrEnum):
    """What a sealed column holds once opened."""

    TEXT = "text"
    JSON = "json"
    SUMMARY = "summary"
    BYTES = "bytes"


@contextmanager
def using(cipher: Cipher) -> Iterator[None]:
    """Sealed columns are read and written under `cipher` inside the block."""
    token = _cipher.set(cipher)
    try:
        yield
    finally:
        _cipher.reset(token)


def index(table: str, column: str, value: str) -> bytes:
    """The look-up hash of a value of a sealed column, under the cipher in use."""
    return _cipher.get().index(table, column, value)


def encode(form: Form, value: Any) -> bytes:
    """The bytes that are sealed for a value."""
    if form is Form.BYTES:
        return bytes(value)
    if form is Form.SUMMARY:
        return cut_summary(value)
    if form is Form.JSON:
        return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()
    return str(value).encode()


def decode(form: Form, plain: bytes) -> Any:
    """The value of opened bytes."""
    if form is Form.BYTES:
        return plain
    if form is Form.JSON:
        return json.loads(plain)
    text = plain.decode()
    return text.rstrip(" ") if form is Form.SUMMARY else text


class Sealed(TypeDecorator[Any]):
    """Bytes in the database, a value in Python. Knows its table and column from where it is declared."""

    impl = LargeBinary
    cache_ok = True

    def __init__(self, form: Form, table: str = "", column: str = "") -> None:
        super().__init__()
        self.form = form
        self.table = table
        self.column = column

    def seal(self, value: Any) -> bytes:
        """The sealed form of a value, under the cipher in use."""
        return _cipher.get().seal(self.table, self.column, encode(self.form, value))

    def process_bind_param(self, value: Any, dialect: Any) -> bytes | None:
        return None if value is None else self.seal(value)

    def process_result_value(self, value: Any, dialect: Any) -> Any:
        if value is None:
            return None
        return decode(self.form, _cipher.get().open(self.table, self.column, bytes(value)))


def sealed_value(column: Column[Any], value: Any) -> bytes:
    """The sealed form of a value of a sealed column, for statements written by hand. Raises TypeError for another."""
    if not isinstance(column.type, Sealed):
        raise TypeError(f"{column} is not a sealed column")
    return column.type.seal(value)


def one_of(kind: type[StrEnum]) -> str:
    """Pattern of a column that holds one of an enum's values."""
    return f"^({'|'.join(kind)})$"


def sealed(sensitivity: Sensitivity, *, limit: int, nullable: bool = False) -> Any:
    """A sealed text of at most `limit` characters."""
    return _field(Form.TEXT, sensitivity, 4 * limit, nullable)


def sealed_json(sensitivity: Sensitivity, *, limit: int, nullable: bool = False) -> Any:
    """A sealed JSON value of at most `limit` bytes."""
    return _field(Form.JSON, sensitivity, limit, nullable)


def sealed_bytes(sensitivity: Sensitivity, *, limit: int, nullable: bool = False) -> Any:
    """Sealed bytes, at most `limit` of them."""
    return _field(Form.BYTES, sensitivity, limit, nullable)


def sealed_summary(sensitivity: Sensitivity) -> Any:
    """An observation's summary: exactly 240 bytes once opened, so every sealed one has the same length."""
    return _field(Form.SUMMARY, sensitivity, None, False)


def _field(form: Form, sensitivity: Sensitivity, limit: int | None, nullable: bool) -> Any:
    info = {"sensitivity": sensitivity, "sealed": True, "limit": limit}
    default: dict[str, Any] = {"default": None} if nullable else {}
    return Field(sa_column=Column(Sealed(form), nullable=nullable, info=info), **default)


def lookup(*, unique: bool = False, nullable: bool = False) -> Any:
    """A keyed HMAC of a sealed value, or a hash of a random token: 32 bytes to look rows up by."""
    info = {"sensitivity": Sensitivity.INTERNAL, "octets": 32}
    column = Column(LargeBinary, unique=unique, nullable=nullable, info=info)
    return Field(sa_column=column, default=None) if nullable else Field(sa_column=column)


def clear(
    sensitivity: Sensitivity, kind: TypeEngine[Any] | type[TypeEngine[Any]], *constraints: Any,
    limit: int | None = None, pattern: str | None = None, octets: int | None = None, **options: Any,
) -> Any:
    """A column in clear: ids, numbers, enums, bounded patterns and times only.

    A text column gives the pattern it keeps or the number of characters it is bounded by, a binary one its `octets`.
    """
    info = {"sensitivity": sensitivity, "limit": limit, "pattern": pattern, "octets": octets}
    default = {"default": options.pop("value")} if "value" in options else {}
    options.setdefault("nullable", False)
    return Field(sa_column=Column(kind, *constraints, info=info, **options), **default)


@event.listens_for(Column, "after_parent_attach")
def _settle(column: Column[Any], table: Any) -> None:
    """Binds a sealed type to its column, and gives every bounded column its CHECK."""
    if not isinstance(table, Table) or "sensitivity" not in column.info:
        return
    name, info = column.name, column.info
    if isinstance(column.type, Sealed):
        column.type = Sealed(column.type.form, table.name, name)
        size = f"= {SUMMARY_SEALED}" if info["limit"] is None else f"BETWEEN {OVERHEAD} AND {info['limit'] + OVERHEAD}"
        rule = f"octet_length({name}) {size} AND get_byte({name}, 0) = {FORMAT}"
    elif info.get("octets"):
        rule = f"octet_length({name}) = {info['octets']}"
    elif isinstance(column.type, Text) and info["pattern"]:
        rule = f"{name} ~ '{info['pattern']}'"
    elif isinstance(column.type, Text) and info["limit"]:
        rule = f"char_length({name}) <= {info['limit']}"
    else:
        return
    table.append_constraint(CheckConstraint(rule, name=f"{table.name}_{name}_bounds"))
