"""Canonical JSON: what has a form, what has none, and that the verifier judges every text alike."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from workreef_app.services.audit import verify
from workreef_app.services.audit.canonical import MAX_DEPTH, MAX_INTEGER, NotCanonical, canonical, parse

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
keys = st.text(st.characters(max_codepoint=127), max_size=6)
scalars = st.none() | st.booleans() | st.integers(-MAX_INTEGER, MAX_INTEGER) | text
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=12,
)
objects = st.dictionaries(keys, values, max_size=6)
#: Texts near canonical ones: cut, doubled or changed somewhere.
pieces = st.sampled_from(
    ['"', "\\", ":", ",", "{", "}", "[", "]", " ", "0", "1", "-", ".", "e", "a", "\n", "\x00", "é", "\\u0061"]
)


@st.composite
def near_canonical(draw: st.DrawFn) -> str:
    whole = canonical(draw(objects))
    start = draw(st.integers(0, len(whole)))
    end = draw(st.integers(start, min(len(whole), start + 2)))
    return whole[:start] + draw(pieces | st.just("")) + whole[end:]


@given(objects)
def test_parse_reverses_canonical(value: dict[str, Any]) -> None:
    assert parse(canonical(value)) == value


@given(objects)
def test_order_of_keys_in_the_value_does_not_matter(value: dict[str, Any]) -> None:
    assert canonical(dict(reversed(value.items()))) == canonical(value)


@given(objects)
def test_canonical_is_json_with_sorted_keys_and_no_spaces(value: dict[str, Any]) -> None:
    made = canonical(value)
    assert json.loads(made) == value
    outside = "".join(made.replace("\\\\", "").replace('\\"', "").split('"')[::2])
    assert " " not in outside
    assert "\n" not in outside
    assert list(json.loads(made)) == sorted(value)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"b": 1, "a": [True, None, "x"]}, '{"a":[true,null,"x"],"b":1}'),
        # RFC 8785, section 3.2.2.2: short escapes, lower-case \u00xx for other controls, all else as it is.
        ({"s": '\u20ac$\x0f\nA\'B"\\\\"/\x7f'}, '{"s":"\u20ac$\\u000f\\nA\'B\\"\\\\\\\\\\"/\x7f"}'),
        ({"s": "\b\t\f\r\x1f"}, '{"s":"\\b\\t\\f\\r\\u001f"}'),
        ({"n": MAX_INTEGER, "m": -MAX_INTEGER}, '{"m":-9007199254740992,"n":9007199254740992}'),
        ({"Z": 0, "a": 0, "_": 0, "A": 0}, '{"A":0,"Z":0,"_":0,"a":0}'),
        ({}, "{}"),
    ],
)
def test_known_answers(value: dict[str, Any], expected: str) -> None:
    assert canonical(value) == expected
    assert parse(expected) == value


@pytest.mark.parametrize(
    ("value", "path"),
    [
        ({"a": 1.5}, "$.a"),
        ({"a": [0, float("nan")]}, "$.a[1]"),
        ({"a": {"b": MAX_INTEGER + 1}}, "$.a.b"),
        ({"a": -MAX_INTEGER - 1}, "$.a"),
        ({"é": 1}, "$"),
        ({1: 1}, "$"),
        ({"a": "\ud800"}, "$.a"),
        ({"a": (1, 2)}, "$.a"),
        ({"a": b"x"}, "$.a"),
    ],
)
def test_values_without_a_form_are_refused_with_the_path(value: object, path: str) -> None:
    with pytest.raises(NotCanonical) as refused:
        canonical(value)
    assert refused.value.path == path


REFUSED = [
    '{"a":1,"a":1}',
    '{"a":1.0}',
    '{"a":1e3}',
    '{"a":NaN}',
    '{"a":-0}',
    '{"a":01}',
    '{"a":9007199254740993}',
    '{"a":' + "9" * 5000 + "}",
    '{"b":1,"a":1}',
    '{"a": 1}',
    '{"a":1} ',
    '{"a":"\\u0061"}',
    '{"a":"\\/"}',
    '{"a":"\\u000F"}',
    '{"a":"\\ud800"}',
    '{"a":"x\ny"}',
    '{"\u00e9":1}',
    '{"a":1}"zzz',
    '{"a":1}"',
    "[1]",
    "1",
    "",
    "{",
    '{"a":"',
    "\ufeff{}",
    "[" * 100_000,
    '{"a":' + "[" * MAX_DEPTH + "]" * MAX_DEPTH + "}",
]


@pytest.mark.parametrize("content", REFUSED, ids=lambda content: content[:24])
def test_texts_that_are_not_canonical_are_refused(content: str) -> None:
    with pytest.raises(NotCanonical):
        parse(content)
    assert verify.canonical_fault(content)


def test_depth_up_to_the_limit_is_taken() -> None:
    content = '{"a":' + "[" * (MAX_DEPTH - 1) + "]" * (MAX_DEPTH - 1) + "}"
    assert canonical(parse(content)) == content
    assert verify.canonical_fault(content) == ""


def is_canonical(content: str) -> bool:
    try:
        parse(content)
    except NotCanonical:
        return False
    return True


@given(near_canonical())
@example('{"a":1}"zzz')
@example('{"a":"x}')
@example('{"":null,":\\"":null}')
def test_the_verifier_agrees_with_the_writer(content: str) -> None:
    assert (verify.canonical_fault(content) == "") == is_canonical(content)


@given(objects, st.data())
def test_quick_way_accepts_nothing_that_the_thorough_way_refuses(
    value: dict[str, Any], data: st.DataObject
) -> None:
    """Teach the quick way a shape, change the text somewhere, and send both through the reading of a line."""
    whole = canonical(value)
    verify.learn_shape(whole)
    start = data.draw(st.integers(0, len(whole)))
    end = data.draw(st.integers(start, min(len(whole), start + 2)))
    content = whole[:start] + data.draw(pieces | text | st.integers().map(str)) + whole[end:]
    line = f'{{"seq":1,"content":{json.dumps(content, ensure_ascii=False)},"chain_hash":"{"0" * 64}"}}\n'
    assert (verify.parse_entry(line.encode())[3] == "") == is_canonical(content)


@pytest.mark.parametrize(
    "number", ["7", "-7", "0", "123456789012345", "-123456789012345", "9007199254740992"]
)
@pytest.mark.parametrize(
    "other",
    ["", "-", "-0", "00", "01", "10", "-10", "1.0", "1e1", "0123456789012345", "1234567890123456", "9" * 16,
        "9007199254740991",
        "9007199254740993",
        "-9007199254740992",
        "-9007199254740993",
        "9" * 15,
        "9" * 31,
        "1 ",
    ],
)
def test_quick_way_judges_numbers_as_the_thorough_way(number: str, other: str) -> None:
    verify.learn_shape(f'{{"a":{number},"b":[{number},{number}]}}')
    content = f'{{"a":{number},"b":[{number},{other}]}}'
    line = f'{{"seq":1,"content":{json.dumps(content)},"chain_hash":"{"0" * 64}"}}\n'
    assert (verify.parse_entry(line.encode())[3] == "") == is_canonical(content)
