"""What a newcomer does: reads the digest, decides, signs out; a reviewer sees all of it and verifies it offline."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import OpenTab, World, arrived, sign_in_by_hand
from tests.serving import environment


@pytest.fixture(scope="module")
def world(make_world: Callable[..., World]) -> World:
    return make_world("Walk")


def number_in(text: str) -> int:
    """The first number of a text."""
    found = re.search(r"\d[\d,]*", text)
    assert found, text
    return int(found.group().replace(",", ""))


def summed(page: Page) -> int:
    """The lines of all observations in the list, page after page."""
    total = 0
    while True:
        total += sum(number_in(text) for text in page.locator("#rows td[data-label=Lines]").all_inner_texts())
        following = page.get_by_role("link", name="Next page")
        if not following.count():
            return total
        first = page.locator("#rows tbody tr").first.inner_text()
        following.click()
        expect(page.get_by_role("link", name="First page")).to_be_visible()
        expect(page.locator("#rows tbody tr").first).not_to_have_text(first, use_inner_text=True)


def test_the_rows_behind_each_number_of_the_digest_are_that_many(open_tab: OpenTab, world: World) -> None:
    page = open_tab(world.slug)
    page.goto("/")
    sign_in_by_hand(page, world.served, world.slug, "operator")
    arrived(page, "Good day, Operator.")
    for label in ("To review", "Of these"):
        tile = page.locator(".wr-stat", has_text=label)
        number = number_in(tile.locator("strong").inner_text())
        tile.click()
        arrived(page, "Proposals")
        expect(page.locator("tbody tr")).to_have_count(number)
        page.go_back()
        arrived(page, "Good day, Operator.")
    found = page.get_by_role("link", name=re.compile(r"tasks? found"))
    number = number_in(found.inner_text())
    found.click()
    arrived(page, "Tasks")
    expect(page.locator("tbody tr")).to_have_count(number)
    page.go_back()
    arrived(page, "Good day, Operator.")
    times = page.locator(".wr-opportunity").first.get_by_role("link", name=re.compile("times in"))
    number = number_in(times.inner_text())
    times.click()
    expect(page.locator("#rows")).to_be_in_viewport()
    assert summed(page) == number


def test_a_log_imported_at_the_command_line_is_in_the_digest(
    open_tab: OpenTab, world: World, tmp_path: Path
) -> None:
    log = tmp_path / "gateway.log"
    begin = datetime.now(UTC) - timedelta(days=6)
    log.write_text("".join(
        f"{(begin + timedelta(hours=6 * i)).isoformat()} gateway timeout: upstream billing unreachable, retry {i % 7}\n"
        for i in range(20)
    ))
    settings = world.served.settings
    done = subprocess.run(
        [sys.executable, "-c", "from workreef_app.cli import main; main()", "source", "import",
         "--tenant", world.slug, "--kind", "log_file", "--department", "claims", str(log)],
        env=environment(settings.data_dir, settings.port), capture_output=True, text=True, check=False,
    )
    assert done.returncode == 0, done.stderr
    page = open_tab(world.slug, "operator")
    page.goto("/")
    task = page.locator(".wr-opportunity", has_text="gateway timeout")
    expect(task).to_contain_text("20 times in 30 days")
    expect(task.locator(".wr-tag-recommendation")).to_have_text("Pilot")
    page.goto("/sources")
    arrived(page, "Sources")
    expect(page.locator("tbody tr")).to_contain_text("20 read, 20 new, 0 known before")


def proposals(page: Page) -> list[str]:
    """The addresses of the open proposals."""
    page.goto("/proposals?status=open")
    arrived(page, "Proposals")
    return [link.get_attribute("href") or "" for link in page.locator("tbody td:first-child a").all()]


def choose(page: Page, name: str, reason: str = "") -> None:
    """Gives a reason, if any, and presses a button of the decision."""
    if reason:
        page.get_by_label("Reason").fill(reason)
    page.get_by_role("button", name=name, exact=True).click()


def test_decisions_and_their_proof(open_tab: OpenTab, world: World, tmp_path: Path) -> None:
    page = open_tab(world.slug)
    page.goto("/proposals")
    sign_in_by_hand(page, world.served, world.slug, "operator")
    returned, accepted, declined = proposals(page)[:3]
    status = page.locator("main > [role=status]").first

    page.goto(returned)
    expect(page.get_by_role("heading", name="Evidence")).to_be_visible()
    choose(page, "Return with a question", "Who is called at night?")
    expect(status).to_contain_text("The proposal is returned.")
    expect(page.locator(".wr-list")).to_contain_text("Operator Of Walk returned it")
    expect(page.locator(".wr-list")).to_contain_text("Who is called at night?")
    expect(page.get_by_role("button", name="Return with a question")).to_have_count(0)
    expect(page.get_by_label("Reason")).to_have_value("")

    page.goto(accepted)
    choose(page, "Accept")
    expect(status).to_contain_text("The proposal is accepted.")
    expect(page.get_by_role("button", name="Accept")).to_have_count(0)

    page.goto(declined)
    choose(page, "Decline")
    expect(status).to_contain_text("Say why.")
    expect(page.get_by_label("Reason")).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_role("button", name="Decline")).to_be_visible()

    page.goto(accepted)
    expect(page.locator(".wr-decide")).to_contain_text("accepted")
    page.get_by_role("button", name="Signed in as Operator Of Walk").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_text("You have signed out.")).to_be_visible()

    sign_in_by_hand(page, world.served, world.slug, "security_reviewer")
    arrived(page, "Audit")
    expect(page).to_have_url(re.compile(r"/audit/?$"))
    sees(page, returned, accepted, declined)
    export = verifies(page, tmp_path)
    proves(export, tmp_path / "elsewhere", tmp_path)


def sees(page: Page, returned: str, accepted: str, declined: str) -> None:
    """Every step of the operator's is in the log."""
    page.goto("/audit?event=proposal.decided")
    arrived(page, "Audit")
    targets = page.locator("td[data-label=Target]").all_inner_texts()
    assert targets == [f"proposal:{path.rsplit('/', 1)[1]}" for path in (accepted, returned)]
    page.locator("tbody td a").first.click()
    expect(page.locator("pre").first).to_contain_text('"choice": "accept"')
    page.goto(f"/audit?target=proposal:{declined.rsplit('/', 1)[1]}")
    expect(page.locator("td[data-label=Event]").first).to_have_text("data.read")
    for event in ("session.started", "session.ended", "import.finished", "data.read"):
        page.goto(f"/audit?event={event}")
        expect(page.locator("td[data-label=Event]").first).to_have_text(event)


