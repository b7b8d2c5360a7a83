"""HTTP calls against a server with faults: what is tried again, what comes back, and what is never called."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import httpcore
import pytest

from tests.services.outbound.conftest import LOCAL, Certificates, Timeline, Web, answer, reset, serve
from workreef_app.services.outbound import wire
from workreef_app.services.outbound.addresses import Unresolved
from workreef_app.services.outbound.calls import call
from workreef_app.services.outbound.policy import Client, Failure, HttpRequest, Outcome, Policy


def get(url: str) -> HttpRequest:
    return HttpRequest("GET", url)


def post(url: str) -> HttpRequest:
    return HttpRequest("POST", url, {"X-Mark": "m"}, b"body")


def test_a_call_is_sent_as_it_is_and_its_answer_comes_back(web: Web, timeline: Timeline) -> None:
    web.replies(answer(201, b"made", X_Answer="yes"))
    found = call(post(web.url("/hook?a=1")), LOCAL, client=timeline.client())
    assert (found.ok, found.status, found.attempts, found.body) == (True, 201, 1, b"made")
    assert found.headers["x-answer"] == "yes"
    ((method, path, headers, body),) = web.seen
    assert (method, path, body, headers["x-mark"]) == ("POST", "/hook?a=1", b"body", "m")
    assert headers["accept-encoding"] == "identity"
    assert "cookie" not in headers


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504, 599])
def test_what_may_pass_is_asked_three_times(web: Web, timeline: Timeline, status: int) -> None:
    web.replies(answer(status))
    found = call(get(web.url()), LOCAL, client=timeline.client())
    assert (found.ok, found.status, found.attempts, len(web.seen)) == (False, status, 3, 3)
    assert found.failure is (Failure.THROTTLED if status == 429 else Failure.UNAVAILABLE)
    assert not found.uncertain, "asking changes nothing"
    assert len(timeline.waits) == 2


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 410, 422, 501, 505])
def test_a_no_is_a_no(web: Web, timeline: Timeline, status: int) -> None:
    web.replies(answer(status, b"why"))
    for request in (get(web.url()), post(web.url())):
        found = call(request, LOCAL, client=timeline.client())
        assert found == replace(found, failure=Failure.REFUSED, status=status, attempts=1, uncertain=False)
    assert found.body == b"why"
    assert len(web.seen) == 2


def test_an_answer_that_says_nothing_changed_is_a_success(web: Web) -> None:
    web.replies(answer(304))
    assert call(get(web.url()), LOCAL).ok


def test_it_goes_on_after_faults_that_pass(web: Web, timeline: Timeline) -> None:
    web.replies(reset, answer(503), answer(200, b"at last"))
    found = call(get(web.url()), LOCAL, client=timeline.client())
    assert (found.ok, found.attempts, found.body) == (True, 3, b"at last")


@pytest.mark.parametrize("asked", ["7", "Mon, 23 Nov 2026 09:00:07 GMT"])
def test_retry_after_is_honoured(web: Web, timeline: Timeline, asked: str) -> None:
    web.replies(answer(429, Retry_After=asked), answer())
    assert call(get(web.url()), LOCAL, client=timeline.client()).ok
    assert timeline.waits == [7.0]


def test_a_longer_retry_after_is_left_to_who_asked(web: Web, timeline: Timeline) -> None:
    web.replies(answer(503, Retry_After="3600"))
    found = call(get(web.url()), LOCAL, client=timeline.client())
    assert (found.attempts, found.retry_after, timeline.waits) == (1, 3600.0, [])


@pytest.mark.parametrize("fault", [reset, answer(500), answer(502), answer(200, b"part", Content_Length="99")])
def test_what_acts_is_sent_once_and_left_uncertain(web: Web, timeline: Timeline, fault: Any) -> None:
    web.replies(fault)
    found = call(post(web.url()), LOCAL, client=timeline.client())
    assert (found.ok, found.uncertain, found.attempts, len(web.seen)) == (False, True, 1, 1)


def test_what_acts_and_was_throttled_was_not_done(web: Web, timeline: Timeline) -> None:
    web.replies(answer(429, Retry_After="2"))
    found = call(post(web.url()), LOCAL, client=timeline.client())
    assert (found.failure, found.uncertain, found.attempts, found.retry_after) == (Failure.THROTTLED, False, 1, 2.0)


def test_what_acts_and_was_surely_not_sent_is_tried_again(closed_port: int, timeline: Timeline) -> None:
    found = call(post(f"http://127.0.0.1:{closed_port}/"), LOCAL, client=timeline.client())
    assert (found.failure, found.uncertain, found.attempts) == (Failure.CONNECT, False, 3)


def test_what_acts_with_a_key_of_its_own_is_tried_again(web: Web, timeline: Timeline) -> None:
    web.replies(reset, answer())
    assert call(post(web.url()), replace(LOCAL, idempotent=True), client=timeline.client()).attempts == 2


def test_a_silent_server_costs_no_more_than_its_time(silent_port: int, timeline: Timeline) -> None:
    client, begun = replace(timeline.client(), clock=time.monotonic), time.monotonic()
    found = call(get(f"http://127.0.0.1:{silent_port}/"), replace(LOCAL, read=0.1, total=5), client=client)
    assert (found.failure, found.status, found.attempts) == (Failure.TIMEOUT, None, 3)
    assert time.monotonic() - begun < 3


@pytest.mark.parametrize("first", [b"HTTP/1.1 200 OK\r\nX-Slow: ", b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n"])
def test_a_server_that_drips_is_cut_off_by_the_time_for_all(web: Web, first: bytes) -> None:
    web.replies(web.drip(first))
    begun = time.monotonic()
    found = call(get(web.url()), replace(LOCAL, read=0.4, total=0.6))
    assert found.failure is Failure.TIMEOUT
    assert 0.4 < time.monotonic() - begun < 2
    assert len(web.seen) == 1, "nothing is begun after the time is over"


def test_a_lost_answer_of_what_acts_is_uncertain(web: Web) -> None:
    web.replies(web.stall)
    found = call(post(web.url()), replace(LOCAL, read=0.1))
    assert (found.failure, found.uncertain, found.attempts) == (Failure.TIMEOUT, True, 1)


def test_a_longer_answer_than_wanted_is_not_read(web: Web, timeline: Timeline) -> None:
    small = replace(LOCAL, body_limit=1000)
    web.replies(answer(200, b"x" * 1001), answer(200, b"x" * 1000))
    found = call(get(web.url()), small, client=timeline.client())
    assert (found.failure, found.body, found.attempts) == (Failure.TOO_LARGE, b"", 1)
    assert len(call(get(web.url()), small, client=timeline.client()).body) == 1000


def test_an_answer_whose_body_does_not_matter_is_not_read(web: Web) -> None:
    web.replies(answer(200, b"x", Content_Length="999999999"))
    assert call(post(web.url()), replace(LOCAL, body_limit=0)).ok


def test_a_packed_answer_is_not_unpacked(web: Web) -> None:
    web.replies(answer(200, b"\x1f\x8b", Content_Encoding="gzip"))
    found = call(post(web.url()), LOCAL)
    assert (found.failure, found.body) == (Failure.BROKEN, b"")


def test_a_redirect_is_not_followed_unless_asked(web: Web) -> None:
    web.replies(answer(302, Location=web.url("/there")), answer(200, b"there"))
    found = call(get(web.url("/here")), LOCAL)
    assert (found.failure, found.status, found.attempts, len(web.seen)) == (Failure.REDIRECT, 302, 1, 1)
    assert found.headers["location"] == web.url("/there")
    web.replies(answer(302, Location="/there"), answer(200, b"there"))
    assert call(get(web.url("/here")), replace(LOCAL, redirects=1)).body == b"there"


def test_redirects_end(web: Web) -> None:
    web.replies(answer(302, Location="/again"))
    assert call(get(web.url()), replace(LOCAL, redirects=4)).failure is Failure.REDIRECT
    assert len(web.seen) == 5


def test_what_acts_is_never_redirected(web: Web) -> None:
    web.replies(answer(307, Location="/there"), answer())
    found = call(post(web.url()), replace(LOCAL, redirects=3))
    assert (found.failure, found.uncertain, len(web.seen)) == (Failure.REDIRECT, False, 1)


def test_a_redirect_elsewhere_takes_no_credentials_along(web: Web) -> None:
    web.replies(answer(302, Location=web.url("/there", host="localhost")), answer())
    request = HttpRequest("GET", web.url(), {"Authorization": "Bearer s", "X-Api-Key": "k", "Accept": "text/plain"})
    assert call(request, replace(LOCAL, redirects=1)).ok
    here, there = (headers for _, _, headers, _ in web.seen)
    assert (here["authorization"], here["x-api-key"]) == ("Bearer s", "k")
    assert not {"authorization", "x-api-key"} & set(there)
    assert there["accept"] == "text/plain"


@pytest.mark.parametrize("url", ["ftp://a.example/", "", "http://", "no address", "http://[::1", "http://a\nb/",
                                 "file:///etc/passwd"])
def test_what_is_no_address_fails_as_a_result(url: str, timeline: Timeline) -> None:
    timeline.resolve = lambda *args: ["127.0.0.1"]
    found = call(get(url), LOCAL, client=timeline.client())
    assert (found.ok, found.attempts, found.status) == (False, 1, None)
    assert found.failure in {Failure.INVALID, Failure.REFUSED_ADDRESS}


@pytest.mark.parametrize("headers", [{"X-A": "a\r\nX-B: b"}, {"X A": "b"}, {"X-A": "\x00"}])
def test_a_header_cannot_carry_another(web: Web, headers: dict[str, str]) -> None:
    found = call(HttpRequest("GET", web.url(), headers), LOCAL)
    assert (found.failure, web.seen) == (Failure.INVALID, [])


def test_a_fault_of_ours_is_a_result(web: Web, timeline: Timeline) -> None:
    def broken(*args: Any) -> list[str]:
        raise KeyError("a fault")

    timeline.resolve = broken
    assert call(get(web.url()), LOCAL, client=timeline.client()).failure is Failure.FAULT


def test_a_proxy_of_the_environment_is_not_used(web: Web, closed_port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{closed_port}")
        monkeypatch.setenv(name.lower(), f"http://127.0.0.1:{closed_port}")
    assert call(get(web.url()), LOCAL).ok


def test_no_password_of_the_environment_is_sent(web: Web, monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login me password mine\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    assert call(get(web.url()), LOCAL).ok
    assert "authorization" not in web.seen[0][2]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "0x7f000001", "127.1", "[::ffff:127.0.0.1]"])
def test_a_private_host_is_refused_however_it_is_written(web: Web, host: str) -> None:
    found = call(post(web.url(host=host)), Policy())
    assert (found.failure, found.attempts, found.uncertain, web.seen) == (Failure.REFUSED_ADDRESS, 1, False, [])


def test_a_redirect_to_a_private_host_is_refused(web: Web, timeline: Timeline, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first host passes as public, as it would on the internet; the second is checked as the first was."""
    web.replies(answer(302, Location=web.url("/meta-data", host="metadata.example")))
    timeline.resolve = lambda host, *rest: {"metadata.example": ["169.254.169.254"]}.get(host, ["127.0.0.1"])
    monkeypatch.setattr(wire.addresses, "public", lambda address: address == "127.0.0.1")
    found = call(get(web.url(host="a.example")), Policy(redirects=2), client=timeline.client())
    assert (found.failure, len(web.seen)) == (Failure.REFUSED_ADDRESS, 1)


