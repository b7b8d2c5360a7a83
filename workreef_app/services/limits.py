"""How many calls of whom the door lets through."""

from __future__ import annotations

import hashlib
import hmac
import math

from workreef_app.services.callers import Caller
from workreef_app.services.limiting import limiter
from workreef_app.services.limiting.limiter import Limiter
from workreef_app.services.limiting.memory import Standing
from workreef_app.services.operation import Actor, Command, Limited, Operation
from workreef_app.settings import Settings


class Limits:
    """The limits of one process's door."""

    def __init__(self, settings: Settings) -> None:
        self.limiter = Limiter(settings.redis_url)
        self._settings = settings

    def of_call(self, spec: Operation, caller: Caller, actor: Actor) -> None:
        """Counts the call for who calls, and for the tenant. Raises Limited."""
        if caller.trusted:
            return
        slug, somewhere = caller.tenant.info.slug, spec.public or caller.automatic
        self._count(caller, spec.limit, spec.name, slug, caller.address if somewhere else actor.id)
        self._count(caller, limiter.TENANT, "tenant", slug)

    def of_account(self, spec: Operation, caller: Caller, command: Command) -> tuple[str, ...]:
        """Counts the attempt for the account that it is about, until it succeeds; its key. Raises Limited."""
        if spec.account is None or caller.trusted:
            return ()
        slug = caller.tenant.info.slug
        named = f"{slug}\0{spec.account}\0{str(getattr(command, spec.account)).strip().casefold()}"
        secret = self._settings.secret_key.get_secret_value()
        key = (spec.name, slug, hmac.new(secret.encode(), named.encode(), hashlib.sha256).hexdigest())
        self._count(caller, limiter.ACCOUNT, *key)
        return key

    def throttle(self, name: str, limit: str, *who: str) -> None:
        """Counts one call of `name` by `who`, for what is done without an operation. Raises Limited above the limit."""
        _allowed(self.limiter.hit(limit, name, *who))

    def _count(self, caller: Caller, limit: str, *key: str) -> None:
        """Counts a call against one limit, and notes the limit that the caller is nearest to. Raises Limited."""
        standing = self.limiter.hit(limit, *key)
        told = caller.told.standing
        if told is None or not standing.allowed or _nearer(standing, told):
            caller.told.standing = standing
        _allowed(standing)

    def succeeded(self, account: tuple[str, ...]) -> None:
        """Forgets the attempts that were counted for an account."""
        if account:
            self.limiter.clear(limiter.ACCOUNT, *account)

    def of_token(self, caller: Caller) -> None:
        """Counts an API token that does not hold, for the address that it came from. Raises Limited."""
        self._count(caller, limiter.TOKENS, "tokens", caller.tenant.info.slug, caller.address)


def _allowed(standing: Standing) -> None:
    """Raises Limited where the limit is used up."""
    if not standing.allowed:
        wait = max(1, math.ceil(standing.reset))
        raise Limited(f"Too many requests. Try again in {wait} seconds.", retry_after=wait)


def _nearer(one: Standing, other: Standing) -> bool:
    """Whether less of the one limit is left than of the other, as parts of each."""
    return one.remaining * other.amount < other.remaining * one.amount
