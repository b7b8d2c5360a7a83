"""Every way to falsify an exported log, at random: each must be refused, with an explanation that fits.

    python -m tests.services.audit.mutations --count 100000
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from tests.services.audit.worlds import OTHER, Log, chained, known, verdicts, verified
from workreef_app.services.audit import export, notes, verify

Fits = set[tuple[str, int | None]]


@dataclass(frozen=True)
class Mutation:
    """A falsified export, and what explains it: kinds with the entry that they name, or with any."""

    name: str
    lines: list[bytes]
    checkpoints: list[str]
    keys: list[verify.Key]
    fits: Fits
    kept: tuple[verify.Note, ...] = ()
    trusted: tuple[verify.Key, ...] = ()
    raw: dict[str, bytes] = field(default_factory=dict)


def _flipped(rng: random.Random, text: bytes) -> bytes:
    at = rng.randrange(len(text))
    return text[:at] + bytes([text[at] ^ 1 << rng.randrange(8)]) + text[at + 1 :]


def _since(log: Log, n: int) -> int:
    """The last checkpoint that does not cover entry n."""
    return max((size for size in log.sizes if size < n), default=0)


def _broken(n: int) -> Fits:
    """What a line that is no longer what it was may look like."""
    return {(kind, n) for kind in ("edited", "malformed", "not_canonical", "missing", "inserted", "tail_cut")} | {
        ("foreign_origin", 1), ("head_cut", 1)
    }


def flip_a_bit(rng: random.Random, log: Log) -> Mutation:
    n, lines = rng.randrange(len(log.lines)), list(log.lines)
    lines[n] = _flipped(rng, lines[n])
    fits = _broken(n + 1)
    if n == len(log.entries):  # the trailer: another head, another tenant, a smaller count
        fits |= {("edited", n), ("edited", 1), ("foreign_origin", None), ("inserted", None)}
    return Mutation("flip a bit", lines, log.checkpoints, [log.key], fits)


def flip_a_byte_of_a_checkpoint(rng: random.Random, log: Log) -> Mutation:
    made = "\n".join(log.checkpoints).encode()
    fits: Fits = {(kind, None) for kind in ("bad_signature", "malformed", "rewritten", "tail_cut", "foreign_origin")}
    return Mutation("flip a byte of a checkpoint", log.lines, [], [log.key], fits,
                    raw={"checkpoints.txt": _flipped(rng, made)})  # fmt: skip


def flip_a_byte_of_a_key(rng: random.Random, log: Log) -> Mutation:
    made = notes.keys_json([log.key]).encode().rstrip()
    fits: Fits = {("malformed", None), ("bad_signature", None)}
    raw = {"keys.json": _flipped(rng, made)}
    return Mutation("flip a byte of a key", log.lines, log.checkpoints, [], fits, raw=raw)


def drop(rng: random.Random, log: Log) -> Mutation:
    n = rng.randrange(1, len(log.entries) + 1)
    lines = [*log.lines[: n - 1], *log.lines[n:]]
    return Mutation("drop", lines, log.checkpoints, [log.key], {("missing", n), ("head_cut", n), ("tail_cut", n)})


def drop_and_renumber(rng: random.Random, log: Log) -> Mutation:
    n = rng.randrange(1, len(log.entries) + 1)
    left = [*log.entries[: n - 1], *log.entries[n:]]
    lines = [export.entry_line(seq, content, own) for seq, (_, content, own) in enumerate(left, 1)]
    head = left[-1][2] if left else verify.genesis(str(log.tenant))
    lines.append(export.trailer_line(log.tenant, len(left), head))
    fits: Fits = {("edited", n), ("missing", n), ("head_cut", n), ("tail_cut", n)}
    return Mutation("drop and renumber", lines, log.checkpoints, [log.key], fits)


def duplicate(rng: random.Random, log: Log) -> Mutation:
    n = rng.randrange(1, len(log.entries) + 1)
    lines = [*log.lines[:n], log.lines[n - 1], *log.lines[n:]]
    return Mutation("duplicate", lines, log.checkpoints, [log.key], {("inserted", n)})


def swap(rng: random.Random, log: Log) -> Mutation:
    a, b = sorted(rng.sample(range(len(log.entries)), 2))
    lines = list(log.lines)
    lines[a], lines[b] = lines[b], lines[a]
    fits: Fits = {(kind, n + 1) for kind in ("reordered", "inserted", "edited") for n in (a, b)}
    return Mutation("swap", lines, log.checkpoints, [log.key], fits)


def cut_the_tail(rng: random.Random, log: Log) -> Mutation:
    left = log.cut(rng.randrange(0, len(log.entries)))
    return Mutation("cut the tail", left.lines, log.checkpoints, [log.key], {("tail_cut", len(left.entries) + 1)})


def cut_the_head(rng: random.Random, log: Log) -> Mutation:
    n = rng.randrange(1, len(log.entries))
    return Mutation("cut the head", log.lines[n:], log.checkpoints, [log.key], {("head_cut", 1)})


def roll_back(rng: random.Random, log: Log) -> Mutation:
    size = rng.choice(log.sizes[:-1])
    older = log.cut(size)
    kept = known(log.checkpoints[-1])
    return Mutation("roll back", older.lines, older.checkpoints, [log.key], {("rolled_back", size + 1)}, kept)


def fork(rng: random.Random, log: Log) -> Mutation:
    """The keeper of the signing key shows somebody else another log."""
    theirs = _rewritten(rng, log, rng.randrange(1, log.sizes[0] + 1))
    kept = known(rng.choice(log.checkpoints))
    return Mutation("fork", theirs.lines, theirs.checkpoints, [log.key], {("forked", kept[0].size)}, kept)


def splice(rng: random.Random, log: Log) -> Mutation:
    n = rng.randrange(1, len(log.entries))
    theirs = Log.of(len(log.entries), seed=rng.randrange(1000), tenant=OTHER)
    fits: Fits = {("foreign_origin", 1), ("edited", 1), ("edited", n), ("edited", n + 1)}
    return Mutation("splice", [*theirs.lines[:n], *log.lines[n:]], log.checkpoints, [log.key], fits)


def _rewritten(rng: random.Random, log: Log, n: int) -> Log:
    said = [content for _, content, _ in log.entries]
    said[n - 1] = f'{{"changed":{rng.randrange(1000)}}}'
    return replace(log, entries=chained(said, log.tenant))


def chain_anew(rng: random.Random, log: Log) -> Mutation:
    n = rng.randrange(1, len(log.entries) + 1)
    theirs = _rewritten(rng, log, n)
    return Mutation("chain anew", theirs.lines, log.checkpoints, [log.key], {("rewritten", _since(log, n) + 1)})


def sign_anew(rng: random.Random, log: Log) -> Mutation:
    """With a key of one's own, whether it is published beside or not; the reader has the true one."""
    theirs = replace(_rewritten(rng, log, rng.randrange(1, len(log.entries) + 1)), seed=rng.randrange(2, 99))
    published, trusted = rng.choice([([log.key], ()), ([theirs.key], (log.key,))])
    fits: Fits = {("bad_signature", size) for size in log.sizes}
    return Mutation("sign anew", theirs.lines, theirs.checkpoints, published, fits, trusted=trusted)


