"""The verifier page, as somebody uses it who believes nothing that the server says of itself."""

from __future__ import annotations

import os
import re
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import OpenTab, World, arrived
from tests.e2e.test_look import look
from tests.serving import Served
from workreef_app.services.audit import verify


@pytest.fixture(scope="module")
def world(make_world: Callable[..., World]) -> World:
    return make_world("Auditing", count=60, people=["admin", "security_reviewer", "contributor"])


def tampered(export: Path, path: Path, change: Callable[[bytes], bytes]) -> Path:
    """The export with another audit.jsonl."""
    with zipfile.ZipFile(export) as whole, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        for name in whole.namelist():
            data = whole.read(name)
            made.writestr(name, change(data) if name == "audit.jsonl" else data)
    return path


def verified_here(page: Page, export: Path, kept: str = "") -> str:
    """What the browser itself says of a file."""
    form = page.get_by_role("form", name="Verify a file in this browser")
    form.get_by_label("The export, a zip").set_input_files(export)
    if kept:
        if not form.get_by_label("A checkpoint that you kept").is_visible():
            form.get_by_text("Against a checkpoint and a key of your own").click()
        form.get_by_label("A checkpoint that you kept").fill(kept)
    form.get_by_role("button", name="Verify the file here").click()
    told = page.locator("section", has=page.get_by_role("heading", name="Your file, in your browser"))
    expect(told.get_by_text("Not proven by this:")).to_be_visible()
    return told.get_by_role("status").inner_text()


def test_the_log_is_verified_against_a_checkpoint_that_was_taken_away(
    open_tab: OpenTab, world: World, tmp_path: Path
) -> None:
    page = open_tab(world.slug, "security_reviewer")
    page.goto("/audit")
    arrived(page, "Audit")
    page.get_by_role("link", name="Verify", exact=True).click()
    arrived(page, "Verify")
    page.get_by_role("button", name="Make a checkpoint now").click()
    expect(page.get_by_text(re.compile(r"A checkpoint covers [\d,]+ entries"))).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name="Take it away").click()
    kept = download.value.path().read_text("utf-8")
    page.get_by_text("Against a checkpoint that you kept", exact=True).click()
    page.get_by_label("The checkpoint, as it was given to you").fill(kept)
    page.get_by_role("button", name="Verify the log").click()
    expect(page.get_by_text(re.compile(r"[\d,]+ entries proven to the checkpoint; \d+ chained only"))).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name="Export as zip").click()
    export = tmp_path / "export.zip"
    download.value.save_as(export)
    assert verify.verify(str(export), known=(verify.parse_note(kept),))["ok"]

    assert "proven to a checkpoint" in verified_here(page, export, kept)
    edited = tampered(export, tmp_path / "x.zip", lambda log: log.replace(b"ment.created", b"ment.creates", 1))
    assert "edited: entry 2" in verified_here(page, edited)
    cut = tampered(export, tmp_path / "cut.zip", lambda log: b"\n".join(log.split(b"\n")[:5]))
    assert "tail cut" in verified_here(page, cut)
    (tmp_path / "none.zip").write_bytes(b"PK nothing")
    assert "malformed" in verified_here(page, tmp_path / "none.zip")


def test_a_rehearsed_attack_is_named_and_the_log_stays(open_tab: OpenTab, world: World) -> None:
    world.do("audit.checkpoint")
    page = open_tab(world.slug, "admin")
    page.goto("/audit/verify")
    arrived(page, "Verify")
    for attack, said in (
        ("Edit the entry", "by the hash chain"),
        ("The same, and sign it with another key", "by the checkpoint's signature"),
    ):
        page.get_by_label("What is done").select_option(attack)
        page.get_by_label("Entry", exact=True).fill("5")
        page.get_by_role("button", name="Attack the copy").click()
        expect(page.get_by_text(re.compile(said))).to_be_visible()
        expect(page.get_by_text("The log itself was not touched.")).to_be_visible()
    assert look(page) == []
    if shots := os.environ.get("WORKREEF_SHOTS"):
        page.screenshot(path=f"{shots}/verify.png", full_page=True)
        page.set_viewport_size({"width": 390, "height": 844})
        page.emulate_media(color_scheme="dark")
        page.screenshot(path=f"{shots}/verify-dark.png", full_page=True)


def test_anyone_may_verify_and_only_auditors_rehearse(open_tab: OpenTab, world: World) -> None:
    page = open_tab(world.slug, "contributor")
    page.goto("/audit/verify")
    arrived(page, "Verify")
    expect(page.get_by_role("heading", name="Rehearse an attack")).to_have_count(0)
    expect(page.get_by_role("button", name="Make a checkpoint now")).to_have_count(0)
    page.get_by_role("button", name="Verify the log").click()
    expect(page.get_by_text(re.compile("chained only"))).to_be_visible()


def test_an_entry_leads_to_its_checkpoint_and_receipt(
    open_tab: OpenTab, world: World, served: Served
) -> None:
    world.do("audit.checkpoint")
    page = open_tab(world.slug, "admin")
    page.goto("/audit/2")
    arrived(page, "Entry #2")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download the receipt").click()
    assert verify.verify_receipt(download.value.path().read_text("utf-8"))["ok"]


def test_an_admin_adds_a_witness_and_takes_it_away(open_tab: OpenTab, world: World) -> None:
    page = open_tab(world.slug, "admin")
    page.goto("/audit/verify")
    arrived(page, "Verify")
    page.get_by_role("link", name="Witnesses").click()
    arrived(page, "Witnesses")
    page.get_by_label("Kind").select_option("Webhook")
    page.get_by_label("Address", exact=True).fill("ftp://nowhere.example")
    page.get_by_role("button", name="Add the witness").click()
    expect(page.get_by_text("must be an address of http or https")).to_be_visible()
    page.get_by_label("Kind").select_option("Folder")
    page.get_by_label("Name of the folder").fill("auditor")
    page.get_by_role("button", name="Add the witness").click()
    expect(page.get_by_role("table", name="Witnesses, oldest first")).to_contain_text("auditor")
    page.get_by_role("button", name="Remove: auditor").click()
    expect(page.get_by_text("No witness yet.")).to_be_visible()
