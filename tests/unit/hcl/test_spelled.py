"""The short cut for files that spell out every value gives what the long way gives."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vizier_hcl import HclError, evaluate
from vizier_hcl.source import read
from vizier_hcl.spelled import spelled_out
from vizier_hcl.whole import evaluate_fully

SEED = Path(__file__).parents[3] / "src" / "vizier_core" / "scaffold" / "seed"


def the_long_way(text: str) -> Any:
    source, unreadable = read(text)
    assert unreadable is None
    return evaluate_fully(source, "x.hcl")


def is_same(one: Any, other: Any) -> bool:
    """Equal, of the same types, and in the same order."""
    return json.dumps(one) == json.dumps(other) and one == other


NAMES = st.sampled_from(["a", "b", "id", "_x", "node-1", "true", "null", "in", "if", "for", "Zz9"])
STRINGS = st.text(st.sampled_from('ab"\\$%{}\n\t é\u0301#/=,'), max_size=8)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(0, 10**16) | STRINGS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=12,
)


@st.composite
def written(draw: st.DrawFn, value: Any) -> str:
    """A value as somebody may write it."""
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("${", "$${").replace("%{", "%%{")
    if not isinstance(value, dict | list):
        return json.dumps(value)
    blank = st.sampled_from(["", " ", "\n", "\r\n\n", " # note\n", "\t// {\n"])
    separator = st.sampled_from([",", ", ", "\n", ",\n", " # one, two\n", "\n\n"])
    parts = []
    for item in value.items() if isinstance(value, dict) else value:
        if isinstance(value, dict):
            key = draw(st.sampled_from([item[0], json.dumps(item[0])]))
            parts.append(f"{key}{draw(st.sampled_from([' = ', '=', ': ']))}{draw(written(item[1]))}")
        else:
            parts.append(draw(written(item)))
    text = "".join(part + draw(separator) for part in parts)
    opening, closing = "{}" if isinstance(value, dict) else "[]"
    return f"{opening}{draw(blank)}{text}{draw(blank)}{closing}"


@st.composite
def files(draw: st.DrawFn) -> str:
    attributes = draw(st.dictionaries(NAMES, VALUES, max_size=4))
    lines = [f"{name} = {draw(written(value))}" for name, value in attributes.items()]
    return draw(st.sampled_from(["\n", "\n\n", "\r\n", " # note\n"])).join(lines)


@settings(max_examples=300)
@given(files())
def test_what_it_reads_is_what_the_long_way_reads(text: str) -> None:
    value = spelled_out(text)
    if value is not None:
        document = the_long_way(text)
        assert is_same(value, document.value)
        assert document.warnings == ()


@settings(max_examples=300)
@given(files(), st.data())
def test_what_was_broken_is_read_the_same_way_or_not_at_all(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(len(text), start + 3)))
    pieces = [
        "",
        "\r",
        "\n",
        '"',
        "${",
        "=",
        "==",
        "=>",
        ".",
        "-",
        "1",
        "9" * 16,
        "²",
        "é",
        "for ",
        "/*",
        "<<E\n",
        "\0",
        "((",
        "a",
    ]
    text = text[:start] + data.draw(st.sampled_from(pieces)) + text[end:]
    value = spelled_out(text)
    if value is not None:
        document = the_long_way(text)
        assert is_same(value, document.value)
        assert document.warnings == ()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n\n# nothing\n",
        'a = "x"',
        'a = ""\nb = "q\\"\\\\\\n$${x} 100% $5 %%{y}"\r\n',
        'a = { b = 1, c: [true, null,\n], "d e" = false\n}',
        "a = [\n  1, # one\n  2\n  3 // three\n]\n",
        'a = "e\u0301"',
        "true = true",
    ],
)
def test_what_it_knows(text: str) -> None:
    value = spelled_out(text)
    assert value is not None
    assert is_same(value, the_long_way(text).value)


@pytest.mark.parametrize(
    "text",
    [
        "a {\n}",
        "a = b",
        'a = "${1}"',
        "a = <<E\nE\n",
        "a = -1",
        "a = 1.5",
        "a = 12345678901234567890",
        "a = 1 + 1",
        'a = "\\u00e9"',
        'a = "\\q"',
        "a = {b = 1, b = 2}",
        "a = [for x in [1] : x]",
        "a = {for = 1}",
        "a = (1)",
        "/* a */",
        "é = 1",
        "a = 1 b = 2",
        "a = 1\na = 2",
        "a =\n1",
        "a = [1 2]",
        "a = [1,,2]",
        'a = "',
        "a = ²",
        "a = " + "[" * 60 + "]" * 60,
    ],
)
def test_what_it_leaves_to_the_long_way(text: str) -> None:
    assert spelled_out(text) is None


@pytest.mark.parametrize("name", ["develop.hcl", "workflows/draft.hcl", "workflows/approve.hcl", "workflows/merge.hcl"])
def test_shipped_templates_take_the_short_cut(name: str) -> None:
    text = (SEED / name).read_text()
    assert is_same(spelled_out(text), the_long_way(text).value)


def test_positions_are_found_afterwards() -> None:
    document = evaluate('a = 1\nb = [\n  { c = "x" },\n]\n', display_path="x.hcl")
    assert document.position(("b", 0, "c")) == (3, 9)
    assert document.key_position(("b", 0, "c")) == (3, 5)


def test_its_limits_are_those_of_the_long_way() -> None:
    with pytest.raises(HclError):
        evaluate("a = 1\n" * 2_000_000, display_path="x.hcl")
