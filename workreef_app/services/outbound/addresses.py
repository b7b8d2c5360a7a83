"""Which addresses may be called. A name is looked up once, every address is checked, and the checked one is called."""

from __future__ import annotations

import ipaddress
import socket
import threading
from typing import Final

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

#: Public by what Python knows, and yet not: a cloud's own hosts (Azure's, Oracle's), retired relays from IPv6 to IPv4,
#: and ranges that IANA keeps for special purposes.
NOT_PUBLIC: Final = tuple(ipaddress.ip_network(network) for network in (
    "168.63.129.16/32", "192.0.0.0/24", "192.88.99.0/24", "2001::/23", "3fff::/20",
))
#: IPv6 ranges that carry an IPv4 address in their low bits (NAT64), or behind their prefix (6to4).
NAT64: Final = (ipaddress.ip_network("64:ff9b::/96"), ipaddress.ip_network("::/96"))
#: Where all of the public IPv6 internet is, so far.
UNICAST: Final = ipaddress.ip_network("2000::/3")
SIX_TO_FOUR: Final = ipaddress.ip_network("2002::/16")


class AddressRefused(Exception):
    """A host has an address that is not a public one."""


class Unresolved(Exception):
    """A host has no address, or it was not told in time."""


def within(address: Address) -> Address:
    """The IPv4 address that an IPv6 address stands for; any other address itself."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if any(address in network for network in NAT64):
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    if address in SIX_TO_FOUR:
        return ipaddress.IPv4Address((int(address) >> 80) & 0xFFFFFFFF)
    return address


def literal(host: str) -> bool:
    """Whether a host is written as an address, not as a name."""
    try:
        ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True


def public(text: str) -> bool:
    """Whether an address is on the public internet: not private, loopback, link-local, metadata, multicast."""
    try:
        address = within(ipaddress.ip_address(text.partition("%")[0]))
    except ValueError:
        return False
    if address.version == 6 and address not in UNICAST:
        return False
    kept_out = any(address in network for network in NOT_PUBLIC if network.version == address.version)
    return address.is_global and not address.is_multicast and not address.is_reserved and not kept_out


def resolve(host: str, port: int, seconds: float) -> list[str]:
    """The addresses of a host, in the system's order, each once. Raises Unresolved.

    In a thread of its own, since the system's look-up knows no time-out; one that never ends is left behind.
    """
    found: list[list[str]] = []

    def look_up() -> None:
        try:
            rows = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            return
        found.append(list(dict.fromkeys(str(row[4][0]) for row in rows)))

    thread = threading.Thread(target=look_up, daemon=True, name="workreef-resolve")
    thread.start()
    thread.join(seconds)
    if not found or not found[0]:
        raise Unresolved("The host has no address.")
    return found[0]


def checked(addresses: list[str], *, public_only: bool) -> list[str]:
    """The addresses, if all of them may be called. Raises AddressRefused."""
    if public_only and not all(public(address) for address in addresses):
        raise AddressRefused("The host has an address that is not a public one.")
    return addresses
