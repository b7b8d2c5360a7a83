"""Certificates and time that is turned by hand, as the tests of outbound calls have them."""

from tests.services.outbound.conftest import certificates, timeline

__all__ = ["certificates", "timeline"]
