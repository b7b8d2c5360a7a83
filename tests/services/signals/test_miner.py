"""The miner: groups, counts, merges, and a state that is its templates."""

from __future__ import annotations

import random
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workreef_app.services.signals.miner import Miner, Template, text

WORDS = st.sampled_from(
    ["user", "root", "alice", "bob", "carol", "opened", "closed", "GET", "7", "id=3", "id=x", '"a b"']
)
MESSAGES = st.lists(st.lists(WORDS, min_size=0, max_size=7).map(" ".join), max_size=80)


def groups(messages: list[str], miner: Miner | None = None) -> list[int]:
    """The template of each message as the groups stand at the end."""
    miner = miner or Miner()
    ids = [miner.add(message).template for message in messages]
    final: dict[int, int] = {}
    for old, survivor in reversed(miner.merges):
        final[old] = final.get(survivor, survivor)
    return [final.get(id, id) for id in ids]


def rendered(messages: list[str]) -> list[str]:
    miner = Miner()
    for message in messages:
        miner.add(message)
    return [text(template) for template in miner.templates()]


@pytest.mark.parametrize(
    ("messages", "template"),
    [
        (["job 12 done in 3.5 s", "job 9 done in 0.25 s"], "job <*> done in <*>"),
        (["peer 10.1.2.3:80 left", "peer 10.1.2.4:81 left"], "peer <*> left"),
        (["peer fe80::1:2:3 left", "peer 5c:50:15:36:bc:03 left"], "peer <*> left"),
        (["read /var/log/a.txt ok", "read C:\\Temp\\b.txt ok"], "read <*> ok"),
        (["open https://a.example/x?y=z now", "open http://b.example/ now"], "open <*> now"),
        (["mail to ann@a.example sent", "mail to bob.b@b.example sent"], "mail to <*> sent"),
        (["key 0xdeadbeef12 set", "key ab12cd34 set"], "key <*> set"),
        (
            ["id 3f2504e0-4f89-11d3-9a0c-0305e82c3301 ok", "id aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee ok"],
            "id <*> ok",
        ),
        (["ready=true,mode=1 end", "ready=false,mode=2 end"], "ready=<*>,mode=<*> end"),
        (["sent 512 bytes in all", "sent 1190 bytes (1.16 KB) in all"], "sent <*> in all"),
        (["nodes 1, 2, 3 are up", "nodes 4 are up"], "nodes <*> are up"),
        (["seen () at noon", "seen (10.0.0.1) at noon"], "seen (<*>) at noon"),
        (["blk_123 added", "blk_-99 added"], "blk_<*> added"),
        (["at Mon Jun 14 done", "at Tue Jul 15 done"], "at <*> <*> <*> done"),
        (["from db.prod.example.com lost", "from a.b.c:80 lost"], "from <*> lost"),
        (["call of org.example.job.Runner.start:12 done", "call of a.b.c.D done"], "call of <*> done"),
    ],
)
def test_variables_are_known_by_their_form(messages: list[str], template: str) -> None:
    assert rendered(messages) == [template]


def test_a_word_becomes_a_variable_once_enough_different_words_were_seen() -> None:
    names = ["ann", "ben", "cat", "dan", "eve"]
    messages = [f"password changed for {name} by request" for name in names]
    assert len(set(groups(messages[:3]))) == 3
    assert set(groups(messages)) == {0}
    assert rendered(messages) == ["password changed for <*> by request"]


def test_two_words_that_vary_together_become_variables() -> None:
    pairs = ["ann paris", "ben rome", "cat oslo", "dan bern"]
    messages = ["login of user {} from city {} was accepted".format(*pair.split()) for pair in pairs]
    assert rendered(messages) == ["login of user <*> from city <*> was accepted"]


@pytest.mark.parametrize(
    "states",
    [["Started", "Paused", "Stopped", "Resumed", "Deleted"], ["NEW", "RUNNING", "FAILED", "LOST", "DONE"]],
)
def test_names_of_events_stay_apart(states: list[str]) -> None:
    messages = [f"instance {state} by the scheduler" for state in states]
    assert len(set(groups(messages))) == len(states)


def test_a_key_with_a_variable_value_takes_other_values_at_once() -> None:
    assert rendered(["login failed host=10.0.0.1 port=2", "login failed host=gateway port=2"]) == [
        "login failed <*> port=<*>"
    ]


