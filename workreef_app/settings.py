"""Typed settings, and what production refuses.

Every setting is read from the environment, and beneath it from ``workreef.env`` in the data directory.
An unset or unknown ``WORKREEF_ENV`` means production, so that a forgotten variable never opens a door.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

DEFAULT_DATA_DIR = ".workreef"
ENV_FILE = "workreef.env"
SECRET_MINIMUM = 32
KNOWN_WEAK = ("changeme", "change-me", "default", "password", "secret", "workreef", "example")
MAIL_SCHEMES = frozenset({"smtp", "smtp+starttls", "smtps"})
MAIL_ADDRESS = r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]{1,63}([.][A-Za-z0-9-]{1,63}){0,6}"
LOCAL_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})


class Environment(StrEnum):
    """Where the process runs. Anything that is not named here is production."""

    PRODUCTION = "production"
    DEVELOPMENT = "development"
    DEMO = "demo"


class ConfigurationError(Exception):
    """A setting cannot be read at all. The text is one sentence with the cure."""


class Settings(BaseSettings):
    """All settings. The table in docs/settings.md is generated from this class."""

    model_config = SettingsConfigDict(env_prefix="WORKREEF_", extra="ignore")

    env: Environment = Field(
        Environment.PRODUCTION, description="production, development or demo; unset or unknown means production."
    )
    public_url: str = Field(
        "http://localhost:3000",
        description="Address of the platform; tenants are at <slug>. under its host.",
    )
    database_url: str = Field(
        "", description="Postgres 16 or newer for the control plane; empty means the embedded server."
    )
    redis_url: str = Field("", description="Redis that shares rate limits between hosts; empty means per process.")
    secret_key: SecretStr = Field(
        SecretStr(""), description="Signs session cookies; at least 32 characters."
    )
    platform_key: str = Field(
        "local:platform", description="Key URI that wraps the platform's own secrets."
    )
    data_dir: Path = Field(Path(DEFAULT_DATA_DIR), description="Where the embedded server and local keys live.")
    witness_dir: str = Field(
        "", description="Where folders of witnesses lie, best on another host; empty means within the data directory."
    )
    port: int = Field(3000, ge=1, le=65535, description="Port that pages, events and HTTP share.")
    trusted_proxies: str = Field(
        "", description="Comma-separated addresses whose forwarded headers are believed; none by default."
    )

    smtp_url: SecretStr = Field(
        SecretStr(""),
        description="Mail server, as smtps:// or smtp+starttls://user:password@host; empty means no mail is sent.",
    )
    mail_from: str = Field("", description="Address that mail comes from; needed with a mail server.")

    signup: str = Field(
        "", pattern="^(open|closed)?$",
        description="Whether anybody may sign a tenant up at the platform's own host: open or closed. Empty is closed "
        "in production, where it also needs a mail server, and open elsewhere.",
    )
    security_contact: str = Field(
        "", description="Where weaknesses are reported, as mailto: or https:; shown in /.well-known/security.txt."
    )

    @field_validator("env", mode="before")
    @classmethod
    def _unknown_is_production(cls, value: Any) -> Environment:
        try:
            return Environment(str(value).strip().lower())
        except ValueError:
            return Environment.PRODUCTION

    @field_validator("public_url")
    @classmethod
    def _no_trailing_slash(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError("must be an address such as https://workreef.example.com")
        return value.rstrip("/")

    @field_validator("redis_url")
    @classmethod
    def _known_redis_scheme(cls, value: str) -> str:
        if value and urlsplit(value).scheme not in {"redis", "rediss", "unix"}:
            raise ValueError("must be an address such as rediss://redis.example.com/0")
        return value

    @field_validator("security_contact")
    @classmethod
    def _contact_address(cls, value: str) -> str:
        sound = re.fullmatch(r"(https://|mailto:)[^\s<>\x00-\x1f]{3,500}", value)
        if value and sound is None:
            raise ValueError("must be an https: or mailto: address")
        return value

    @field_validator("smtp_url")
    @classmethod
    def _known_mail_scheme(cls, value: SecretStr) -> SecretStr:
        text = value.get_secret_value()
        try:
            parts = urlsplit(text)
            sound = parts.scheme in MAIL_SCHEMES and bool(parts.hostname) and parts.port != 0
        except ValueError:
            sound = False
        if text and not sound:
            raise ValueError("must be an address such as smtps://user:password@mail.example.com")
        return value

    @field_validator("mail_from")
    @classmethod
    def _plain_mail_address(cls, value: str) -> str:
        if value and re.fullmatch(MAIL_ADDRESS, value, re.ASCII) is None:
            raise ValueError("must be an address such as workreef@example.com")
        return value

    @classmethod
    def settings_customise_sources(
        cls, settings_cls: type[BaseSettings], init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource, dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Environment above the data directory's file; no other source."""
        return init_settings, env_settings, dotenv_settings

    @property
    def production(self) -> bool:
        return self.env is Environment.PRODUCTION

    @property
    def embedded(self) -> bool:
        """Whether the embedded Postgres is used."""
        return not self.database_url

    @property
    def public_host(self) -> str:
        """Host of the platform, without port."""
        return urlsplit(self.public_url).hostname or "localhost"

    @property
    def keys_dir(self) -> Path:
        return self.data_dir / "keys"

    def tenant_url(self, slug: str) -> str:
        """Address of a tenant's pages."""
        parts = urlsplit(self.public_url)
        port = f":{parts.port}" if parts.port else ""
        return f"{parts.scheme}://{slug}.{parts.hostname}{port}"

    @property
    def proxies(self) -> frozenset[str]:
        return frozenset(part.strip() for part in self.trusted_proxies.split(",") if part.strip())


