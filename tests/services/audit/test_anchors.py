"""What a bare chain cannot show, checkpoints do: each attack has its verdict, and nothing sound is accused."""

from __future__ import annotations

import base64
import io
import json
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.services.audit.worlds import (
    OTHER,
    TENANT,
    Log,
    chained,
    contents,
    known,
    of_log,
    signing_key,
    verdicts,
    verified,
    zipped,
)
from workreef_app.services.audit import export, merkle, notes, verify

LOG = Log.of(12, 4, 9, 12)


# --- signatures, trees and notes, against others' work -----------------------------------------------------------


@pytest.mark.parametrize(("private", "public", "message", "signature"), [
    (  # RFC 8032 section 7.1, tests 1 to 3
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595b"
        "be24655141438e7a100b",
    ),
    (
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb430"
        "2aeeb00d291612bb0c00",
    ),
    (
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716e"
        "d28dc027beceea1ec40a",
    ),
])
def test_the_published_signatures_hold(private: str, public: str, message: str, signature: str) -> None:
    key, said, signed = bytes.fromhex(public), bytes.fromhex(message), bytes.fromhex(signature)
    assert verify.ed25519(key, said, signed)
    assert not verify.ed25519(key, said + b"\0", signed)
    for at in range(0, 64, 7):
        assert not verify.ed25519(key, said, signed[:at] + bytes([signed[at] ^ 1]) + signed[at + 1 :])
    for broken in (signed[:63], signed + b"\0", b"", bytes(64), signed[:32] + b"\xff" * 32):
        assert not verify.ed25519(key, said, broken)
    assert not verify.ed25519(b"\xff" * 32, said, signed)


@settings(max_examples=20, deadline=None)
@given(st.binary(min_size=32, max_size=32), st.binary(max_size=200))
def test_signatures_of_the_library_hold_here(seed: bytes, message: bytes) -> None:
    private = signing_key(int.from_bytes(seed, "big"))
    assert verify.ed25519(notes.public_of(private), message, private.sign(message))


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
def test_a_checkpoint_verifies_with_openssl(tmp_path: Path) -> None:
    note = verify.parse_note(LOG.note(9))
    prefix = bytes.fromhex("302a300506032b6570032100")  # SubjectPublicKeyInfo of Ed25519, RFC 8410
    (tmp_path / "key.der").write_bytes(prefix + LOG.key.public)
    (tmp_path / "note").write_bytes(note.text)
    (tmp_path / "signature").write_bytes(note.signatures[0][1][4:])
    done = subprocess.run(
        ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", "key.der", "-keyform", "DER", "-rawin", "-in", "note",
         "-sigfile", "signature"], cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


#: The tree over these leaves, and its roots at every size: the test vectors of Certificate Transparency's own library.
LEAVES = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def test_the_published_roots_are_made() -> None:
    tree = verify.Tree()
    assert tree.root().hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    for leaf, root in zip(LEAVES, ROOTS, strict=True):
        tree.add(bytes.fromhex(leaf))
        assert tree.root().hex() == root


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 600), st.data())
def test_proofs_of_kept_nodes_lead_to_the_root(size: int, data: st.DataObject) -> None:
    log = Log(chained([f"{n}" for n in range(size)]))
    tree, tiles = verify.Tree(), log.tiles(size)
    for _, content, _ in log.entries:
        tree.add(content.encode())
    index = data.draw(st.integers(0, size - 1))
    content, proof = log.entries[index][1].encode(), tiles.inclusion(index)
    assert tiles.root() == tree.root() == verify.inclusion_root(index, size, content, proof)
    assert verify.inclusion_root(index, size, content + b"!", proof) != tree.root()
    for wrong in (proof[:-1], [*proof, bytes(32)]):
        if wrong != proof:
            with pytest.raises(ValueError):
                verify.inclusion_root(index, size, content, wrong)
    first = data.draw(st.integers(0, index))
    part = verify.Tree(first)
    for _, each, _ in log.entries[first : index + 1]:
        part.add(each.encode())
    whole = part.completed(tiles.before(first))
    assert whole.root(size, tiles.after(index + 1)) == tree.root()


