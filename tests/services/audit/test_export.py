"""The export: what is in the zip, byte for byte."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

from workreef_app.services.audit import chain, export, verify
from workreef_app.services.audit.canonical import canonical

TENANT = UUID("01900000-0000-7000-8000-00000000000a")


def entries(count: int) -> Iterator[tuple[int, str, bytes]]:
    last = chain.genesis(TENANT)
    for seq in range(1, count + 1):
        content = canonical({"actor": 'cli:é"x\\', "n": seq})
        last = chain.link(content, last)
        yield seq, content, last


class Pipe(io.RawIOBase):
    """Something that can be written to and nothing else."""

    def __init__(self) -> None:
        self.written = bytearray()

    def writable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return False

    def write(self, data: bytes) -> int:  # type: ignore[override]
        self.written += data
        return len(data)


def test_the_contract() -> None:
    out = io.BytesIO()
    summary = export.write_export(out, tenant_id=TENANT, entries=entries(3))
    with zipfile.ZipFile(out) as archive:
        assert sorted(archive.namelist()) == [
            "README.txt",
            "audit.jsonl",
            "checkpoints.txt",
            "keys.json",
            "verify.py",
        ]
        assert archive.testzip() is None
        assert archive.read("checkpoints.txt") == b""
        assert json.loads(archive.read("keys.json")) == []
        assert archive.read("verify.py") == Path(verify.__file__).read_bytes()
        assert b"python verify.py" in archive.read("README.txt")
        *lines, trailer = archive.read("audit.jsonl").splitlines()
    assert [list(json.loads(line)) for line in lines] == [["seq", "content", "chain_hash"]] * 3
    assert [
        (found["seq"], found["content"], bytes.fromhex(found["chain_hash"]))
        for found in map(json.loads, lines)
    ] == list(entries(3))
    head = list(entries(3))[-1][2]
    assert json.loads(trailer) == {"trailer": {"tenant": str(TENANT), "count": 3, "head": head.hex()}}
    assert summary == export.ExportSummary(3, head)


def test_an_empty_log_ends_at_the_tenants_first_hash() -> None:
    summary = export.write_export(io.BytesIO(), tenant_id=TENANT, entries=[])
    assert summary == export.ExportSummary(0, chain.genesis(TENANT))


def test_it_streams_to_what_cannot_seek_and_verifies(tmp_path: Path) -> None:
    pipe = Pipe()
    export.write_export(pipe, tenant_id=TENANT, entries=entries(2000), readme="Ours.")  # type: ignore[arg-type]
    (tmp_path / "export.zip").write_bytes(pipe.written)
    report = verify.verify(str(tmp_path / "export.zip"), allow_unanchored=True)
    assert report["ok"]
    assert report["count"] == 2000
    with zipfile.ZipFile(tmp_path / "export.zip") as archive:
        assert archive.read("README.txt") == b"Ours."


def test_the_readme_says_what_is_not_proven() -> None:
    assert "What is not proven" in export.README
    assert "never" in export.README
