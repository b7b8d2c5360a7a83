"""Which addresses may be called."""

from __future__ import annotations

import ipaddress
import socket
import threading
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workreef_app.services.outbound import addresses
from workreef_app.services.outbound.addresses import AddressRefused, Unresolved, checked, literal, public, resolve

KEPT_OUT = [
    "127.0.0.1", "127.8.8.8", "0.0.0.0", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "169.254.169.254",
    "169.254.0.1", "100.64.0.1", "100.100.100.200", "168.63.129.16", "192.0.0.192", "192.0.2.1", "198.18.0.1",
    "198.51.100.1", "203.0.113.9", "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255", "192.88.99.1",
    "::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "fd00:ec2::254", "ff02::1", "2001:db8::1", "::ffff:127.0.0.1",
    "::ffff:169.254.169.254", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "2002:7f00:1::1",
    "2002:a9fe:a9fe::", "::7f00:1", "64:ff9b:1::1", "2001::1", "3fff::1", "5f00::1", "fec0::1",
    "not an address", "", "2130706433",
]


@pytest.mark.parametrize("address", KEPT_OUT)
def test_what_is_not_on_the_public_internet_is_kept_out(address: str) -> None:
    assert not public(address)
    with pytest.raises(AddressRefused):
        checked(["93.184.216.34", address], public_only=True)


@pytest.mark.parametrize("address", [
    "93.184.216.34", "8.8.8.8", "172.32.0.1", "100.128.0.1", "2606:2800:220:1::1", "::ffff:8.8.8.8", "64:ff9b::808:808",
])
def test_what_is_public_is_called(address: str) -> None:
    assert public(address)
    assert checked([address], public_only=True) == [address]


@given(st.ip_addresses(v=4))
def test_an_ipv6_address_is_as_public_as_the_ipv4_address_in_it(address: ipaddress.IPv4Address) -> None:
    hexed = f"{int(address) >> 16:x}:{int(address) & 0xFFFF:x}"
    for form in (f"::ffff:{address}", f"64:ff9b::{hexed}", f"2002:{hexed}::1"):
        assert public(form) == public(str(address)), form


@given(st.ip_addresses())
def test_nothing_private_is_public(address: Any) -> None:
    if public(str(address)):
        assert not (address.is_private and getattr(address, "ipv4_mapped", None) is None)
        assert not address.is_loopback
        assert not address.is_link_local
        assert not address.is_multicast


def test_a_name_gives_each_address_once() -> None:
    assert set(resolve("localhost", 80, 5)) <= {"127.0.0.1", "::1"}
    assert resolve("127.0.0.1", 80, 5) == ["127.0.0.1"]


@pytest.mark.parametrize("host", ["no-such-host.invalid", "a" * 300 + ".example", "x..y"])
def test_a_name_without_an_address_is_unresolved(host: str) -> None:
    with pytest.raises(Unresolved):
        resolve(host, 80, 5)


def test_a_look_up_that_does_not_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    over = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **more: [over.wait(30)][:0])
    with pytest.raises(Unresolved):
        addresses.resolve("slow.example", 80, 0.05)
    over.set()


@pytest.mark.parametrize(("host", "is_one"), [("127.0.0.1", True), ("::1", True), ("fe80::1%eth0", True),
                                              ("example.com", False), ("", False), ("1.2.3", False)])
def test_a_literal_is_told_from_a_name(host: str, is_one: bool) -> None:
    assert literal(host) == is_one
