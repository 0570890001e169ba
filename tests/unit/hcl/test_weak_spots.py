"""The weak spots of the reference that lie in the language (spec 05 §17; the number is the row of its table)."""

import pytest

from vizier_hcl import HclError, Severity, evaluate, top_level_strings


def errors(source: str) -> list[tuple[int, int]]:
    with pytest.raises(HclError) as refused:
        evaluate(source, display_path="t.hcl")
    return [tuple(error.position) for error in refused.value.diagnostics]


def warnings(source: str) -> list[str]:
    return [warning.headline("t.hcl") for warning in evaluate(source, display_path="t.hcl").warnings]


@pytest.mark.parametrize("bracket", ["[", "(", "{a = ", '"${', "length(", "-(", "x["])
def test_ws_05_01_endless_brackets_do_not_abort_the_process(bracket: str) -> None:
    assert len(errors(f"a = {bracket * 20_000}")) == 1


def test_ws_05_02_nested_loops_do_not_run_without_bound() -> None:
    items = f"[{'1, ' * 500}]"
    loops = f"[for a in {items}: [for b in {items}: [for c in {items}: [for d in {items}: a]]]]"
    with pytest.raises(HclError, match="evaluation produces more than"):
        evaluate(f"a = {loops}\n", display_path="t.hcl")


@pytest.mark.parametrize("source", ['a = "x"', "a = <<E\nx\nE", "a = <<-E\n  x\n  E", "a = [\n]", "b {}", "a = 1 # x"])
def test_ws_05_03_the_end_of_the_file_ends_an_item(source: str) -> None:
    assert evaluate(source, display_path="t.hcl").value == evaluate(source + "\n", display_path="t.hcl").value


@pytest.mark.parametrize(
    ("source", "place"),
    [
        ('a = "open\nb = 2\nc = "x"\n', (1, 10)),
        ('a = "${1\nb = 2\nc = 3\n', (1, 6)),
        ('nodes = [\n  { x = "${foo" }\n  { y = "z" }\n]\n', (2, 10)),
        ("a = [1, 2\nb = 3\nc = 4\nd {\n}\n", (2, 3)),
        ("a = {\n  x = 1\nb = 2\n", (4, 1)),
        ("b {\n  x = 1\nc {\n}\n", (1, 3)),
        ("a = 1 +\n  2\nb = 3\n", (1, 7)),
        ("a =\n  1\nb = 3\n", (1, 2)),
    ],
)
def test_ws_05_04_one_mistake_is_one_error(source: str, place: tuple[int, int]) -> None:
    assert errors(source) == [place]


def test_ws_05_04_the_source_line_is_shown() -> None:
    with pytest.raises(HclError, match=r"t.hcl:1:5: .*\n    a = nope\n        \^$"):
        evaluate("a = nope\n", display_path="t.hcl")


@pytest.mark.parametrize(
    ("literal", "number"), [("3", 3), ("1.0", 1), ("1 + 1", 2), ("0 * -1", 0), ("1e23", 10**23), ("4294967296", 2**32)]
)
def test_ws_05_05_whole_numbers_are_integers(literal: str, number: int) -> None:
    found = evaluate(f"a = {literal}\n", display_path="t.hcl").value["a"]
    assert type(found) is int
    assert found == number


def test_ws_05_05_other_numbers_are_floats() -> None:
    assert evaluate("a = 1.5\n", display_path="t.hcl").value == {"a": 1.5}


def test_ws_05_06_a_number_that_is_not_finite_is_located() -> None:
    assert errors("x = 1\na = {\n  b = [1, 1e999]\n}\nc = -1e999\n") == [(3, 11), (5, 5)]


def test_ws_05_06_values_have_positions() -> None:
    document = evaluate('params = {\n  p = "x"\n  q = 5\n}\n', display_path="t.hcl")
    assert document.position(("params", "q")) == (3, 7)


def test_ws_05_07_keys_have_positions() -> None:
    document = evaluate('node "n1" {\n}\npolicy { failure_mod = "x" }\n', display_path="t.hcl")
    assert document.key_position(("node",)) == (1, 1)
    assert document.key_position(("policy", "failure_mod")) == (3, 10)


@pytest.mark.parametrize("block", ["b {\n}\n", 'b "k" {\n}\n'])
def test_ws_05_08_an_attribute_cannot_replace_a_block(block: str) -> None:
    assert errors(f"{block}b = 1\n") == [(3, 1)]


