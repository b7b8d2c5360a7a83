"""The verifier: intact logs pass, every mutation is named, and no input makes it fail badly."""

from __future__ import annotations

import ast
import io
import json
import random
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from workreef_app.services.audit import chain, export, verify
from workreef_app.services.audit.canonical import canonical

TENANT = UUID("01900000-0000-7000-8000-00000000000a")
OTHER = UUID("01900000-0000-7000-8000-00000000000b")
INTACT = "intact"
Lines = list[bytes]
Entry = tuple[int, str, bytes]
Verdicts = list[tuple[str, int]]


def content(rng: random.Random, seq: int) -> str:
    return canonical(
        {
            "actor": f"person:{UUID(int=rng.getrandbits(128))}",
            "at": "2026-11-23T09:14:07.123456Z",
            "department": rng.choice([None, str(UUID(int=rng.getrandbits(128)))]),
            "detail": rng.choice([{}, {"rows": rng.randrange(10**6)}, {"ids": [seq, "é"], "path": "a\\b"}]),
            "event": "proposal.decided",
            "persona": "operator",
            "request": str(seq),
            "target": f"proposal:{UUID(int=rng.getrandbits(128))}",
        }
    )


def chained(contents: list[str], last: bytes, first: int = 1) -> list[Entry]:
    entries = []
    for seq, each in enumerate(contents, first):
        last = chain.link(each, last)
        entries.append((seq, each, last))
    return entries


def log(count: int, seed: int = 0, tenant: UUID = TENANT) -> list[Entry]:
    rng = random.Random(seed)
    return chained([content(rng, seq) for seq in range(1, count + 1)], chain.genesis(tenant))


def lines_of(entries: list[Entry], tenant: UUID = TENANT, trailer: bool = True) -> Lines:
    head = entries[-1][2] if entries else chain.genesis(tenant)
    lines = [export.entry_line(*entry) for entry in entries]
    return [*lines, export.trailer_line(tenant, len(entries), head)] if trailer else lines


def check(path: Path, lines: Lines | bytes, **options: Any) -> dict[str, Any]:
    file = path / "audit.jsonl"
    file.write_bytes(lines if isinstance(lines, bytes) else b"".join(lines))
    return verify.verify(str(file), **{"allow_unanchored": True, **options})


def verdicts(report: dict[str, Any]) -> Verdicts:
    return [(verdict["kind"], verdict["seq"]) for verdict in report["verdicts"]]


# --- intact ---


@pytest.mark.parametrize("count", [0, 1, 2, 3, 50])
def test_an_intact_log_is_proven(tmp_path: Path, count: int) -> None:
    entries = log(count)
    report = check(tmp_path, lines_of(entries))
    head = entries[-1][2] if entries else chain.genesis(TENANT)
    assert report["ok"] is True
    assert (report["count"], report["head"], report["anchored"]) == (count, head.hex(), 0)
    assert verdicts(report) == [(INTACT, count)]
    assert any("checkpoint" in said for said in report["not_proven"])
    assert any("never written" in said for said in report["not_proven"])


# --- mutations with one explanation ---


def flip(text: bytes, at: int) -> bytes:
    return text[:at] + bytes([text[at] ^ 1]) + text[at + 1 :]


def exact_mutations(n: int, entries: list[Entry]) -> Iterator[tuple[str, Lines, Verdicts]]:
    """Mutations of entry n (of at least n + 1) with the one thing that the verifier is to say."""
    lines, at = lines_of(entries), n - 1
    seq, text, own = entries[at]
    edited = export.entry_line(seq, text.replace("operator", "0perator"), own)
    first = [("foreign_origin", 1)] if n == 1 else []  # without more, another beginning looks the same
    yield "content", [*lines[:at], edited, *lines[n:]], [("edited", n), *first]
    yield "hash", [*lines[:at], export.entry_line(seq, text, flip(own, n % 32)), *lines[n:]], [("edited", n)]
    yield "number", [*lines[:at], export.entry_line(seq + 70, text, own), *lines[n:]], [("edited", n)]
    yield "twice", [*lines[:n], lines[at], *lines[n:]], [("inserted", n)]
    gone = "head_cut" if n == 1 else "missing"
    yield "drop", [*lines[:at], *lines[n:]], [(gone, n)]
    yield "swap", [*lines[:at], lines[n], lines[at], *lines[n + 1 :]], [("reordered", n)]
    before = entries[at - 1][2] if at else chain.genesis(TENANT)
    forged = export.entry_line(seq, '{"forged":1}', chain.link('{"forged":1}', before))
    yield "forged", [*lines[:at], forged, *lines[at:]], [("inserted", n)]
    lazy = export.entry_line(seq, '{"forged":1}', bytes(32))
    yield "forged without its hash", [*lines[:at], lazy, *lines[at:]], [("inserted", n)]
    up = [export.entry_line(s + 1, c, h) for s, c, h in entries[at:]]
    yield "forged, rest renumbered", [*lines[:at], forged, *up, lines[-1]], [("inserted", n)]
    yield "renumbered from", [*lines[:at], *up, lines[-1]], [("edited", n)]
    yield "junk", [*lines[:at], b"junk\n", *lines[at:]], [("malformed", n)]
    yield "not a line", [*lines[:at], b" " + lines[at], *lines[n:]], [("malformed", n)]