def load(**overrides: Any) -> Settings:
    """Reads the settings. Raises ConfigurationError with every field that cannot be read."""
    data_dir = Path(overrides.get("data_dir") or os.environ.get("WORKREEF_DATA_DIR") or DEFAULT_DATA_DIR)
    overrides["data_dir"] = data_dir.expanduser().resolve()
    try:
        return Settings(_env_file=data_dir / ENV_FILE, **overrides)  # type: ignore[call-arg]
    except ValidationError as error:
        faults = "; ".join(f"WORKREEF_{str(e['loc'][0]).upper()}: {e['msg']}" for e in error.errors())
        raise ConfigurationError(f"Settings cannot be read: {faults}. Correct them and start again.") from None


@dataclass(frozen=True)
class Fault:
    """Something that stops the process: which check, what is wrong, and the cure, one sentence each."""

    check: str
    wrong: str
    cure: str


def _secret(settings: Settings) -> Fault | None:
    value = settings.secret_key.get_secret_value()
    if len(value) < SECRET_MINIMUM:
        return Fault(
            "secret_key", f"WORKREEF_SECRET_KEY has {len(value)} characters.",
            f"Set it to at least {SECRET_MINIMUM} random characters.",
        )
    if len(set(value)) < 10 or any(word in value.lower() for word in KNOWN_WEAK):
        return Fault(
            "secret_key", "WORKREEF_SECRET_KEY is a default or a guessable value.",
            "Set it to random characters, for example from `openssl rand -base64 48`.",
        )
    return None


def _public_url(settings: Settings) -> Fault | None:
    if urlsplit(settings.public_url).scheme == "https":
        return None
    return Fault(
        "public_url", "WORKREEF_PUBLIC_URL is not https.", "Serve behind TLS and give the https: address.",
    )


def _remote(hostname: str | None, options: dict[str, list[str]]) -> bool:
    """Whether libpq would leave this host: it takes lists, and `host` and `hostaddr` among the options too."""
    given = [hostname or "", *options.get("host", []), *options.get("hostaddr", [])]
    hosts = [host for part in given for host in part.split(",") if host]
    return any(host not in LOCAL_HOSTS and not host.startswith("/") for host in hosts)


