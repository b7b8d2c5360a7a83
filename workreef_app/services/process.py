"""What one process opens once: the server it talks to, the platform, and the door."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from workreef_app.services.door import Door
from workreef_app.services.tenancy import embedded
from workreef_app.services.tenancy.platform import Platform
from workreef_app.services.tenancy.tenants import prepare_platform
from workreef_app.settings import Settings

_current: list[Door] = []


@contextmanager
def database_url(settings: Settings) -> Iterator[str]:
    """The control plane's address; holds the embedded server up meanwhile. Raises EmbeddedError."""
    if not settings.embedded:
        yield settings.database_url
        return
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    with embedded.lease(settings.data_dir / "postgres") as server:
        yield server.url()


@contextmanager
def opened(settings: Settings, *, prepare: bool = True) -> Iterator[Door]:
    """The door of this process, also given by `current` meanwhile. `prepare` brings the control plane up to date."""
    with database_url(settings) as url:
        platform = Platform(settings, url)
        try:
            if prepare:
                prepare_platform(platform)
            door = Door(platform)
            _current.append(door)
            try:
                yield door
            finally:
                _current.remove(door)
        finally:
            platform.close()


def current() -> Door:
    """The door that this process has open."""
    return _current[-1]
