"""Whether the port can be had is known before anything is started."""

import socket

import pytest

from workreef_app.http.server import Address, PortError, require_free_port


def test_a_taken_port_is_told_in_one_sentence() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(PortError, match=rf"^Port {port} is taken .* WORKREEF_PORT .*\.$"):
            require_free_port(Address(port))


def test_a_free_port_passes_and_stays_free() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    require_free_port(Address(port))
    require_free_port(Address(port))


def test_an_address_of_another_machine_is_refused() -> None:
    with pytest.raises(PortError, match="cannot be used"):
        require_free_port(Address(3000, "203.0.113.1"))
