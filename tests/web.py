"""The HTTP application as it is served, called without a network, on the test process's own Postgres."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from workreef_app.http import app as http_app
from workreef_app.http import csrf, form_tokens
from workreef_app.http.frontend import content_security_policy
from workreef_app.http.middleware import Front
from workreef_app.services.access import csrf as session_csrf
from workreef_app.services.access import sessions
from workreef_app.services.audit.chain import genesis, link
from workreef_app.services.browser import cookie_name, cookie_value, session_token
from workreef_app.services.door import Caller, Door
from workreef_app.services.operation import Actor, Reach
from workreef_app.services.tenancy.platform import Tenant

POLICY = content_security_policy(["sha256-test="])
_addresses = itertools.count(1)
AUDITOR = Actor(id="test", extra_reach=frozenset({Reach.ALL_AUDIT, Reach.PEOPLE}))


class Site:
    """Sends requests to the application at a tenant's host. Settings are read at each call, as the product does."""

    def __init__(self, door: Door) -> None:
        self.door = door
        self.app = Front(http_app.create(), POLICY)
        self._loop = asyncio.new_event_loop()

    def close(self) -> None:
        self._loop.close()

    def host(self, tenant: Tenant) -> str:
        return f"{tenant.info.slug}.{self.door.platform.settings.public_host}"

    def origin(self, host: str) -> str:
        return f"{self.door.platform.settings.public_url.split(':')[0]}://{host}"

    def cookie(self, caller: Caller, host: str = "") -> str:
        """The Cookie header of a signed-in caller."""
        settings = self.door.platform.settings
        return f"{cookie_name(settings)}={cookie_value(caller.token or '', host or caller.host, settings)}"

    def token(self, caller: Caller | None) -> dict[str, str]:
        """The header by which the caller's pages show that a write comes from them."""
        return {csrf.HEADER: csrf.token_of(caller)} if caller else {}

    def send(
        self, method: str, path: str, host: str, headers: Mapping[str, str] | list[tuple[str, str]] = (),  # type: ignore[assignment]
        *, address: str = "", **request: Any,
    ) -> httpx.Response:
        """A request as given, from an address of its own unless one is given."""
        number = next(_addresses)
        client = (address or f"10.9.{number // 250}.{number % 250}", 4000)
        pairs = list(headers.items()) if isinstance(headers, Mapping) else list(headers)
        pairs = [("host", host)] * (bool(host) and "host" not in {name.lower() for name, _ in pairs}) + pairs
        if method not in {"GET", "HEAD"}:
            self._as_our_page(path, pairs, request)

        async def go() -> httpx.Response:
            transport = httpx.ASGITransport(self.app, raise_app_exceptions=True, client=client)
            async with httpx.AsyncClient(transport=transport, base_url="http://ignored") as http:
                return await http.request(method, path, headers=pairs, **request)

        return self._loop.run_until_complete(go())

    def _as_our_page(self, path: str, pairs: list[tuple[str, str]], request: dict[str, Any]) -> None:
        """Adds the token that our page would send, unless the test says what it sends."""
        said = {name.lower(): value for name, value in pairs}
        if csrf.HEADER in said:
            return
        settings = self.door.platform.settings
        host = said.get("host", "").rsplit(":", 1)[0].lower()
        secret = settings.secret_key.get_secret_value()
        if form_tokens.BEFORE.fullmatch(path):
            token = session_csrf.new_form(host, secret)
            cookie = f"{form_tokens._cookie(settings)}={token}"
            pairs[:] = [pair for pair in pairs if pair[0].lower() != "cookie"]
            pairs += [("cookie", "; ".join(filter(None, [said.get("cookie"), cookie]))), (csrf.HEADER, token)]
        elif (held := session_token(said.get("cookie", ""), host, settings)) is not None:
            pairs.append((csrf.HEADER, session_csrf.of_session(sessions.token_hash(held), host, secret)))

    def post(
        self, tenant: Tenant, path: str, caller: Caller | None = None, *, headers: Mapping[str, str] | None = None,
        **request: Any,
    ) -> httpx.Response:
        """A POST of a page of the tenant's own host, with the caller's cookie if one is given."""
        host = self.host(tenant)
        sent = {"origin": self.origin(host), **({"cookie": self.cookie(caller)} if caller else {}), **(headers or {})}
        return self.send("POST", path, host, sent, **request)

    def get(
        self, tenant: Tenant, path: str, caller: Caller | None = None, *, headers: Mapping[str, str] | None = None,
        **request: Any,
    ) -> httpx.Response:
        """A GET of the tenant's host."""
        sent = {**({"cookie": self.cookie(caller)} if caller else {}), **(headers or {})}
        return self.send("GET", path, self.host(tenant), sent, **request)

    def call(
        self, tenant: Tenant, name: str, payload: Any, caller: Caller | None = None, **more: Any
    ) -> httpx.Response:
        """An operation over its route, with a JSON body."""
        return self.post(tenant, f"/api/v1/{name}", caller, json=payload, **more)


@dataclass(frozen=True)
class Entry:
    """An audit entry as the database holds it."""

    seq: int
    content: str
    chain_hash: bytes

    @property
    def facts(self) -> dict[str, Any]:
        facts: dict[str, Any] = json.loads(self.content)
        return facts


class Chain:
    """A tenant's audit chain from now on: `new()` gives the entries since, and checks that they are chained."""

    def __init__(self, door: Door, tenant: Tenant) -> None:
        self._door, self._tenant = door, tenant
        self._seq, self._hash = self._head()

    def _head(self) -> tuple[int, bytes]:
        with self._door.platform.unit_of_work(self._tenant, AUDITOR) as session:
            row = session.execute(text("SELECT seq, chain_hash FROM audit_head")).one()
        return row.seq, bytes(row.chain_hash)

    def new(self) -> list[Entry]:
        self._door.afterwards.settle()
        query = text("SELECT seq, content, chain_hash FROM audit_entry WHERE seq > :seq ORDER BY seq")
        with self._door.platform.unit_of_work(self._tenant, AUDITOR) as session:
            rows = session.execute(query, {"seq": self._seq}).all()
        entries = [Entry(row.seq, row.content, bytes(row.chain_hash)) for row in rows]
        for entry in entries:
            assert entry.seq == self._seq + 1, "the chain has a gap"
            assert entry.chain_hash == link(entry.content, self._hash or genesis(self._tenant.info.id))
            self._seq, self._hash = entry.seq, entry.chain_hash
        assert self._head() == (self._seq, self._hash)
        return entries


@pytest.fixture(scope="session")
def site(door: Door) -> Iterator[Site]:
    """The application at tenants' hosts."""
    site = Site(door)
    yield site
    site.close()


@pytest.fixture
def chain(door: Door) -> Callable[[Tenant], Chain]:
    """Watches a tenant's audit chain from now on."""
    return lambda tenant: Chain(door, tenant)


def forged(signed: str) -> str:
    """The same with one character of its signature changed, one of which every bit counts (the last one's do not)."""
    return signed[:-9] + ("B" if signed[-9] == "A" else "A") + signed[-8:]


def end_session(door: Door, caller: Caller, *, expire: bool = False) -> None:
    """Revokes the caller's session, or lets it have expired a second ago."""
    change = "expires_at = now() - interval '1 second'" if expire else "revoked_at = now()"
    with door.platform.unit_of_work(caller.tenant, AUDITOR) as session:
        done = session.execute(
            text(f"UPDATE session SET {change} WHERE token_hash = :hash"),
            {"hash": sessions.token_hash(caller.token or "")},
        )
        assert done.rowcount == 1  # type: ignore[attr-defined]
