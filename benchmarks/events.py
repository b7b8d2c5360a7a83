"""The round trip of an event: `python -m benchmarks.events [--sessions 50] [--rounds 20] [--json]`.

The demo is served as it comes, and fifty sessions have the digest open, each in a tab of its own over a WebSocket;
a blank Reflex app with as many tabs is served beside it. One tab after the other, in turns with one of the blank
app, sends a light event of its page (the digest: a department is chosen; the blank app: a number grows) and waits for
the delta. Medians of all. The load of the page over the socket, from its first event to its last delta, is told too.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from uuid_utils.compat import uuid7

from benchmarks.served import blank, demo, free_port, operator, running
from benchmarks.tabs import Tab
from workreef_app import settings
from workreef_app.http.frontend import ROOT
from workreef_app.services.browser import cookie_name, cookie_value
from workreef_app.services.door import Caller
from workreef_app.services.process import opened

WANTED_MS = 6.0
SLUG = "health"
WARM = 2
BOOT: tuple[str, dict[str, Any]] = ("hydrate_and_load", {"vars": {}, "hashes": {}})


@dataclass(frozen=True, slots=True)
class Page:
    """A page to measure: what its load ends with, and a light event of it. `values` come in turns."""

    host: str
    port: int
    loaded: tuple[str, str, Any]
    event: str
    payloads: tuple[Mapping[str, Any], Mapping[str, Any]] | None
    changed: tuple[str, str]
    values: tuple[Any, ...]


def digest_page(port: int) -> Page:
    """The digest, where the reader goes to and fro between two departments."""
    state = "workreef_app___state___work____digest_state"
    slugs = ("claims", "")
    return Page(
        f"{SLUG}.localhost", port, ("workreef_app___state___shell____shell_state", "loaded", "/"),
        f"{state}.choose_department", ({"slug": slugs[0]}, {"slug": slugs[1]}), (state, "department"), slugs,
    )


def blank_page(port: int, rounds: int) -> Page:
    """The blank app, where a number grows."""
    state = "blank___blank____state"
    return Page(
        "localhost", port, (state, "text", "Blank"), f"{state}.count", None, (state, "times"),
        tuple(range(1, rounds + 1)),
    )


def cookies(data: Path, count: int) -> list[dict[str, str]]:
    """The headers of so many sessions of the operator, signed in through the door."""
    own = settings.load(data_dir=data)
    email, password = operator(data)
    found = []
    with opened(own, prepare=False) as door:
        tenant = door.platform.tenant(SLUG)
        for number in range(count):
            browser = Caller(tenant, uuid7().hex, host=f"{SLUG}.localhost", address=f"10.1.0.{number}")
            granted = door.perform(browser, "sessions.start", {"email": email, "password": password})
            cookie = cookie_value(granted.token, browser.host, own)
            found.append({"Cookie": f"{cookie_name(own)}={cookie}"})
    return found


@asynccontextmanager
async def loaded(page: Page, headers: list[dict[str, str]]) -> AsyncIterator[tuple[list[Tab], list[float]]]:
    """Open tabs, one for each of the headers, once their page is loaded; with the seconds of each load."""
    tabs, times = [], []
    try:
        for own in headers:
            tab = Tab()
            await tab.open(page.host, page.port, own)
            tabs.append(tab)
            times.append(await tab.round_trip(*BOOT, *page.loaded))
        yield tabs, times
    finally:
        for tab in tabs:
            await tab.close()


async def trip(page: Page, tab: Tab, turn: int) -> float:
    """One light event of a tab; its seconds."""
    payload = page.payloads[turn % 2] if page.payloads else {}
    return await tab.round_trip(page.event, payload, *page.changed, page.values[turn % len(page.values)])


async def compare(ours: Page, theirs: Page, headers: list[dict[str, str]], rounds: int) -> dict[str, float]:
    """Medians of both pages, in milliseconds, and their difference."""
    async with loaded(ours, headers) as (tabs, loads), loaded(theirs, [{}] * len(headers)) as (others, other_loads):
        pairs = [
            (await trip(ours, tab, turn), await trip(theirs, other, turn))
            for turn in range(WARM + rounds) for tab, other in zip(tabs, others, strict=True)
        ][WARM * len(tabs) :]
    digest, plain = ([1000 * seconds for seconds in column] for column in zip(*pairs, strict=True))
    return {
        "sessions": len(headers), "events": len(pairs),
        "digest_ms": round(statistics.median(digest), 2), "blank_ms": round(statistics.median(plain), 2),
        "difference_ms": round(statistics.median(digest) - statistics.median(plain), 2), "wanted_ms": WANTED_MS,
        "digest_load_ms": round(1000 * statistics.median(loads), 1),
        "blank_load_ms": round(1000 * statistics.median(other_loads), 1),
    }


def measure(sessions: int, rounds: int) -> dict[str, float]:
    """Serves both and compares them."""
    with tempfile.TemporaryDirectory(prefix="workreef-bench-", ignore_cleanup_errors=True) as name:
        folder, port = Path(name), free_port()
        url, log = f"http://127.0.0.1:{port}/readyz", folder / "log"
        with (
            running(demo(folder / "data", port), url, log, cwd=ROOT, env=dict(os.environ)),
            blank(folder / "app") as blank_port,
        ):
            headers = cookies(folder / "data", sessions)
            return asyncio.run(
                compare(digest_page(port), blank_page(blank_port, WARM + rounds), headers, rounds)
            )


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure the round trip of an event of the digest page.")
    parser.add_argument("--sessions", type=int, default=50)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    found = measure(given.sessions, given.rounds)
    if given.json:
        print(json.dumps(found))
        return
    print(
        f"event of the digest, {found['sessions']} sessions: {found['digest_ms']} ms, blank Reflex app"
        f" {found['blank_ms']} ms: {found['difference_ms']} ms more (wanted at most {found['wanted_ms']})"
    )
    print(f"load over the socket: digest {found['digest_load_ms']} ms, blank {found['blank_load_ms']} ms")


if __name__ == "__main__":
    main()