KINDS: tuple[Callable[[random.Random, Log], Mutation], ...] = (
    flip_a_bit, flip_a_bit, flip_a_bit, flip_a_byte_of_a_checkpoint, flip_a_byte_of_a_key, drop, drop_and_renumber,
    duplicate, swap, cut_the_tail, cut_the_head, roll_back, fork, splice, chain_anew, sign_anew,
)


def mutations(seed: int, count: int) -> Iterator[tuple[Log, Mutation]]:
    """Falsified logs of many sizes; the same ones for the same seed."""
    rng = random.Random(seed)
    log = Log.of(2, 1, 2)
    for number in range(count):
        if number % 20 == 0:
            size = rng.choice([2, 3, 5, 8, 17, 40, 300])
            middle = rng.randrange(1, size)
            log = Log.of(size, middle, size, seed=rng.randrange(10**6))
        yield log, rng.choice(KINDS)(rng, log)


def missed(folder: Path, mutation: Mutation) -> str:
    """What is wrong with the verdict on a falsified log, or ""."""
    report = verified(folder, mutation.lines, mutation.checkpoints, mutation.keys, every=True, known=mutation.kept,
                      keys=mutation.trusted, raw=mutation.raw)  # fmt: skip
    told = verdicts(report)
    if report["ok"]:
        return "it passed"
    if mutation.fits & ({*told} | {(kind, None) for kind, _ in told}):
        return ""
    return f"told {told[:6]}, which is none of {sorted(mutation.fits, key=str)}"


def run(seed: int, count: int) -> tuple[Counter[str], list[str]]:
    """How many of each kind were tried, and what was missed."""
    tried, faults = Counter[str](), list[str]()
    with tempfile.TemporaryDirectory(prefix="workreef-mutations-") as folder:
        for number, (log, mutation) in enumerate(mutations(seed, count)):
            tried[mutation.name] += 1
            if fault := missed(Path(folder), mutation):
                faults.append(f"{mutation.name} ({seed}/{number}, {len(log.entries)} entries): {fault}")
    return tried, faults


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    began = time.monotonic()
    tried, faults = run(given.seed, given.count)
    for name, count in sorted(tried.items()):
        print(f"{count:9,} {name}")
    print(f"{tried.total():9,} falsified logs, {len(faults)} missed, {time.monotonic() - began:.0f} s")
    print("\n".join(faults[:20]))
    raise SystemExit(1 if faults else 0)


if __name__ == "__main__":
    main()
