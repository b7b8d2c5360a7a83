"""The built pages: what they are made of, when they are built anew, and the policy they are served under."""

import base64
import hashlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workreef_app.http import frontend


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in ("rxconfig.py", "requirements.lock", "workreef_app/workreef_app.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(f"# {name}\n")
    for name in (
        "reflex.lock/package.json", "assets/workreef.css", "workreef_app/pages/digest.py",
        "workreef_app/state/shell.py",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(f"{name}\n")
    return tmp_path


def test_hash_is_the_same_for_the_same_sources(root: Path) -> None:
    assert frontend.source_hash(3000, root) == frontend.source_hash(3000, root)


@pytest.mark.parametrize(
    "name",
    [
        "rxconfig.py", "requirements.lock", "workreef_app/workreef_app.py", "reflex.lock/package.json",
        "assets/workreef.css", "workreef_app/pages/digest.py", "workreef_app/state/shell.py",
    ],
)  # fmt: skip
def test_a_changed_source_changes_the_hash(root: Path, name: str) -> None:
    before = frontend.source_hash(3000, root)
    (root / name).write_text("changed\n")
    assert frontend.source_hash(3000, root) != before


def test_a_new_page_and_a_renamed_page_change_the_hash(root: Path) -> None:
    hashes = {frontend.source_hash(3000, root)}
    (root / "workreef_app/pages/audit.py").write_text("page\n")
    hashes.add(frontend.source_hash(3000, root))
    (root / "workreef_app/pages/audit.py").rename(root / "workreef_app/pages/tasks.py")
    hashes.add(frontend.source_hash(3000, root))
    assert len(hashes) == 3


def test_the_port_is_part_of_the_hash(root: Path) -> None:
    assert frontend.source_hash(3000, root) != frontend.source_hash(3001, root)


def test_other_files_and_caches_are_not_part_of_the_hash(root: Path) -> None:
    before = frontend.source_hash(3000, root)
    (root / "workreef_app/services").mkdir()
    (root / "workreef_app/services/door.py").write_text("x\n")
    (root / "workreef_app/pages/__pycache__").mkdir()
    (root / "workreef_app/pages/__pycache__/digest.cpython-311.pyc").write_bytes(b"x")
    assert frontend.source_hash(3000, root) == before


def test_moving_bytes_between_two_files_changes_the_hash(root: Path) -> None:
    first, second = root / "workreef_app/pages/a.py", root / "workreef_app/pages/b.py"
    first.write_text("one two")
    second.write_text("")
    before = frontend.source_hash(3000, root)
    first.write_text("one ")
    second.write_text("two")
    assert frontend.source_hash(3000, root) != before


def test_this_repository_has_every_source() -> None:
    assert [name for name in frontend.SOURCES if not (frontend.ROOT / name).exists()] == []


def test_the_committed_lock_names_no_registry_and_no_path_of_a_machine() -> None:
    for path in (frontend.ROOT / "reflex.lock").iterdir():
        text = path.read_text()
        assert '"resolved"' not in text
        assert "registry" not in text
        assert str(frontend.ROOT) not in text
        assert "file:" not in text


def test_inline_scripts_are_found_and_linked_ones_are_not() -> None:
    html = (
        "<head><script src='/a.js'></script><script>one()</script></head><body><p>if (a &amp; b)</p>"
        "<SCRIPT type='module' async>import('/b.js'); if (a && b < c) {}</SCRIPT><script></script></body>"
    )
    assert frontend.inline_scripts(html) == ("one()", "import('/b.js'); if (a && b < c) {}", "")


def test_line_ends_are_hashed_as_a_browser_sees_them() -> None:
    assert frontend.inline_scripts("<script>a\r\nb\rc</script>") == ("a\nb\nc",)


@given(st.text(alphabet=st.characters(exclude_characters="\r\0<", exclude_categories=("Cs",))))
def test_a_scripts_text_is_kept_to_the_byte(script: str) -> None:
    assert frontend.inline_scripts(f"<p>x</p><script>{script}</script>") == (script,)


def test_script_hashes_of_a_directory(tmp_path: Path) -> None:
    (tmp_path / "tasks").mkdir()
    (tmp_path / "index.html").write_text("<script>a</script><script>b</script>")
    (tmp_path / "tasks/index.html").write_text("<script>a</script>")
    (tmp_path / "index.js").write_text("<script>c</script>")
    expected = {"sha256-" + base64.b64encode(hashlib.sha256(text).digest()).decode() for text in (b"a", b"b")}
    assert frontend.script_hashes(tmp_path) == tuple(sorted(expected))


def test_the_known_hash_of_a_known_script(tmp_path: Path) -> None:
    """The example in the hash section of the Content Security Policy specification."""
    (tmp_path / "index.html").write_text("<script>alert('Hello, world.');</script>")
    assert frontend.script_hashes(tmp_path) == ("sha256-qznLcsROx4GACP2dm0UCKCzCG+HiZ1guq6ZZDob/Tng=",)


def test_policy_allows_the_own_origin_and_the_listed_scripts_alone() -> None:
    text = frontend.content_security_policy(["sha256-A=", "sha256-B="])
    policy = dict(part.split(" ", 1) for part in text.split("; "))
    assert policy["script-src"] == "'self' 'sha256-A=' 'sha256-B='"
    assert policy["style-src"] == "'self' 'unsafe-inline'"
    assert policy["connect-src"] == "'self'"
    assert policy["img-src"] == "'self' data:"
    assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert not any(word in value for value in policy.values() for word in ("eval", "*", "http", "blob"))
    assert "'unsafe-inline'" not in policy["script-src"]


def test_policy_without_inline_scripts() -> None:
    assert "script-src 'self';" in frontend.content_security_policy([])


@pytest.mark.parametrize(
    ("output", "words"),
    [
        ("npm error code ENOTFOUND\nnpm error request to https://… failed", "npm registry cannot be reached"),
        ("npm error code ECONNREFUSED", "npm registry cannot be reached"),
        ("ENOSPC: no space left on device, write", "disk is full"),
        ("OSError: [Errno 28] No space left on device", "disk is full"),
        ("TypeError: page() got an unexpected keyword", "last lines of"),
    ],
)
def test_a_failure_is_told_in_one_sentence_with_its_cure(output: str, words: str) -> None:
    sentence = frontend.failure_sentence(output, Path("/data/pages-build.log"))
    assert words in sentence
    assert "/data/pages-build.log" in sentence
    assert "\n" not in sentence


def test_toolchain_asks_nobody_and_reports_nothing(tmp_path: Path) -> None:
    environment = frontend.toolchain_environment(port=4000, data_dir=tmp_path, base={"PATH": "/bin", "LANG": "C"})
    assert environment["PATH"].endswith(":/bin")
    assert (Path(environment["PATH"].split(":")[0]) / "npm").exists()
    assert environment["LANG"] == "C"
    assert environment["WORKREEF_PORT"] == "4000"
    assert environment["REFLEX_USE_NPM"] == "1"
    assert environment["REFLEX_TELEMETRY_ENABLED"] == "false"
    assert environment["REFLEX_CHECK_LATEST_VERSION"] == "0"


def test_a_finished_build_is_taken_without_building(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frontend, "_export", lambda *_, **__: pytest.fail("built again"))
    digest = frontend.source_hash(4000)
    kept = tmp_path / "pages" / digest[:16]
    kept.mkdir(parents=True)
    (kept / frontend.STAMP).touch()
    told: list[str] = []
    pages = frontend.build(told.append, port=4000, data_dir=tmp_path)
    assert (pages.digest, pages.rebuilt, told) == (digest, False, [])
    assert pages.directory == kept / "build" / "client"


def test_a_half_copied_build_is_built_anew_and_old_ones_are_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "source"
    (source / ".web/build/client").mkdir(parents=True)
    (source / ".web/build/client/index.html").write_text("<script>a</script>")
    (source / ".web/backend").mkdir()
    monkeypatch.setattr(frontend, "ROOT", source)
    monkeypatch.setattr(frontend, "_export", lambda *_, **__: None)
    data = tmp_path / "data"
    for number in range(4):
        (data / "pages" / str(number)).mkdir(parents=True)
    half = data / "pages" / frontend.source_hash(4000)[:16]
    half.mkdir()
    (half / "rest").touch()
    pages = frontend.build(lambda _: None, port=4000, data_dir=data)
    assert pages.rebuilt
    assert (pages.directory / "index.html").exists()
    assert not (half / "rest").exists()
    assert len(list((data / "pages").iterdir())) == frontend.KEPT_BUILDS
    assert not frontend.build(lambda _: None, port=4000, data_dir=data).rebuilt