@pytest.mark.parametrize("seed", range(4))
def test_each_mutation_is_named_exactly(tmp_path: Path, seed: int) -> None:
    entries = log(12, seed)
    for n in range(1, 11):
        for name, lines, expected in exact_mutations(n, entries):
            report = check(tmp_path, lines)
            assert verdicts(report) == expected, (name, n)
            assert report["ok"] is False
            assert len(report["why"]) == len(expected)


# --- the ends of the log, and rewriting ---

ENTRIES = log(10, 3)
LINES = lines_of(ENTRIES)
FOREIGN = log(10, 3, OTHER)


def renumbered(entries: list[Entry], first: int) -> Lines:
    return [export.entry_line(seq, text, own) for seq, (_, text, own) in enumerate(entries, first)]


CASES: dict[str, tuple[Lines, Verdicts]] = {
    "head cut": (LINES[3:], [("head_cut", 1)]),
    "head cut and renumbered": (
        [*renumbered(ENTRIES[3:], 1), LINES[-1]],
        [("edited", 1), ("foreign_origin", 1), ("head_cut", 1)],
    ),
    "head cut, renumbered and counted anew": (
        [*renumbered(ENTRIES[3:], 1), export.trailer_line(TENANT, 7, ENTRIES[-1][2])],
        [("edited", 1), ("foreign_origin", 1)],
    ),
    "dropped and renumbered": (
        [*LINES[:4], *renumbered(ENTRIES[5:], 5), LINES[-1]],
        [("edited", 5), ("missing", 5)],
    ),
    "tail cut, trailer kept": ([*LINES[:7], LINES[-1]], [("tail_cut", 8)]),
    "tail cut with the trailer": (LINES[:7], [("tail_cut", 8)]),
    "trailer cut": (LINES[:-1], [("tail_cut", 11)]),
    "all entries cut": ([LINES[-1]], [("tail_cut", 1)]),
    "nothing": ([], [("tail_cut", 1)]),
    "last content": (
        [*LINES[:9], export.entry_line(10, "{}", ENTRIES[9][2]), LINES[-1]],
        [("edited", 10)],
    ),
    "last hash": ([*LINES[:9], export.entry_line(*ENTRIES[9][:2], bytes(32)), LINES[-1]], [("edited", 10)]),
    "trailer's head": ([*LINES[:-1], export.trailer_line(TENANT, 10, bytes(32))], [("edited", 10)]),
    "trailer counts less": ([*LINES[:-1], export.trailer_line(TENANT, 9, ENTRIES[8][2])], [("inserted", 10)]),
    "trailer counts more": (
        [*LINES[:-1], export.trailer_line(TENANT, 12, ENTRIES[9][2])],
        [("tail_cut", 11)],
    ),
    "trailer names another tenant": (
        [*LINES[:-1], export.trailer_line(OTHER, 10, ENTRIES[9][2])],
        [("edited", 1), ("foreign_origin", 1)],
    ),
    "another tenant's log": (
        [*lines_of(FOREIGN, trailer=False), export.trailer_line(TENANT, 10, FOREIGN[-1][2])],
        [("edited", 1), ("foreign_origin", 1)],
    ),
    "another tenant's log from 6 on": (
        [*LINES[:5], *lines_of(FOREIGN, trailer=False)[5:], export.trailer_line(TENANT, 10, FOREIGN[-1][2])],
        [("edited", 6)],
    ),
    "a chain begun anew at 6": (
        [
            *LINES[:5],
            *lines_of(chained([e[1] for e in ENTRIES[5:]], chain.genesis(OTHER), 6), trailer=False),
            LINES[-1],
        ],
        [("edited", 6), ("edited", 10)],
    ),
    "rewritten from 6 on, trailer kept": (
        [*LINES[:5], *lines_of(chained(["{}"] * 5, ENTRIES[4][2], 6), trailer=False), LINES[-1]],
        [("edited", 10)],
    ),
    "block moved back": (
        [*LINES[:2], *LINES[5:8], *LINES[2:5], *LINES[8:]],
        [("reordered", n) for n in (3, 4, 5)],
    ),
    "turned round": (
        [*LINES[:2], *reversed(LINES[2:6]), *LINES[6:]],
        [("reordered", n) for n in (3, 4, 5)],
    ),
    "several missing": ([*LINES[:2], *LINES[5:]], [("missing", 3)]),
    "two edits": (
        [
            LINES[0],
            export.entry_line(2, "{}", ENTRIES[1][2]),
            *LINES[2:6],
            export.entry_line(7, '{"a":1.5}', ENTRIES[6][2]),
            *LINES[7:],
        ],
        [("edited", 2), ("not_canonical", 7), ("edited", 7)],
    ),
    "line after the trailer": ([*LINES, LINES[0]], [("malformed", 12), ("inserted", 11)]),
    "two trailers": ([*LINES, LINES[-1]], [("malformed", 12), ("inserted", 11)]),
}