def test_nodes_are_kept_the_same_however_the_tree_grew() -> None:
    leaves = [verify.leaf(b"%d" % n) for n in range(70_000)]

    def grown(*sizes: int) -> dict[tuple[int, int], bytes]:
        kept: dict[tuple[int, int], bytes] = {}

        def read(level: int, first: int, count: int) -> list[bytes]:
            return leaves[first : first + count] if level == 0 else [kept[level, first + n] for n in range(count)]

        for start, end in zip((0, *sizes), sizes, strict=False):
            for level, number, made in merkle.completed(start, end, read):
                assert (level, number) not in kept
                kept[level, number] = made
        return kept

    assert grown(70_000) == grown(1, 255, 256, 700, 65_535, 65_536, 70_000)
    assert {level for level, _ in grown(70_000)} == {8, 16}


@pytest.mark.parametrize("spoil", [
    lambda note: note.replace("\n\n", "\n"), lambda note: note.replace("chain ", "chain: "), lambda note: "",
    lambda note: note.replace("\n9\n", "\n09\n"), lambda note: note.replace("\n9\n", "\n-9\n"),
    lambda note: note.replace("— ", "- "), lambda note: note.rpartition(" ")[0], lambda note: note[:-9] + "!\n",
    lambda note: note.replace("\n9\n", "\n9\r\n"), lambda note: note.split("\n\n")[0] + "\n",
    lambda note: "\n" + note, lambda note: "x" * 20_000,
])
def test_what_is_no_checkpoint_is_refused(spoil: Any) -> None:
    with pytest.raises(ValueError):
        verify.parse_note(spoil(LOG.note(9)))


def test_signatures_of_others_neither_help_nor_harm(tmp_path: Path) -> None:
    theirs = replace(LOG, seed=7)
    both = LOG.note(12) + theirs.note(12).rpartition("\n\n")[2]
    report = verified(tmp_path, LOG.lines, [both], [LOG.key])
    assert verdicts(report) == [("intact", 12)]
    report = verified(tmp_path, LOG.lines, [both], [replace(LOG, seed=8).key])
    assert verdicts(report) == [("bad_signature", 12)]


# --- sound logs -----------------------------------------------------------------------------------------------------


def test_an_anchored_log_is_proven_to_its_end(tmp_path: Path) -> None:
    report = of_log(tmp_path, LOG)
    assert report["ok"], report
    assert (report["anchored"], report["checkpoints"], verdicts(report)) == (12, 3, [("intact", 12)])
    assert report["keys"] == [f"workreef/{TENANT}+{LOG.key.id.hex()}"]
    report = of_log(tmp_path, LOG, known=known(LOG.note(4), LOG.note(7)), keys=(LOG.key,), every=True)
    assert report["ok"], report
    assert report["not_proven"] == [verify.NEVER_WRITTEN]


def test_a_log_that_goes_on_after_its_last_checkpoint_needs_to_be_allowed(tmp_path: Path) -> None:
    log = Log.of(12, 4, 9)
    assert verdicts(of_log(tmp_path, log)) == [("unanchored", 10)]
    report = of_log(tmp_path, log, allow_unanchored=True)
    assert (report["ok"], report["anchored"]) == (True, 9)
    assert any("from 10 on" in said for said in report["not_proven"])


def test_a_zip_a_folder_and_a_pipe_are_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert verify.verify(str(zipped(tmp_path / "export.zip", LOG)))["anchored"] == 12
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"".join(LOG.lines))))
    report = verify.verify("-", known=known(LOG.note(12)), keys=(LOG.key,))
    assert (report["ok"], report["anchored"]) == (True, 12)


def test_a_key_that_was_replaced_still_verifies_what_it_signed(tmp_path: Path) -> None:
    newer = replace(LOG, seed=2)
    report = verified(tmp_path, LOG.lines, [LOG.note(4), newer.note(12)], [newer.key, LOG.key], every=True)
    assert (report["ok"], report["anchored"]) == (True, 12)


# --- attacks --------------------------------------------------------------------------------------------------------


def rewritten(log: Log, at: int) -> Log:
    """Entry `at` changed, and every hash after it made anew."""
    said = [content for _, content, _ in log.entries]
    said[at - 1] = '{"changed":1}'
    return replace(log, entries=chained(said, log.tenant))


@pytest.mark.parametrize(("at", "since"), [(1, 0), (4, 0), (5, 4), (9, 4), (10, 9), (12, 9)])
def test_a_rewritten_log_is_told_from_which_checkpoint_on(tmp_path: Path, at: int, since: int) -> None:
    report = verified(tmp_path, rewritten(LOG, at).lines, LOG.checkpoints, [LOG.key])
    assert verdicts(report) == [("rewritten", since + 1)]
    assert f"since checkpoint {since};" in report["why"][0]
    assert not report["ok"]