def _database(settings: Settings) -> Fault | None:
    if settings.embedded:
        return Fault(
            "database_url", "The embedded Postgres is in use.",
            "Set WORKREEF_DATABASE_URL to a Postgres server with TLS.",
        )
    parts = urlsplit(settings.database_url)
    options = parse_qs(parts.query)
    mode = options.get("sslmode", [""])[-1]
    if _remote(parts.hostname, options) and mode not in {"require", "verify-ca", "verify-full"}:
        return Fault(
            "database_tls", "WORKREEF_DATABASE_URL reaches another host in plaintext.",
            "Add sslmode=verify-full to it.",
        )
    if parts.password is not None and parts.password.lower() in {*KNOWN_WEAK, "postgres", ""}:
        return Fault(
            "database_password", "WORKREEF_DATABASE_URL holds a default password.", "Give its role a random password.",
        )
    return None


def _redis(settings: Settings) -> Fault | None:
    parts = urlsplit(settings.redis_url)
    if parts.scheme == "redis" and parts.hostname not in LOCAL_HOSTS:
        return Fault("redis_tls", "WORKREEF_REDIS_URL reaches another host in plaintext.", "Use a rediss: address.")
    return None


def _platform_key(settings: Settings) -> Fault | None:
    if not settings.platform_key.startswith("local:"):
        return None
    return Fault(
        "platform_key", "WORKREEF_PLATFORM_KEY is a key file on this host.",
        "Set it to a key in a key management service.",
    )


def _mail(settings: Settings) -> Fault | None:
    url = settings.smtp_url.get_secret_value()
    parts = urlsplit(url)
    if parts.scheme == "smtp" and parts.hostname not in LOCAL_HOSTS:
        return Fault(
            "smtp_tls", "WORKREEF_SMTP_URL reaches another host in plaintext.", "Use smtps: or smtp+starttls: instead.",
        )
    if url and not settings.mail_from:
        return Fault("mail_from", "WORKREEF_MAIL_FROM is empty.", "Set it to the address that mail comes from.")
    return None


#: What production refuses, from the settings alone. Each looks at one thing; all are reported together.
PRODUCTION_CHECKS: tuple[Callable[[Settings], Fault | None], ...] = (
    _secret, _public_url, _database, _redis, _platform_key, _mail,
)


def production_faults(settings: Settings) -> list[Fault]:
    """Every reason why these settings may not serve production; empty outside production."""
    return would_refuse(settings) if settings.production else []


def would_refuse(settings: Settings) -> list[Fault]:
    """Every reason why production would not be served with these settings."""
    return [fault for check in PRODUCTION_CHECKS if (fault := check(settings)) is not None]


def table() -> str:
    """The settings as a Markdown table, from the fields themselves."""
    rows = ["| variable | default | meaning |", "|---|---|---|"]
    for name, field in Settings.model_fields.items():
        default = field.default.get_secret_value() if isinstance(field.default, SecretStr) else str(field.default)
        rows.append(f"| `WORKREEF_{name.upper()}` | {f'`{default}`' if default else 'none'} | {field.description} |")
    return "\n".join(rows)


_INTRODUCTION = """# Settings

Read from the environment, and beneath it from `workreef.env` in the data directory. Generated from
`workreef_app/settings.py` by `make docs`.
"""
_PRODUCTION = """
An unset or unknown `WORKREEF_ENV` means production. Production refuses to start, with every fault at once and exit
status 78, on: a default or short secret key, a public address that is not https, Postgres, Redis or a mail server on
another host in plaintext, a mail server without an address that mail comes from, a default database password, the
embedded Postgres, a platform key in a local file, a demo tenant, an app role that owns a table, a schema that is not
current.
"""


def document() -> str:
    """The text of docs/settings.md."""
    return "\n".join((_INTRODUCTION, table(), _PRODUCTION))
