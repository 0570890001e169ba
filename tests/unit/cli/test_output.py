"""Text layouts (spec 03 §2.6, 08 §§3.1, 3.3)."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vizier_cli.cli.output import counted, display_width, joined, json_text, label_block, table


def lines(*expected: str) -> str:
    return "\n".join(expected)


# Blocks of labels


def test_labels_are_padded_to_the_longest_that_has_a_value() -> None:
    block = label_block([("Outcome", "Workflow run enqueued"), ("Run", "run_1"), ("Longest label", " ")])
    assert block == lines("Outcome: Workflow run enqueued", "Run    : run_1")


def test_rows_without_a_value_are_left_out() -> None:
    assert label_block([("A", ""), ("B", "\t \n"), ("C", "c")]) == "C: c"
    assert label_block([("A", "")]) == ""
    assert label_block([]) == ""


def test_further_lines_of_a_value_start_at_the_margin() -> None:
    assert label_block([("Next", "one\ntwo"), ("A", "x")]) == lines("Next: one", "two", "A   : x")


def test_blocks_may_be_indented() -> None:
    assert label_block([("A", "x"), ("BB", "y")], indent=2) == lines("  A : x", "  BB: y")


def test_wide_and_combining_characters_are_padded_by_their_width() -> None:
    block = label_block([("日本", "wide"), ("e\u0301", "combined"), ("abcd", "plain")])
    assert block == lines("日本: wide", "e\u0301   : combined", "abcd: plain")


# Tables


def test_columns_are_two_blanks_apart_and_the_last_is_not_padded() -> None:
    assert table([["Job", "Status"], ["job-a", "queued"], ["j", "failed"]]) == lines(
        "Job    Status", "job-a  queued", "j      failed"
    )


def test_short_rows_are_filled_up() -> None:
    assert table([["a", "b", "c"], ["dd"]]) == lines("a   b  c", "dd     ")
    assert table([[], ["a"]]) == lines("", "a")
    assert table([]) == table([[]]) == ""


def test_wide_characters_do_not_shift_the_next_column() -> None:
    assert table([["日本", "x"], ["a", "y"], ["🙂🙂🙂", "z"]]) == lines("日本    x", "a       y", "🙂🙂🙂  z")


_cells = st.text(st.sampled_from("aü日🙂e\u0301"), max_size=4)


@given(st.lists(st.lists(_cells, min_size=2, max_size=2), min_size=1, max_size=4))
def test_every_column_of_a_table_begins_at_one_place(rows: list[list[str]]) -> None:
    width = max(display_width(row[0]) for row in rows)
    for line, (first, second) in zip(table(rows).split("\n"), rows, strict=True):
        assert line == first + " " * (width - display_width(first) + 2) + second


# Widths


@pytest.mark.parametrize(
    ("text", "width"),
    [
        ("", 0),
        ("abc", 3),
        ("äöü", 3),
        ("日本語", 6),
        ("🙂", 2),
        ("e\u0301", 1),
        ("\u200b", 0),
        ("\N{HALFWIDTH KATAKANA LETTER A}", 1),
        ("\N{FULLWIDTH LATIN CAPITAL LETTER A}", 2),
        ("→", 1),
    ],
)
def test_the_width_of_a_text(text: str, width: int) -> None:
    assert display_width(text) == width


@given(st.text(), st.text())
def test_widths_add_up(first: str, second: str) -> None:
    assert display_width(first + second) == display_width(first) + display_width(second)


# Words and numbers


@pytest.mark.parametrize(
    ("number", "text"), [(0, "0"), (999, "999"), (1000, "1,000"), (1234567, "1,234,567"), (-1000, "-1,000")]
)
def test_thousands_are_separated(number: int, text: str) -> None:
    assert counted(number) == text


def test_lists_in_a_line() -> None:
    assert joined(["a", "b"]) == "a, b"
    assert joined([]) == "none"
    assert joined(iter(["a"])) == "a"


# JSON


def test_json_is_indented_sorted_and_raw() -> None:
    assert json_text({"b": ["ü"], "a": {}}) == '{\n  "a": {},\n  "b": [\n    "ü"\n  ]\n}'
    assert json_text({"b": 1, "a": 2}, sort=False) == '{\n  "b": 1,\n  "a": 2\n}'


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(), lambda x: st.lists(x) | st.dictionaries(st.text(), x)
    )
)
def test_json_says_what_it_was_given(document: object) -> None:
    assert json.loads(json_text(document)) == document