def verifies(page: Page, folder: Path) -> Path:
    """Presses Verify, sees the chain hold, and takes the export away."""
    page.goto("/audit")
    arrived(page, "Audit")
    page.get_by_role("link", name="Verify", exact=True).click()
    arrived(page, "Verify")
    page.get_by_role("button", name="Verify the log").click()
    expect(page.locator("main")).to_contain_text("chained only")
    expect(page.get_by_role("heading", name="What this does not prove")).to_be_visible()
    with page.expect_download() as coming:
        page.get_by_role("link", name="Export as zip").click()
    export = folder / "export.zip"
    coming.value.save_as(export)
    return export


def verify(folder: Path, export: Path) -> subprocess.CompletedProcess[str]:
    """The verifier from inside the export, without any package, in a folder that holds nothing else."""
    return subprocess.run(
        [sys.executable, "-I", "-S", "verify.py", str(export)], cwd=folder, capture_output=True, text=True, check=False
    )


def proves(export: Path, folder: Path, scratch: Path) -> None:
    """The verifier proves the export, and names the one entry in which one byte was changed."""
    folder.mkdir()
    with zipfile.ZipFile(export) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    (folder / "verify.py").write_bytes(next(body for name, body in parts.items() if name.endswith("verify.py")))
    held = verify(folder, export)
    assert held.returncode == 0, held.stdout + held.stderr

    name, body = next((name, body) for name, body in parts.items() if b"proposal.decided" in body)
    entries = body.splitlines(keepends=True)
    at = next(i for i, entry in enumerate(entries) if b"proposal.decided" in entry)
    seq = json.loads(entries[at])["seq"]
    entries[at] = entries[at].replace(b"accept", b"bccept", 1).replace(b"return", b"seturn", 1)
    assert len(b"".join(entries)) == len(body)
    forged = scratch / "forged.zip"
    with zipfile.ZipFile(forged, "w") as archive:
        for part, content in {**parts, name: b"".join(entries)}.items():
            archive.writestr(part, content)
    broken = verify(folder, forged)
    assert broken.returncode == 1, broken.stdout + broken.stderr
    assert re.search(rf"\b{seq:,}\b|\b{seq}\b", broken.stdout), broken.stdout