@pytest.mark.parametrize("name", CASES)
def test_what_was_done_is_named(tmp_path: Path, name: str) -> None:
    lines, expected = CASES[name]
    report = check(tmp_path, lines)
    assert sorted(verdicts(report)) == sorted(expected)
    assert report["ok"] is False


def test_a_rewrite_of_everything_is_what_a_bare_chain_cannot_show(tmp_path: Path) -> None:
    rewritten = chained(["{}"] * 10, chain.genesis(TENANT))
    report = check(tmp_path, lines_of(rewritten))
    assert report["ok"] is True
    assert any("rewritten" in said for said in report["not_proven"])


# --- many mutations: nothing is missed ---


def any_mutation(rng: random.Random, lines: Lines) -> tuple[str, Lines]:
    at, other = rng.randrange(len(lines)), rng.randrange(len(lines))
    kind = rng.choice(["bit", "byte", "cut", "drop", "twice", "move", "swap", "insert"])
    made = list(lines)
    if kind == "bit":
        place = rng.randrange(len(lines[at]))
        made[at] = (
            lines[at][:place] + bytes([lines[at][place] ^ (1 << rng.randrange(8))]) + lines[at][place + 1 :]
        )
    elif kind == "byte":
        place = rng.randrange(len(lines[at]))
        made[at] = lines[at][:place] + lines[at][place + 1 :]
    elif kind == "cut":
        whole = b"".join(lines)
        made = whole[: rng.randrange(len(whole))].splitlines(keepends=True)
    elif kind == "drop":
        del made[at]
    elif kind == "twice":
        made.insert(other, lines[at])
    elif kind == "move":
        made.insert(other, made.pop(at))
    elif kind == "swap":
        made[at], made[other] = made[other], made[at]
    else:
        whole = b"".join(lines)
        place = rng.randrange(len(whole))
        made = [whole[:place] + bytes([rng.randrange(256)]) + whole[place:]]
    return kind, made


def test_no_mutation_is_missed(tmp_path: Path) -> None:
    rng = random.Random(20261123)
    tried = 0
    for count in (1, 2, 5, 20):
        for seed in range(5):
            lines = lines_of(log(count, seed))
            for _ in range(30):
                kind, made = any_mutation(rng, lines)
                if b"".join(made) == b"".join(lines):
                    continue
                report = check(tmp_path, made)
                assert report["ok"] is False, (kind, count, seed, made)
                assert all(v["kind"] in verify.WHAT_FITS for v in report["verdicts"])
                assert verify.as_text(report)
                tried += 1
    assert tried > 500


def test_a_flipped_bit_is_named_at_its_entry(tmp_path: Path) -> None:
    rng = random.Random(7)
    lines = lines_of(log(9, 7))
    for _ in range(150):
        at = rng.randrange(9)
        place = rng.randrange(len(lines[at]) - 1)
        changed = bytes([lines[at][place] ^ (1 << rng.randrange(7))])
        made = [*lines[:at], lines[at][:place] + changed + lines[at][place + 1 :], *lines[at + 1 :]]
        if changed == b"\n":
            continue
        found = verdicts(check(tmp_path, made))
        assert {n for _, n in found} == {at + 1} or found == [("inserted", at + 1)], (made[at], found)


# --- bad input ---