def test_ws_05_08_a_block_merged_into_an_attribute_is_mentioned() -> None:
    source = 'b = {x = 1}\nb "k" {\n}\nb "j" {\n}\n'
    assert warnings(source) == ["t.hcl:2:1: warning: labeled block `b` is merged into the value of an attribute"]


def test_ws_05_08_a_repeated_key_is_mentioned() -> None:
    source = 'a = {x = 1, "x" = 2, y = 3}\nb = [for v in [1, 2]: {k = v, k = v}]\n'
    assert warnings(source) == [
        "t.hcl:1:13: warning: object key `x` is repeated; the last value wins",
        "t.hcl:2:31: warning: object key `k` is repeated; the last value wins",
    ]


def test_ws_05_09_a_dropped_backslash_is_mentioned() -> None:
    source = 'a = "\\d+\\."\nb = "\\n \\" \\\\ \\/ \\${x} \\%{y}"\nc = <<E\n\\d\nE\nd = "\\$HOME"\n'
    document = evaluate(source, display_path="t.hcl")
    assert document.value["a"] == "d+."
    assert [(warning.severity, tuple(warning.position)) for warning in document.warnings] == [
        (Severity.WARNING, (1, 6)),
        (Severity.WARNING, (1, 9)),
        (Severity.WARNING, (6, 6)),
    ]
    assert "`\\d`" in document.warnings[0].message


def test_there_is_an_end_to_warnings() -> None:
    source = 'a = "' + "\\q" * 1000 + '"\nb = {' + "k = 1, " * 1000 + "}\n"
    assert len(warnings(source)) == 20


def test_ws_05_12_an_empty_crlf_line_keeps_the_indentation_rule() -> None:
    source = "a = <<-E\r\n    x\r\n\r\n  \r\n    y\r\n    E\r\n"
    assert evaluate(source, display_path="t.hcl").value == {"a": "x\r\n\r\n\r\ny\r\n"}


@pytest.mark.parametrize(
    ("sequence", "text"),
    [
        ("${ 1 /* } */ }", "1"),
        ('${ 1 /* " */ }', "1"),
        ("${\n  1 # }\n}", "1"),
        ('${\n  1 // the "end" }\n}', "1"),
        ("${ {\n  a = 1 # }\n}.a }", "1"),
        ('${ "${\n1}" # }\n}', "1"),
        ("${ 1 /*\n*/ # }\n}", "1"),
        # A comment on the line of the opening leaves the closing brace alone, as it always did.
        ("${1 # one}", "1"),
        ("${1 // {} ~}  ", "1"),
        ("%{ if true # always }1%{ endif // if }", "1"),
    ],
)
def test_ws_05_13_comments_in_sequences(sequence: str, text: str) -> None:
    assert evaluate(f'a = "<{sequence}>"\n', display_path="t.hcl").value == {"a": f"<{text}>"}


def test_ws_05_13_a_shell_length_is_an_empty_interpolation() -> None:
    with pytest.raises(HclError, match=r"t\.hcl:1:6: expected expression in template interpolation"):
        evaluate('a = "${#x}"\nb = "}"\n', display_path="t.hcl")


def test_ws_05_14_dotted_indices_and_leading_underscores() -> None:
    source = "_a = [[1, [2]]].0.1.0\n_ = [for _v in [3]: _v]\n"
    assert evaluate(source, display_path="t.hcl").value == {"_": [3], "_a": 2}
    assert errors("a = [[5]].0.7\n") == [(1, 12)]


def test_ws_05_15_numbers_are_equal_within_a_tolerance() -> None:
    source = "a = [0.1 + 0.2 == 0.3, 1e12 == 1e12 + 0.5, 1 == 1.000001, 1e999 == 1e999, 0 == 1e-12]\n"
    assert evaluate(source, display_path="t.hcl").value == {"a": [True, True, False, False, True]}


def test_ws_05_16_an_identity_is_read_without_evaluating_the_rest() -> None:
    source = 'id = "template.x"\nversion = "v1"\nnodes = nope\nb {\n}\nb {\n}\n'
    assert top_level_strings(source, ("id", "version"), display_path="t.hcl") == {"id": "template.x", "version": "v1"}
