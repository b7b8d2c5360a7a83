"""What one process opens once: the server it talks to, the platform, and the door."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from workreef_app.services.door import Door, utc_now
from workreef_app.services.operation import Refusal
from workreef_app.services.tenancy import embedded_keeper
from workreef_app.services.tenancy.embedded_keeper import Keeper, Trouble
from workreef_app.services.tenancy.outage import Outage
from workreef_app.services.tenancy.platform import Platform
from workreef_app.services.tenancy.tenants import prepare_platform
from workreef_app.settings import Settings

_current: list[Door] = []
_keepers: list[Keeper] = []


@contextmanager
def database_url(settings: Settings) -> Iterator[str]:
    """The control plane's address; holds the embedded server up meanwhile, and starts it again when it dies.

    Raises EmbeddedError.
    """
    if not settings.embedded:
        yield settings.database_url
        return
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    with embedded_keeper.kept(settings.data_dir / "postgres") as (server, keeper):
        _keepers.append(keeper)
        try:
            yield server.url()
        finally:
            _keepers.remove(keeper)


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
                door.close()
        finally:
            platform.close()


def current() -> Door:
    """The door that this process has open."""
    return _current[-1]


def refusal_of(error: Exception) -> Refusal | None:
    """What to tell of a failure of the database outside of any operation; None for any other fault."""
    outage = _current[-1].outage if _current else Outage()  # without a door the process is starting or ending
    return outage.refusal(error, utc_now())


def trouble() -> Trouble | None:
    """The embedded server's, while it is down; None while it runs, and where there is none."""
    return next((keeper.trouble for keeper in reversed(_keepers) if keeper.trouble), None)
