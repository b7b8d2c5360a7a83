"""The keyring: asked once however many wait, held a minute at most, bounded, and purged at once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from workreef_app.services.vault import keyring as module
from workreef_app.services.vault.errors import KeyUnavailable
from workreef_app.services.vault.keyring import CAPACITY, HOLD_SECONDS, Keyring, WrappedKey

PLAIN = b"d" * 32


class Provider:
    """A provider that counts, waits when told, and can die."""

    def __init__(self) -> None:
        self.unwrapped = 0
        self.dead = False
        self.gate: threading.Event | None = None

    def unwrap(self, wrapped: bytes, context: bytes) -> bytes:
        self.unwrapped += 1
        if self.gate is not None:
            assert self.gate.wait(10)
        if self.dead:
            raise KeyUnavailable("The key does not answer.")
        return PLAIN


class Time:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Provider:
    fake = Provider()
    monkeypatch.setattr(module, "provider", lambda reference, keys_dir: fake)
    return fake


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def ring(provider: Provider, time: Time, tmp_path: Path) -> Keyring:
    return Keyring(tmp_path, clock=time)


def key(tenant: UUID | None = None, key_id: UUID | None = None) -> WrappedKey:
    return WrappedKey(tenant or uuid4(), key_id or uuid4(), "local:any", b"")


def test_a_key_is_asked_for_once_and_held(ring: Keyring, provider: Provider, time: Time) -> None:
    one = key()
    cipher = ring.cipher(one)
    assert (cipher.tenant_id, cipher.key_id, cipher.data_key) == (one.tenant_id, one.key_id, PLAIN)
    time.now += HOLD_SECONDS - 0.001
    assert ring.cipher(one) is cipher
    assert provider.unwrapped == 1


def test_it_is_held_sixty_seconds_and_not_longer(ring: Keyring, provider: Provider, time: Time) -> None:
    one = key()
    ring.cipher(one)
    time.now += 60.0
    ring.cipher(one)
    assert provider.unwrapped == 2


def test_use_does_not_prolong_the_hold(ring: Keyring, provider: Provider, time: Time) -> None:
    one = key()
    for _ in range(4):
        ring.cipher(one)
        time.now += 20.0
    assert provider.unwrapped == 2


def test_a_dead_key_goes_dark_when_its_hold_ends(ring: Keyring, provider: Provider, time: Time) -> None:
    one = key()
    ring.cipher(one)
    provider.dead = True
    ring.cipher(one)
    time.now += HOLD_SECONDS
    for _ in range(2):
        with pytest.raises(KeyUnavailable):
            ring.cipher(one)
    provider.dead = False
    assert ring.cipher(one).data_key == PLAIN


def test_many_that_wait_ask_once(ring: Keyring, provider: Provider) -> None:
    one = key()
    provider.gate = threading.Event()
    started = threading.Barrier(9)

    def ask() -> bytes:
        started.wait(10)
        return ring.cipher(one).data_key

    with ThreadPoolExecutor(8) as pool:
        waiting = [pool.submit(ask) for _ in range(8)]
        started.wait(10)
        provider.gate.set()
        assert {future.result(10) for future in waiting} == {PLAIN}
    assert provider.unwrapped == 1


def test_one_key_that_does_not_come_holds_up_no_other(ring: Keyring, provider: Provider) -> None:
    slow, quick = key(), key()
    provider.gate = gate = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(ring.cipher, slow)
        while provider.unwrapped == 0:
            pass
        provider.gate = None
        assert ring.cipher(quick).tenant_id == quick.tenant_id
        assert not waiting.done()
        gate.set()
        assert waiting.result(10).tenant_id == slow.tenant_id


@pytest.mark.parametrize("purge", [lambda ring, one: ring.purge(one.tenant_id), lambda ring, one: ring.purge()])
def test_a_purge_forgets_at_once(
    ring: Keyring, provider: Provider, purge: Callable[[Keyring, WrappedKey], None]
) -> None:
    one = key()
    ring.cipher(one)
    provider.dead = True
    purge(ring, one)
    with pytest.raises(KeyUnavailable):
        ring.cipher(one)


def test_a_purge_of_one_tenant_leaves_the_others_and_takes_all_its_keys(ring: Keyring, provider: Provider) -> None:
    tenant, other = uuid4(), key()
    for one in (key(tenant), key(tenant), other):
        ring.cipher(one)
    ring.purge(tenant)
    ring.cipher(other)
    assert provider.unwrapped == 3


def test_keys_of_one_tenant_are_told_apart(ring: Keyring) -> None:
    tenant = uuid4()
    one, two = key(tenant), key(tenant)
    assert ring.cipher(one).key_id == one.key_id
    assert ring.cipher(two).key_id == two.key_id


def test_it_is_bounded_and_the_least_recently_used_goes_first(ring: Keyring, provider: Provider) -> None:
    first, second = key(), key()
    ring.cipher(first)
    ring.cipher(second)
    for _ in range(CAPACITY - 2):
        ring.cipher(key())
    ring.cipher(first)
    ring.cipher(key())
    asked = provider.unwrapped
    ring.cipher(first)
    assert provider.unwrapped == asked
    ring.cipher(second)
    assert provider.unwrapped == asked + 1