def test_a_cut_tail_is_told_by_the_checkpoint_that_covers_it(tmp_path: Path) -> None:
    report = verified(tmp_path, LOG.cut(10).lines, LOG.checkpoints, [LOG.key])
    assert verdicts(report) == [("tail_cut", 11)]
    assert "since checkpoint 12" in report["why"][0]


def test_an_older_copy_is_told_by_a_checkpoint_that_was_kept(tmp_path: Path) -> None:
    older = LOG.cut(9)
    assert of_log(tmp_path, older)["ok"], "nothing in it tells"
    report = of_log(tmp_path, older, known=known(LOG.note(12)), keys=(LOG.key,))
    assert verdicts(report) == [("rolled_back", 10)]


def test_two_histories_that_were_both_signed_are_told(tmp_path: Path) -> None:
    """The log's keeper, signing key and all, shows two auditors two logs."""
    mine, theirs = LOG, rewritten(LOG, 6)
    report = of_log(tmp_path, theirs, known=known(mine.note(9)), keys=(LOG.key,))
    assert verdicts(report) == [("forked", 9)]
    assert of_log(tmp_path, theirs, known=known(mine.note(4)), keys=(LOG.key,))["ok"], "they part after it"


def test_a_rewrite_signed_with_another_key_is_told(tmp_path: Path) -> None:
    theirs = replace(rewritten(LOG, 6), seed=99)
    report = verified(tmp_path, theirs.lines, theirs.checkpoints, [LOG.key])
    assert verdicts(report)[0] == ("bad_signature", 12)
    report = verified(tmp_path, theirs.lines, theirs.checkpoints, [theirs.key], keys=(LOG.key,))
    assert verdicts(report)[0] == ("bad_signature", 12)
    assert report["anchored"] == 0
    report = verified(tmp_path, theirs.lines, theirs.checkpoints, [theirs.key])
    assert report["ok"], "with keys of its own choice a file proves itself"
    assert verify.OWN_KEYS in report["not_proven"]


def test_another_tenants_checkpoint_is_foreign(tmp_path: Path) -> None:
    foreign = Log.of(12, 12, tenant=OTHER)
    report = verified(tmp_path, LOG.lines, foreign.checkpoints, [LOG.key, foreign.key])
    assert ("foreign_origin", 12) in verdicts(report)
    report = of_log(tmp_path, LOG, known=known(foreign.note(12)))
    assert ("foreign_origin", 12) in verdicts(report)


def test_another_tenants_prefix_is_told(tmp_path: Path) -> None:
    spliced = [*Log.of(12, tenant=OTHER).lines[:6], *LOG.lines[6:]]
    report = verified(tmp_path, spliced, LOG.checkpoints, [LOG.key])
    assert not report["ok"]
    assert ("foreign_origin", 1) in verdicts(report)


@pytest.mark.parametrize(("checkpoints", "seq"), [
    ("junk\n", 0), (LOG.note(9) + "\n" + LOG.note(4), 0), (LOG.note(4) + "\n" + LOG.note(4), 0), ("\xff\xfe", 0),
    ("x" * 100_000, 0),
])
def test_spoilt_checkpoints_are_a_verdict(tmp_path: Path, checkpoints: str, seq: int) -> None:
    report = verified(tmp_path, LOG.lines, [checkpoints], [LOG.key])
    assert ("malformed", seq) in verdicts(report)
    assert "checkpoints.txt" in " ".join(report["why"])


@pytest.mark.parametrize("keys", ["no json", "{}", "[1]", '[{"name":"a"}]', "[" * 100_000, '[{"name":1}]'])
def test_spoilt_keys_are_a_verdict(tmp_path: Path, keys: str) -> None:
    of_log(tmp_path, LOG)
    (tmp_path / "keys.json").write_text(keys)
    report = verify.verify(str(tmp_path))
    assert not report["ok"]
    assert report["verdicts"][0]["kind"] in {"malformed", "bad_signature"}


def test_an_unknown_key_is_a_bad_signature(tmp_path: Path) -> None:
    report = verified(tmp_path, LOG.lines, LOG.checkpoints, [replace(LOG, seed=5).key])
    assert verdicts(report)[0] == ("bad_signature", 12)
    assert report["anchored"] == 0


# --- ranges and receipts ----------------------------------------------------------------------------------------