BAD: dict[str, tuple[Callable[[Lines], bytes], tuple[str, int], str]] = {
    "not UTF-8": (
        lambda ls: b"".join([*ls[:3], ls[3].replace(b"operator", b"\xff\xfe"), *ls[4:]]),
        ("malformed", 4),
        "utf-8",
    ),
    "CRLF": (lambda ls: b"".join(ls).replace(b"\n", b"\r\n"), ("malformed", 1), "CRLF"),
    "byte-order mark": (lambda ls: b"\xef\xbb\xbf" + b"".join(ls), ("malformed", 1), "byte-order mark"),
    "long line": (lambda ls: b"".join([*ls[:4], b"x" * (5 << 20) + b"\n", *ls[4:]]), ("malformed", 5), ""),
    "deep nesting": (lambda ls: b"[" * 500_000 + b"\n" + b"".join(ls), ("malformed", 1), ""),
    "no newline at the end": (lambda ls: b"".join(ls)[:-1], ("malformed", 11), ""),
    "empty lines": (lambda ls: b"\n" * 3000, ("malformed", 1), ""),
    "zeros": (lambda ls: bytes(3 << 20), ("malformed", 1), ""),
    "half a surrogate": (
        lambda ls: b"".join([ls[0].replace(b"operator", b"\\ud800"), *ls[1:]]),
        ("malformed", 1),
        "",
    ),
    "an empty file": (lambda ls: b"", ("tail_cut", 1), "no trailer"),
    "huge number": (lambda ls: b'{"seq":' + b"9" * 100_000 + ls[0][8:], ("malformed", 1), ""),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_gets_a_clear_verdict(tmp_path: Path, name: str) -> None:
    change, expected, said = BAD[name]
    report = check(tmp_path, change(LINES))
    assert report["ok"] is False
    assert verdicts(report)[0] == expected
    assert said in report["why"][0]
    assert len(report["verdicts"]) <= verify.FINDING_LIMIT


@pytest.mark.parametrize(
    "text", ['{"a":1,"a":1}', '{"a":9007199254740993}', '{"b":1,"a":1}', '{"a":0.5}', "[]"]
)
def test_content_that_is_not_canonical_is_named_where_the_chain_holds(tmp_path: Path, text: str) -> None:
    entries = chained(["{}", text, "{}"], chain.genesis(TENANT))
    assert verdicts(check(tmp_path, lines_of(entries))) == [("not_canonical", 2)]


def zipped(members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return out.getvalue()


def test_zips_that_cannot_be_read(tmp_path: Path) -> None:
    whole = zipped({"audit.jsonl": b"".join(LINES)})
    bad = {
        "cut": whole[: len(whole) // 2],
        "flipped": flip(whole, 200),
        "without a log": zipped({"other": b""}),
        "lzma": zipped({"audit.jsonl": b"".join(LINES)}, zipfile.ZIP_LZMA),
        "bomb": zipped({"audit.jsonl": bytes(50 << 20)}),
        "only the magic": b"PK",
    }
    for name, data in bad.items():
        (tmp_path / "x.zip").write_bytes(data)
        report = verify.verify(str(tmp_path / "x.zip"))
        assert report["verdicts"][0]["kind"] == "malformed", name
        assert not report["ok"]


def test_two_logs_in_one_zip_are_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr("audit.jsonl", b"".join(LINES))
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr("audit.jsonl", b"".join(LINES))
    assert not verify.verify(str(tmp_path / "x.zip"))["ok"]


def test_a_zip_damaged_anywhere_passes_only_with_the_same_log(tmp_path: Path) -> None:
    whole, rng = zipped({"audit.jsonl": b"".join(LINES)}), random.Random(5)
    for _ in range(200):
        (tmp_path / "x.zip").write_bytes(flip(whole, rng.randrange(len(whole))))
        report = verify.verify(str(tmp_path / "x.zip"))
        if report["ok"]:  # a field of the zip that does not touch the log
            assert report["head"] == ENTRIES[-1][2].hex()
            assert report["count"] == 10


# --- ranges ---


def test_a_range_is_checked_alone(tmp_path: Path) -> None:
    edited = [*LINES[:2], export.entry_line(3, "{}", ENTRIES[2][2]), *LINES[3:]]
    for first, last, expected in [
        (1, 2, [(INTACT, 10)]),
        (4, sys.maxsize, [(INTACT, 10)]),
        (4, 8, [(INTACT, 10)]),
        (3, 3, [("edited", 3)]),
        (2, 5, [("edited", 3)]),
        (4, 11, [("missing", 11)]),
        (11, sys.maxsize, [("missing", 11)]),
    ]:
        report = check(tmp_path, edited, first=first, last=last)
        assert verdicts(report) == expected, (first, last)
        assert report["not_proven"][0].startswith("entries outside")


# --- as a program ---


def run(*arguments: str, cwd: Path, stdin: bytes | None = None) -> tuple[int, str, str]:
    done = subprocess.run(
        [sys.executable, "-I", "-S", *arguments], cwd=cwd, input=stdin, capture_output=True, check=False
    )
    return done.returncode, done.stdout.decode(), done.stderr.decode()


@pytest.fixture
def exported(tmp_path: Path) -> Path:
    """An empty folder with an export and the verifier that came with it."""
    with (tmp_path / "export.zip").open("wb") as out:
        export.write_export(out, tenant_id=TENANT, entries=ENTRIES)
    with zipfile.ZipFile(tmp_path / "export.zip") as archive:
        archive.extract("verify.py", tmp_path)
        archive.extractall(tmp_path / "folder")
    return tmp_path


@pytest.mark.parametrize("form", ["export.zip", "folder", "folder/audit.jsonl", "-"])
def test_the_exported_verifier_runs_alone(exported: Path, form: str) -> None:
    stdin = b"".join(LINES) if form == "-" else None
    code, out, err = run("verify.py", form, "--json", "--allow-unanchored", cwd=exported, stdin=stdin)
    assert (code, err) == (0, "")
    report = json.loads(out)
    assert report["ok"]
    assert report["count"] == 10
    assert report["head"] == ENTRIES[-1][2].hex()
    code, out, err = run("verify.py", form, cwd=exported, stdin=stdin)
    assert (code, err) == (1, ""), "there is no checkpoint, and nobody said that none is wanted"
    assert "unanchored 1" in out
    code, out, err = run("verify.py", form, "--allow-unanchored", cwd=exported, stdin=stdin)
    assert (code, err) == (0, "")
    assert "INTACT" in out
    assert "Not proven" in out
    assert str(TENANT) in out


@pytest.mark.parametrize("form", ["folder", "-"])
def test_one_changed_byte_is_named_and_exits_1(exported: Path, form: str) -> None:
    file = exported / "folder" / "audit.jsonl"
    changed = file.read_bytes().replace(ENTRIES[6][1][-20:-5].encode(), b"x" * 15)
    file.write_bytes(changed)
    stdin = changed if form == "-" else None
    code, out, err = run("verify.py", form, "--json", "--allow-unanchored", cwd=exported, stdin=stdin)
    assert (code, err) == (1, "")
    assert json.loads(out)["verdicts"] == [{"kind": "edited", "seq": 7}]
    code, out, err = run("verify.py", form, cwd=exported, stdin=changed if form == "-" else None)
    assert (code, err) == (1, "")
    assert "INTACT" not in out
    assert re.search(r"^edited 7: ", out, re.MULTILINE)


def test_a_pipe_names_another_tenants_log_and_a_zip(exported: Path) -> None:
    lines, _ = CASES["another tenant's log"]
    code, out, err = run("verify.py", "-", "--json", cwd=exported, stdin=b"".join(lines))
    assert (code, err) == (1, "")
    assert {"kind": "foreign_origin", "seq": 1} in json.loads(out)["verdicts"]
    code, out, err = run("verify.py", "-", cwd=exported, stdin=(exported / "export.zip").read_bytes())
    assert (code, err) == (1, "")
    assert "a zip, which cannot come by a pipe" in out


@pytest.mark.parametrize(
    "arguments",
    [[], ["nowhere.zip"], ["folder", "--from", "3", "--to", "2"], ["folder", "--from", "0"], ["a", "--x"]],
)
def test_wrong_usage_exits_2(exported: Path, arguments: list[str]) -> None:
    code, out, err = run("verify.py", *arguments, cwd=exported)
    assert (code, out) == (2, "")
    assert "usage" in err
    assert "Traceback" not in err


def test_a_folder_without_a_log_is_named(exported: Path) -> None:
    (exported / "empty").mkdir()
    code, out, err = run("verify.py", "empty", cwd=exported)
    assert (code, err) == (1, "")
    assert "cannot be read" in out


def test_progress_goes_to_a_terminal_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "audit.jsonl"
    file.write_bytes(b"".join(lines_of(chained(["{}"] * 20_001, chain.genesis(TENANT)))))
    assert verify.main([str(file), "--allow-unanchored"]) == 0
    assert capsys.readouterr().err == ""
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    assert verify.main([str(file), "--json", "--allow-unanchored"]) == 0
    assert "20,000 entries, " in capsys.readouterr().err


def test_it_is_one_file_of_the_standard_library_for_python_3_9() -> None:
    tree = ast.parse(export.verifier_source(), feature_version=(3, 9))
    imported = {
        (node.module or "") if isinstance(node, ast.ImportFrom) else name.name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in node.names
    }
    assert {name.partition(".")[0] for name in imported} <= sys.stdlib_module_names
