"""What is told of a browser."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workreef_app.services.access.devices import described

MOZILLA = "Mozilla/5.0"
WEBKIT = "AppleWebKit/537.36"


@pytest.mark.parametrize(("agent", "said"), [
    (f"{MOZILLA} (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox 140 on Linux"),
    (f"{MOZILLA} (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Safari/537.36",
     "Chrome 138 on Windows"),
    (f"{MOZILLA} (Windows NT 10.0) {WEBKIT} Chrome/138.0.0.0 Safari/537.36 Edg/138.0.1", "Edge 138 on Windows"),
    (f"{MOZILLA} (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/18.5 Safari/605.1.15",
     "Safari 18 on macOS"),
    (f"{MOZILLA} (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 Version/18.5 Mobile/1 Safari/604.1",
     "Safari 18 on iPhone"),
    (f"{MOZILLA} (Linux; Android 15) {WEBKIT} Chrome/138.0.0.0 Mobile Safari/537.36", "Chrome 138 on Android"),
    ("curl/8.5.0", "cURL 8"), ("x" * 300, "Another program"), ("", ""),
])
def test_a_browser_in_a_few_words(agent: str, said: str) -> None:
    assert described(agent) == said


@settings(max_examples=50, deadline=None)
@given(st.text(max_size=400))
def test_nothing_of_what_was_sent_is_repeated_but_a_number(agent: str) -> None:
    assert len(described(agent)) <= 40
