"""The hash chain: known answers, and the walk that the audit page makes."""

from __future__ import annotations

import hashlib
from uuid import UUID

from workreef_app.services.audit import chain, verify

TENANT = UUID("01900000-0000-7000-8000-00000000000A")


def log(count: int) -> list[tuple[int, str, bytes]]:
    entries, last = [], chain.genesis(TENANT)
    for seq in range(1, count + 1):
        content = f'{{"event":"data.read","n":{seq}}}'
        last = chain.link(content, last)
        entries.append((seq, content, last))
    return entries


def test_known_answers() -> None:
    # printf 'workreef/audit/v1/01900000-0000-7000-8000-00000000000a' | sha256sum
    first = "72fd03c98eb67d5ec8ec74924d1e3ed21dc4b5221d70a27f2a626e0095cf6532"
    assert chain.genesis(TENANT).hex() == first
    # (printf '{"a":"\303\251"}'; printf $first | xxd -r -p) | sha256sum
    assert (
        chain.link('{"a":"é"}', bytes.fromhex(first)).hex()
        == "44b5dade88f0bba11959ae6ccf9e30ee3333ec3fe9835b7a6cf4f9f97f68d485"
    )


def test_link_is_sha256_of_content_and_previous_hash() -> None:
    previous = bytes(range(32))
    assert chain.link("{}", previous) == hashlib.sha256(b"{}" + previous).digest()


def test_walk_tells_progress_and_then_the_report() -> None:
    entries = log(2 * chain.STEP + 1)
    steps = list(chain.walk(entries, TENANT, count=len(entries), head=entries[-1][2]))
    assert [step.checked for step in steps] == [chain.STEP, 2 * chain.STEP, 2 * chain.STEP + 1]
    assert [step.report is None for step in steps] == [True, True, False]
    report = steps[-1].report
    assert report is not None
    assert report["ok"]
    assert report["count"] == len(entries)
    assert report["verdicts"] == [{"kind": "intact", "seq": len(entries)}]


def test_walk_names_what_it_finds() -> None:
    entries = log(9)
    entries[4] = (5, entries[4][1].replace("read", "rEad"), entries[4][2])
    last = list(chain.walk(entries, TENANT, count=9, head=entries[-1][2]))[-1]
    assert last.report is not None
    assert last.report["verdicts"] == [{"kind": "edited", "seq": 5}]
    assert last.findings == 1


def test_walk_checks_the_canonical_form_and_the_first_entry() -> None:
    content = '{"b":1,"a":2}'
    head = chain.link(content, chain.genesis(TENANT))
    last = list(chain.walk([(1, content, head)], TENANT, count=1, head=head))[-1]
    assert last.report is not None
    assert last.report["verdicts"] == [{"kind": "not_canonical", "seq": 1}]

    entries = log(3)
    last = list(chain.walk(entries, UUID(int=1), count=3, head=entries[-1][2]))[-1]
    assert last.report is not None
    assert {"kind": "foreign_origin", "seq": 1} in last.report["verdicts"]


def test_walk_stops_where_nobody_reads_on() -> None:
    entries = [(seq, "{}", bytes(32)) for seq in range(1, 5000)]
    last = list(chain.walk(entries, TENANT, count=4999, head=bytes(32)))[-1]
    assert last.report is not None
    assert len(last.report["verdicts"]) == verify.FINDING_LIMIT


def test_empty_log_is_intact() -> None:
    last = list(chain.walk([], TENANT, count=0, head=chain.genesis(TENANT)))[-1]
    assert last.report is not None
    assert last.report["ok"]
    assert last.report["count"] == 0