def ranged(path: Path, log: Log, first: int, last: int, **change: Any) -> Path:
    size = len(log.entries)
    tiles, before = log.tiles(size), log.entries[first - 2][2] if first > 1 else verify.genesis(str(TENANT))
    part = export.Part(first, before, tiles.before(first - 1), tiles.after(last))
    with path.open("wb") as out:
        export.write_export(
            out, tenant_id=log.tenant, entries=change.get("entries", log.entries[first - 1 : last]),
            checkpoints=[log.note(size)], keys=[log.key], part=change.get("part", part),
        )
    return path


@pytest.mark.parametrize(("first", "last"), [(1, 1), (1, 7), (2, 2), (2, 12), (5, 8), (7, 11), (12, 12), (8, 9)])
def test_a_range_is_proven_by_the_proof_in_its_trailer(tmp_path: Path, first: int, last: int) -> None:
    path = ranged(tmp_path / "x.zip", LOG, first, last)
    report = verify.verify(str(path), known=known(LOG.note(12)), keys=(LOG.key,))
    assert report["ok"], report
    assert (report["count"], report["anchored"]) == (last - first + 1, last)
    changed = chained([*contents(12)[: first - 1], '{"x":1}', *contents(12)[first:]])
    report = verify.verify(str(ranged(tmp_path / "y.zip", LOG, first, last, entries=changed[first - 1 : last])))
    assert verdicts(report) == [("rewritten", 1)]


def test_a_range_is_asked_of_a_whole_export(tmp_path: Path) -> None:
    path = str(zipped(tmp_path / "x.zip", LOG))
    report = verify.verify(path, first=3, last=7)
    assert (report["ok"], report["anchored"]) == (True, 12)
    assert "entries outside of 3 to 7" in report["not_proven"]


def receipt(log: Log, seq: int, size: int) -> dict[str, Any]:
    return {
        "seq": seq, "tenant": str(log.tenant), "content": log.entries[seq - 1][1], "checkpoint": log.note(size),
        "proof": [each.hex() for each in log.tiles(size).inclusion(seq - 1)],
        "keys": json.loads(notes.keys_json([log.key])),
    }


@pytest.mark.parametrize("seq", [1, 2, 5, 9])
def test_a_receipt_is_checked_alone(tmp_path: Path, seq: int, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "receipt.json"
    file.write_text(json.dumps(receipt(LOG, seq, 9)))
    assert verify.main(["receipt", str(file), "--key", notes.verifier_key(LOG.key)]) == 0
    assert "INTACT" in capsys.readouterr().out


@pytest.mark.parametrize(("change", "kind"), [
    ({"content": '{"forged":1}'}, "edited"), ({"seq": 4}, "edited"), ({"content": '{ "a":1}'}, "not_canonical"),
    ({"proof": []}, "malformed"), ({"proof": ["zz"]}, "malformed"), ({"seq": "3"}, "malformed"),
    ({"tenant": str(OTHER)}, "foreign_origin"), ({"keys": []}, "bad_signature"), ({"seq": 99}, "malformed"),
    ({"checkpoint": LOG.note(9).replace("\n9\n", "\n8\n")}, "malformed"), ({"keys": "x"}, "malformed"),
    ({"checkpoint": None}, "malformed"), ({"content": None}, "malformed"),
])
def test_a_changed_receipt_is_refused(change: dict[str, Any], kind: str) -> None:
    report = verify.verify_receipt(json.dumps({**receipt(LOG, 3, 9), **change}))
    assert not report["ok"]
    assert verdicts(report)[0][0] == kind


@pytest.mark.parametrize("raw", ["", "[]", "null", "{}", "[" * 100_000, "\x00"])
def test_what_is_no_receipt_is_a_verdict(raw: str) -> None:
    assert verdicts(verify.verify_receipt(raw))[0][0] == "malformed"


def test_a_key_is_given_as_a_file_or_as_text(tmp_path: Path) -> None:
    assert verify.parse_keys(notes.verifier_key(LOG.key)) == verify.parse_keys(notes.keys_json([LOG.key])) == [LOG.key]
    for wrong in ("", "a+b", f"x+{LOG.key.id.hex()}+{base64.b64encode(b'x' + LOG.key.public).decode()}"):
        with pytest.raises(ValueError):
            verify.parse_keys(wrong)
    of_log(tmp_path, LOG)
    (tmp_path / "spoilt").write_text("nothing")
    for arguments in (["--key", "a+b"], ["--key", "nowhere"], ["--known", str(tmp_path / "spoilt")]):
        with pytest.raises(SystemExit) as ended:
            verify.main([str(tmp_path), *arguments])
        assert ended.value.code == 2