class Recorder(httpcore.SyncBackend):
    """Connects to nothing, and keeps what it was to connect to."""

    def __init__(self) -> None:
        self.called: list[str] = []

    def connect_tcp(self, host: str, *args: Any, **more: Any) -> httpcore.NetworkStream:
        self.called.append(host)
        raise httpcore.ConnectError("recorded")


def test_a_name_that_changes_its_address_is_called_at_the_checked_one(
    timeline: Timeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name server that answers with a public address first, and with this host after (DNS rebinding)."""
    recorder, answers = Recorder(), [["93.184.216.34", "93.184.216.35"], ["127.0.0.1"]]
    monkeypatch.setattr(wire, "_backend", recorder)
    timeline.resolve = lambda *args: answers.pop(0)
    found = call(post("http://rebind.example/"), Policy(), client=timeline.client())
    assert recorder.called == ["93.184.216.34", "93.184.216.35"]
    assert (found.failure, found.attempts, answers) == (Failure.REFUSED_ADDRESS, 2, [])


def test_a_host_with_one_private_address_is_refused_whole(timeline: Timeline, monkeypatch: pytest.MonkeyPatch) -> None:
    recorder = Recorder()
    monkeypatch.setattr(wire, "_backend", recorder)
    timeline.resolve = lambda *args: ["93.184.216.34", "10.0.0.1"]
    assert call(post("http://both.example/"), Policy(), client=timeline.client()).failure is Failure.REFUSED_ADDRESS
    assert recorder.called == []


def test_the_address_is_called_and_the_name_is_told(web: Web, timeline: Timeline) -> None:
    asked: list[str] = []

    def resolve(host: str, *rest: Any) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"]

    timeline.resolve = resolve
    assert call(get(web.url(host="name.invalid")), LOCAL, client=timeline.client()).ok
    assert web.seen[0][2]["host"] == f"name.invalid:{web.port}"
    assert asked == ["name.invalid"]


def test_the_next_address_is_called_where_one_does_not_answer(web: Web, timeline: Timeline) -> None:
    timeline.resolve = lambda *args: ["127.0.0.2", "127.0.0.1"]
    assert call(post(web.url(host="two.example")), LOCAL, client=timeline.client()).attempts == 1
    assert len(web.seen) == 1


def test_a_name_without_an_address_is_asked_for_again(timeline: Timeline) -> None:
    def resolve(*args: Any) -> list[str]:
        raise Unresolved

    timeline.resolve = resolve
    found = call(post("http://nowhere.example/"), LOCAL, client=timeline.client())
    assert found == Outcome(Failure.UNRESOLVED, attempts=3)


@pytest.fixture
def secure(certificates: Certificates) -> Iterator[Web]:
    yield from serve(certificates.server)


def test_a_trusted_certificate_is_taken_and_any_other_refused(
    secure: Web, certificates: Certificates, timeline: Timeline
) -> None:
    url = secure.url(scheme="https", host="localhost")
    trusting = replace(timeline.client(), tls=certificates.client)
    assert call(post(url), LOCAL, client=trusting).ok
    found = call(post(url), LOCAL, client=timeline.client())
    assert (found.failure, found.attempts, found.uncertain) == (Failure.TLS, 1, False)
    assert len(secure.seen) == 1


def test_a_certificate_of_another_name_is_refused(
    secure: Web, certificates: Certificates, timeline: Timeline
) -> None:
    client = Client(resolve=lambda *args: ["127.0.0.1"], tls=certificates.client, sleep=timeline.sleep)
    found = call(get(secure.url(scheme="https", host="other.example")), LOCAL, client=client)
    assert (found.failure, found.attempts, secure.seen) == (Failure.TLS, 1, [])


def test_nothing_that_may_be_a_secret_is_in_what_is_printed() -> None:
    request = HttpRequest("POST", "https://hooks.example/T0K3N", {"Authorization": "s3cret"}, b"c0ntent")
    shown = repr(request) + repr(Outcome(None, 200, headers={"set-cookie": "s3cret"}, body=b"c0ntent"))
    assert not any(word in shown for word in ("T0K3N", "s3cret", "c0ntent"))