def test_merges_lead_to_live_templates_and_never_reuse_an_id() -> None:
    miner = Miner()
    before = [miner.add(f"password changed for {name} today").template for name in ("ann", "ben", "cat")]
    after = miner.add("password changed for dan today").template
    assert miner.merges == [(before[1], before[0]), (before[2], before[0])]
    assert after == before[0]
    assert [template.size for template in miner.templates()] == [4]
    restored = Miner(miner.templates())
    assert restored.add("something else entirely").template == 3


def test_match_counts_the_constant_tokens() -> None:
    match = Miner().add("job 12 done on host=a1")
    assert (match.constant, match.total) == (3, 5)


def test_changed_gives_each_change_once() -> None:
    miner = Miner()
    miner.add("alpha beta gamma")
    miner.add("one more thing here")
    assert [template.id for template in miner.changed()] == [0, 1]
    miner.add("alpha beta gamma")
    assert [(template.id, template.size) for template in miner.changed()] == [(0, 2)]
    assert miner.changed() == []
    assert Miner(miner.templates()).changed() == []


@given(MESSAGES, st.integers(0, 80), st.sampled_from([3, 20_000]))
def test_restoring_continues_exactly(messages: list[str], stop: int, limit: int) -> None:
    whole, first = Miner(limit=limit), Miner(limit=limit)
    expected = [whole.add(message) for message in messages]
    actual = [first.add(message) for message in messages[:stop]]
    second = Miner(first.templates(), limit=limit)
    actual += [second.add(message) for message in messages[stop:]]
    assert actual == expected
    assert second.templates() == whole.templates()
    assert first.merges + second.merges == whole.merges


def test_restoring_often_changes_nothing() -> None:
    chance = random.Random(7)
    names = ["".join(chance.choices("abcdefgh", k=5)) for _ in range(60)]
    kinds = (
        "user {} logged in from {} today",
        "disk {} of {} is full",
        "{} said {}",
        "job 7 of {} done",
        "{} up",
    )
    messages = [chance.choice(kinds).format(*chance.choices(names, k=2)) for _ in range(3000)]
    whole, parts = Miner(), Miner()
    merges: list[tuple[int, int]] = []
    for number, message in enumerate(messages):
        if number % 97 == 0:
            merges += parts.merges
            parts = Miner(parts.templates())
        assert parts.add(message) == whole.add(message)
    assert parts.templates() == whole.templates()
    assert merges + parts.merges == whole.merges
    assert len(whole.merges) > 20


@given(MESSAGES)
def test_lines_are_all_counted_and_ids_are_stable(messages: list[str]) -> None:
    miner = Miner()
    known: set[int] = set()
    for message in messages:
        match = miner.add(message)
        assert 0 <= match.constant <= match.total
        known.add(match.template)
    live = {template.id for template in miner.templates()}
    assert sum(template.size for template in miner.templates()) == len(messages)
    gone = [old for old, _ in miner.merges]
    assert len(gone) == len(set(gone))
    assert live | set(gone) == known
    assert not live & set(gone)


@given(MESSAGES)
def test_a_message_seen_again_goes_where_it_went(messages: list[str]) -> None:
    miner = Miner()
    for message in messages:
        miner.add(message)
    settled = miner.templates()
    again = [miner.add(message).template for message in messages]
    assert again == [Miner(settled).add(message).template for message in messages]
    assert [template.id for template in miner.templates()] == [template.id for template in settled]


@given(st.lists(st.text(), max_size=20))
def test_any_text_is_taken(messages: list[str]) -> None:
    miner = Miner()
    for message in messages:
        match = miner.add(message)
        assert 0 <= match.constant <= match.total
    assert all(isinstance(text(template), str) for template in miner.templates())


def test_the_wildcard_in_a_message_is_only_text() -> None:
    miner = Miner()
    for message in ("<*> <*> <*>", "a quiet day", "<#> odd"):
        miner.add(message)
    assert len(miner.templates()) == 3


def test_templates_are_bounded() -> None:
    miner = Miner(limit=10)
    letters = "abcdefghij"
    for a in letters:
        for b in letters:
            miner.add(f"{a}{a} {b}{b} {a}{b} {b}{a}")
    assert len(miner.templates()) <= 11
    assert miner.templates()[-1] == Template(10, ("<*>",) * 4, 90, 11)


def test_long_lines_cost_little_and_end_in_one_variable() -> None:
    miner = Miner()
    start = time.perf_counter()
    for unit in ("word ", "a-b.", 'a"b ', "x=", "::", "1a-", "@.", "/"):
        miner.add(unit * (65_536 // len(unit)))
    assert time.perf_counter() - start < 2
    assert all(len(template.tokens) <= 128 for template in miner.templates())
    assert all(sum(map(len, template.tokens)) <= 4096 for template in miner.templates())
