"""`workreef doctor`: every fault of the settings, and what can be checked live, on any configuration."""

from __future__ import annotations

import shutil
import sysconfig
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from workreef_app.commands.frame import Failed, print_json, sentence_of, tell
from workreef_app.commands.serving import need_port
from workreef_app.services.limiting import limiter
from workreef_app.services.outbound import mail
from workreef_app.services.outbound.smtp import MailServer
from workreef_app.services.posture import boot, checks
from workreef_app.services.posture.checks import Finding
from workreef_app.services.process import opened
from workreef_app.settings import ConfigurationError, Fault, Settings, load, would_refuse

FREE_BYTES = 500_000_000


def settings_faults() -> tuple[Settings | None, list[Fault]]:
    """The settings, where they can be read, and every fault that they alone show."""
    try:
        settings = load()
    except ConfigurationError as error:
        return None, [Fault("settings", str(error), "")]
    return settings, boot.of_settings(settings)


def live(settings: Settings) -> Iterator[Finding]:
    """Everything that can be looked at now, each by itself: one that fails keeps nothing from the others."""
    yield _space(settings.data_dir)
    yield _tool("node")
    yield _tool("npm")
    yield _port(settings)
    yield from _services(settings)
    if settings.embedded and not (settings.data_dir / "postgres").exists():
        yield Finding("database", True, "the embedded Postgres was not started yet")
        return
    try:
        with opened(settings, prepare=False) as door:
            yield from checks.databases(door.platform)
    except checks.FAILURES as error:
        yield Finding("database", False, sentence_of(error) or type(error).__name__)


def _services(settings: Settings) -> Iterator[Finding]:
    """What the settings name beside the database."""
    if not settings.redis_url:
        yield Finding("redis", True, "not used: each process counts calls by itself")
    else:
        answers = limiter.answers(settings.redis_url)
        cure = "does not answer; start it, or correct WORKREEF_REDIS_URL"
        yield Finding("redis", answers, "answers" if answers else cure)
    url = settings.smtp_url.get_secret_value()
    if not url:
        yield Finding("mail", True, "not used: no mail is sent")
        return
    outcome = mail.reachable(MailServer.of(url))
    said = f"{outcome.failure.value.replace('_', ' ')}; correct WORKREEF_SMTP_URL" if outcome.failure else "answers"
    yield Finding("mail", outcome.ok, said)


def _space(place: Path) -> Finding:
    there = next(p for p in (place, *place.parents) if p.exists())
    free = shutil.disk_usage(there).free
    return Finding("disk", free >= FREE_BYTES, f"{free / 1e9:.1f} GB free at {there}")


def _tool(name: str) -> Finding:
    found = shutil.which(name, path=sysconfig.get_path("scripts")) or shutil.which(name)
    return Finding(name, found is not None, found or "not found; `make setup` installs it")


def _port(settings: Settings) -> Finding:
    try:
        need_port(settings, "127.0.0.1")
    except Failed:
        return Finding("port", True, f"{settings.port} is in use, by WorkReef if it is being served")
    return Finding("port", True, f"{settings.port} is free")


def report(as_json: bool) -> bool:
    """Prints what was found; whether all is well."""
    settings, faults = settings_faults()
    findings = list(live(settings)) if settings else []
    later = would_refuse(settings) if settings and not settings.production else []
    ok = not faults and all(finding.ok for finding in findings)
    if as_json:
        print_json(
            {
                "ok": ok,
                "environment": settings.env.value if settings else None,
                "faults": [asdict(fault) for fault in faults],
                "production_would_refuse": [asdict(fault) for fault in later],
                "checks": [asdict(finding) for finding in findings],
            }
        )
        return ok
    if settings:
        tell(f"Environment {settings.env.value}, data in {settings.data_dir}")
    for fault in faults:
        tell(f"✗ {fault.check}: {fault.wrong} {fault.cure}".rstrip())
    for fault in later:
        tell(f"· production would refuse {fault.check}: {fault.wrong} {fault.cure}")
    for finding in findings:
        tell(f"{'✓' if finding.ok else '✗'} {finding.name}: {finding.detail}")
    tell("All is well." if ok else "Not all is well.")
    return ok
