"""How fast the verifier is: `python -m benchmarks.verify [--entries 200000] [--json]`.

Checks an unpacked `audit.jsonl` as a customer does (line form, canonical form, chain, tree, trailer); the chain alone,
entries that are in memory already; and in the same run hashes the same contents in a bare loop, the least that any
check of the chain costs. Medians of five. `--entries 10000000` shows that the cost of an entry does not grow.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from uuid import UUID

from workreef_app.services.audit import chain, export, verify
from workreef_app.services.audit.canonical import canonical

TENANT = UUID("01900000-0000-7000-8000-00000000000a")
ROUNDS = 5


def contents(count: int) -> Iterator[str]:
    """Contents as the product writes them: several events, ids that differ, some with numbers in their detail."""
    rng = random.Random(20261123)

    def some_id() -> str:
        return str(UUID(int=rng.getrandbits(128)))

    for number in range(count):
        event, detail = rng.choice(
            [
                ("proposal.decided", {"decision": "accept", "panel": False, "proposal": some_id()}),
                ("data.read", {"rows": rng.randrange(100_000), "what": "observation"}),
                ("scope.denied", {"operation": "tasks.show", "wanted": some_id()}),
                ("import.advanced", {"lines": rng.randrange(10**9), "observations": number, "skipped": 0}),
            ]
        )
        yield canonical(
            {
                "actor": f"person:{some_id()}",
                "at": f"2026-11-23T09:14:07.{number % 1_000_000:06d}Z",
                "department": some_id() if number % 3 else None,
                "detail": detail,
                "event": event,
                "persona": "operator",
                "request": some_id(),
                "target": f"proposal:{some_id()}",
            }
        )


#: Entries of which contents are kept in memory, for the measures of the chain alone.
HELD = 200_000


def write_log(path: Path, count: int) -> list[tuple[int, bytes, bytes]]:
    """An intact log of `count` entries; the first of them are returned: number, content as it is hashed, hash."""
    held, last = list[tuple[int, bytes, bytes]](), chain.genesis(TENANT)
    with path.open("wb") as log:
        for seq, content in enumerate(contents(count), 1):
            last = chain.link(content, last)
            log.write(export.entry_line(seq, content, last))
            if seq <= HELD:
                held.append((seq, content.encode(), last))
        log.write(export.trailer_line(TENANT, count, last))
    return held


def seconds(work: Callable[[], None]) -> float:
    """The time that one run takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def measure(entries: int) -> dict[str, float]:
    """Entries a second of the verifier and of the bare loop, and their ratio."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "audit.jsonl"
        held = write_log(path, entries)

        def check() -> None:
            if not verify.verify(str(path), allow_unanchored=True)["ok"]:
                raise RuntimeError("the verifier refuses an intact log")

        def chain_alone() -> None:
            check = verify.Check(chain.genesis(TENANT))
            check.anchors.tree = None
            for seq, content, own in held:
                check.entry(seq, content, own, "")
            if check.findings:
                raise RuntimeError("the verifier refuses an intact chain")

        def bare() -> None:
            last = chain.genesis(TENANT)
            for _, content, _ in held:
                last = sha256(content + last).digest()

        rounds = [(seconds(check), seconds(chain_alone), seconds(bare)) for _ in range(ROUNDS)]
    checked, alone, hashed_only = (statistics.median(times) for times in zip(*rounds, strict=True))
    hashed_only *= entries / len(held)
    return {
        "entries": entries,
        "entries_per_second": round(entries / checked),
        "chain_alone_per_second": round(len(held) / alone),
        "bare_chain_per_second": round(entries / hashed_only),
        "ratio_to_bare_chain": round(hashed_only / checked, 3),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure the speed of the audit verifier.")
    parser.add_argument("--entries", type=int, default=200_000)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    found = measure(given.entries)
    if given.json:
        print(json.dumps(found))
    else:
        print(
            f"verify.py: {found['entries_per_second']:,} entries a second with canonical form and tree,"
            f" {found['chain_alone_per_second']:,} the chain alone"
            f" (bare sha256 chain: {found['bare_chain_per_second']:,}; ratio {found['ratio_to_bare_chain']})"
        )


if __name__ == "__main__":
    main()
