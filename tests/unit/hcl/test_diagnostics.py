"""The catalogue of errors: where each is anchored, what it names, how it is shown (spec 05 §11)."""

import pytest

from vizier_hcl import Diagnostic, HclError, Severity, evaluate, render

LEXICAL = [
    ("\ufeffa = 1\n", 1, 1, ["byte order mark"]),
    ("a = 1;\n", 1, 6, ["unexpected character", ";"]),
    ("a\u00a0= 1\n", 1, 2, ["unexpected character", "\\xa0"]),
    ("a = \f1\n", 1, 5, ["unexpected character"]),
    ("a = 1 \u2028\n", 1, 7, ["unexpected character"]),
    ("a = 1\rb = 2\n", 1, 6, ["carriage return"]),
    ("# note\ra = 1\n", 1, 7, ["carriage return"]),
    ("/* x\r */\n", 1, 5, ["carriage return"]),
    ('a = "x\ry"\n', 1, 7, ["carriage return"]),
    ("a = <<E\nx\ry\nE\n", 2, 2, ["carriage return"]),
    ("a = /* x\n", 1, 5, ["unterminated inline comment"]),
    ("/* /* */ */\n", 1, 10, ["identifier"]),
    ("a = 1e\n", 1, 6, ["exponent is missing digits"]),
    ("a = 1E-\n", 1, 6, ["exponent is missing digits"]),
    ('a = "open', 1, 5, ["unterminated string literal"]),
    ('a = "open\n', 1, 10, ["unterminated string literal", "newline in string"]),
    ('a = "open\\\n', 1, 11, ["newline in string"]),
    ('a = "open\r\n', 1, 10, ["newline in string"]),
    ('a = "\\u12"\n', 1, 6, ["unicode escape"]),
    ('a = "\\U00110000"\n', 1, 6, ["unicode escape"]),
    ('a = "\\uD800"\n', 1, 6, ["unicode escape"]),
    ('a = "x${1\n', 1, 7, ["unterminated template interpolation sequence"]),
    ('a = "x%{ if true\n', 1, 7, ["unterminated template directive sequence"]),
    ("a = <<E\n${1\nE\n", 2, 1, ["unterminated template interpolation sequence"]),
    ("a = <<E\nx\n", 1, 5, ["unterminated heredoc template", "E"]),
    ("a = <<E\nx\n E E\n", 1, 5, ["unterminated heredoc template"]),
    ("a = <<E # note\nx\nE\n", 1, 7, ["newline", "E"]),
    ('a = "${ ~1}"\n', 1, 9, ["unexpected character", "~"]),
    ('a = "${ ; @ }"\n', 1, 9, ["unexpected character", ";"]),
]

SYNTAX = [
    ("= 1\n", 1, 1, ["attribute or block identifier"]),
    ("1a = 1\n", 1, 1, ["attribute or block identifier"]),
    ("a = 1\nb = 2\na = 3\n", 3, 1, ["duplicate attribute `a`"]),
    ("a = # nothing\n", 1, 2, ["expression"]),
    ("a =", 1, 2, ["expression"]),
    ("b { x = }\n", 1, 6, ["expression"]),
    ("a = )\n", 1, 5, ["expression term"]),
    ("a = 1, b = 2\n", 1, 6, ["each attribute must be on its own line"]),
    ("a = 1abc\n", 1, 6, ["newline", "abc"]),
    ("b {} c {}\n", 1, 6, ["newline"]),
    ("a: 1\n", 1, 2, ["`{`", "name = value"]),
    ("b x\n", 1, 4, ["`{`"]),
    ("b {\n  c {\n}\n", 1, 3, ["expected `}` to close block"]),
    ("b {", 1, 3, ["expected `}` to close block"]),
    ("b { x = 1, y = 2 }\n", 1, 10, ["single-line block"]),
    ("b { c {} }\n", 1, 5, ["single-line block"]),
    ("b { x = 1\n}\n", 1, 10, ["single-line block"]),
    ('b "x${1}" {\n}\n', 1, 3, ["label"]),
    ("a = 1 +\n", 1, 7, ["missing operand after operator `+`"]),
    ("a = !\n", 1, 5, ["missing operand after operator `!`"]),
    ("a = && 1\n", 1, 5, ["expression term", "&&"]),
    ("a = ${x}\n", 1, 5, ["expression term"]),
    ("a = [1].\n", 1, 8, ["invalid traversal syntax"]),
    ("a = x..y\n", 1, 6, ["invalid traversal syntax"]),
    ("a = (x.\ny)\n", 1, 7, ["invalid traversal syntax"]),
    ("a = x.1e3\n", 1, 6, ["invalid traversal syntax"]),
    ("a = x[0 1]\n", 1, 9, ["expected `]` to close index expression"]),
    ("a = [1][0\n", 2, 1, ["expected `]` to close index expression"]),
    ("a = x[]\n", 1, 7, ["index"]),
    ("a = length(,)\n", 1, 12, ["missing operand in function call"]),
    ("a = length(1 2)\n", 1, 14, ["invalid function call syntax"]),
    ("a = 5(1)\n", 1, 6, ["invalid function call syntax"]),
    ("a = (length\n(1))\n", 2, 1, ["invalid function call syntax"]),
    ("a = length(1\n", 2, 1, ["`)`"]),
    ("a = length([1]...,)\n", 1, 15, ["ellipsis", "final argument"]),
    ("a = length([1]..., 2)\n", 1, 15, ["ellipsis", "final argument"]),
    ("a = (1 2)\n", 1, 8, ["`)`"]),
    ("a = [,]\n", 1, 6, ["tuple element"]),
    ("a = [1 2]\n", 1, 8, ["separator", "`]`"]),
    ("a = [1\n", 2, 1, ["`]`", "1:5"]),
    ("a = {,}\n", 1, 6, ["object key"]),
    ("a = {x 1}\n", 1, 8, ["`=` or `:`"]),
    ("a = {x =\n1}\n", 1, 9, ["object value"]),
    ("a = {x = 1 y = 2}\n", 1, 12, ["separator", "`}`"]),
    ("a = {x = 1\n", 2, 1, ["`}`", "1:5"]),
    ("a = {x = 1,\n,\n}\n", 2, 1, ["object key"]),
    ("a = true ?\n1 : 2\n", 1, 11, ["`?`"]),
    ("a = true ? 1\n", 1, 13, ["`:`"]),
    ("a = true ? 1 :\n", 1, 15, ["`:`"]),
    ("a = [for 1 in [2]: v]\n", 1, 10, ["expected iterator variable after `for`"]),
    ("a = [for v, in [2]: v]\n", 1, 16, ["expected `in` in `for` expression"]),
    ("a = [for v, 1 in [2]: v]\n", 1, 13, ["iterator variable"]),
    ("a = [for v [2]: v]\n", 1, 12, ["expected `in` in `for` expression"]),
    ("a = [for v in : v]\n", 1, 15, ["collection"]),
    ("a = [for v in [1]]\n", 1, 18, ["expected `:` in `for` expression"]),
    ("a = {for v in []: v}\n", 1, 20, ["expected `=>` in `for` expression"]),
    ("a = {for v in []: => v}\n", 1, 19, ["key"]),
    ("a = [for v in [1]: v...]\n", 1, 21, ["`]`"]),
    ("a = [for v in [1]: v if]\n", 1, 24, ["condition"]),
    ('a = "${)}"\n', 1, 8, ["expression term"]),
    ('a = "${ }"\n', 1, 6, ["expected expression in template interpolation"]),
    ('a = "${1 2}"\n', 1, 10, ["tokens", "2"]),
    ('a = "%{ }"\n', 1, 6, ["directive keyword"]),
    ('a = "%{ http_code }"\n', 1, 9, ["keyword", "http_code", "%%{"]),
    ('a = "%{ if }x%{ endif }"\n', 1, 6, ["expected condition expression in template `if` directive"]),
    ('a = "%{ for }x%{ endfor }"\n', 1, 13, ["iterator variable", "template `for` directive"]),
    ('a = "%{ for v [] }x%{ endfor }"\n', 1, 15, ["`in`", "template `for` directive"]),
    ('a = "%{ if true }x%{ endif y }"\n', 1, 28, ["unexpected tokens after template `endif` directive"]),
    ('a = "%{ for v in [] }%{ endfor 1 }"\n', 1, 32, ["unexpected tokens after template `endfor` directive"]),
]

EVALUATION = [
    ("a = nope\n", 1, 5, ["unknown variable `nope` in evaluation"]),
    ("a = nope(nah)\n", 1, 5, ["unknown function", "nope"]),
    ("a = true(1)\n", 1, 5, ["unknown function", "true"]),
    ("a = length()\n", 1, 5, ["function `length` expects exactly 1 argument"]),
    ("a = length(1, 2)\n", 1, 5, ["function `length` expects exactly 1 argument"]),
    ("a = length(null)\n", 1, 5, ["length", "null"]),
    ("a = keys([1])\n", 1, 5, ["function `keys` expects object argument", "tuple"]),
    ("a = values(1)\n", 1, 5, ["function `values` expects object argument", "number"]),
    ("a = length(5...)\n", 1, 12, ["expansion", "requires tuple"]),
    ("a = {x = 1}.y\n", 1, 12, ["object does not contain key", "y"]),
    ('a = {x = 1}["y"]\n', 1, 12, ["object does not contain key", "y"]),
    ("a = {}[[1]]\n", 1, 7, ["string-like value", "tuple"]),
    ("a = [1][1]\n", 1, 8, ["tuple index", "out of range"]),
    ("a = [1][-1]\n", 1, 8, ["tuple index", "out of range"]),
    ("a = [1][0.5]\n", 1, 8, ["tuple index", "0.5"]),
    ("a = [1][1e999]\n", 1, 8, ["tuple index"]),
    ("a = 5[0]\n", 1, 6, ["index traversal requires tuple or object target", "number"]),
    ("a = [].x\n", 1, 7, ["attribute traversal requires object target", "tuple"]),
    ("a = null.*\n", 1, 9, ["splat traversal requires tuple or object target", "null"]),
    ("a = [{x = 1}, {y = 1}].*.x\n", 1, 25, ["object does not contain key", "x"]),
    ("a = [for v in null: v]\n", 1, 15, ["collection must evaluate to tuple or object", "null"]),
    ("a = [for v in [1]: v if v]\n", 1, 25, ["`for` expression `if` filter", "must evaluate to bool", "number"]),
    ("a = {for v in [[]]: v => 1}\n", 1, 21, ["object `for` key expression must evaluate to string-like value"]),
    ("a = {for v in [1, 1]: v => v}\n", 1, 23, ["duplicate key", "1", "without grouping"]),
    ('a = "%{ if 1 }y%{ endif }"\n', 1, 12, ["template `if` condition", "must evaluate to bool", "number"]),
    (
        'a = "%{ for v in "x" }y%{ endfor }"\n',
        1,
        18,
        ["template `for` directive", "collection must evaluate to tuple or object", "string"],
    ),
    ('a = "x%{ else }y"\n', 1, 7, ["unexpected template `else` directive"]),
    ('a = "x%{ endif }y"\n', 1, 7, ["unexpected template `endif` directive"]),
    ('a = "x%{ endfor }y"\n', 1, 7, ["unexpected template `endfor` directive"]),
    ('a = "%{ if false }a%{ else }b%{ else }c%{ endif }"\n', 1, 30, ["unexpected template `else` directive"]),
    ('a = "%{ if true }%{ for v in [1] }x%{ endif }"\n', 1, 18, ["template `for` directive is missing `%{ endfor }`"]),
    ('a = "%{ if true }y"\n', 1, 6, ["template `if` directive is missing `%{ endif }`"]),
    ('a = "%{ for v in [] }x"\n', 1, 6, ["template `for` directive is missing `%{ endfor }`"]),
    ("a = 1 + true\n", 1, 5, ["+", "number", "bool"]),
    ("a = 1 + 2 * true\n", 1, 9, ["*", "bool"]),
    ("a = (1) + (true)\n", 1, 5, ["+"]),
    ('a = "a" >= "b"\n', 1, 5, [">=", "string"]),
    ("a = -true\n", 1, 5, ["-", "bool"]),
    ("a = --true\n", 1, 6, ["-", "bool"]),
    ("a = !null\n", 1, 5, ["!", "null"]),
    ("a = 1 || true\n", 1, 5, ["||", "number"]),
    ("a = false || 1\n", 1, 5, ["||", "number"]),
    ("a = 1 / 0\n", 1, 5, ["division by zero"]),
    ("a = 5 % 1e-17\n", 1, 5, ["modulo by zero"]),
    ("a = 1 ? 2 : 3\n", 1, 5, ["bool", "number"]),
    ("a = false ? 1 : 1 ? 2 : 3\n", 1, 17, ["bool", "number"]),
    ('a = "x${[1]}"\n', 1, 7, ["primitive values", "tuple"]),
    ("a = {[1] = 2}\n", 1, 6, ["string-like value", "tuple"]),
    ("a = {({}) = 1}\n", 1, 6, ["string-like value", "object"]),
    ("b {\n}\nb {\n}\n", 3, 1, ["duplicate block", "b"]),
    ('b "k" {\n}\nb {\n}\n', 3, 1, ["duplicate block", "b"]),
    ('b "k" {\n}\nb "k" {\n}\n', 3, 1, ["duplicate labeled block", "b", "k"]),
    ('b = "x"\nb "k" {\n}\n', 2, 1, ["already an attribute", "b"]),
    ('b "k" "j" {\n}\nb "k" "j" {\n}\n', 3, 1, ["duplicate labeled block", "label path", "k.j"]),
    ('b "k" {\n  j = 1\n}\nb "k" "j" "i" {\n}\n', 4, 1, ["label path", "k.j.i", "collides"]),
    ('b = 1\nb "k" "j" {\n}\n', 2, 1, ["label path", "collides"]),
    ("x = [[1e999]]\n", 1, 7, ["invalid non-finite number", "inf", "x[0][0]"]),
    ("x = -1e308 * 10\n", 1, 5, ["invalid non-finite number", "-inf"]),
    ("x = 1e999 - 1e999\n", 1, 5, ["invalid non-finite number", "NaN"]),
]

CATALOGUE = LEXICAL + SYNTAX + EVALUATION


def errors_of(source: str | bytes) -> tuple[Diagnostic, ...]:
    with pytest.raises(HclError) as refused:
        evaluate(source, display_path="t.hcl")
    return refused.value.diagnostics


@pytest.mark.parametrize(("source", "line", "column", "phrases"), CATALOGUE, ids=[repr(row[0]) for row in CATALOGUE])
def test_the_first_error_has_its_place_and_names_the_cause(
    source: str, line: int, column: int, phrases: list[str]
) -> None:
    first = errors_of(source)[0]
    assert (first.line, first.column) == (line, column)
    assert first.severity is Severity.ERROR
    for phrase in phrases:
        assert phrase in first.message


def test_bad_utf8_is_reported_at_its_first_byte() -> None:
    (only,) = errors_of('a = "é"\nb = "é'.encode() + b'\xff"\n')
    assert (only.line, only.column) == (2, 7)
    assert "not valid UTF-8" in only.message


def test_a_lone_surrogate_is_no_text_either() -> None:
    (only,) = errors_of('a = "\ud800"\n')
    assert (only.line, only.column) == (1, 6)
    assert "not valid UTF-8" in only.message


def test_the_block_of_an_error() -> None:
    with pytest.raises(HclError) as refused:
        evaluate("x = 1\n\ta = [1, nope]\nb = 1 / 0\n", display_path="/repo/.vizier/t.hcl")
    assert str(refused.value).splitlines() == [
        "invalid HCL template /repo/.vizier/t.hcl:",
        "/repo/.vizier/t.hcl:2:10: unknown variable `nope` in evaluation; a parameter is written `$${name}`",
        "     a = [1, nope]",
        "             ^",
        "/repo/.vizier/t.hcl:3:5: operator `/`: division by zero",
        "    b = 1 / 0",
        "        ^",
    ]
    assert (
        str(refused.value)
        == f"invalid HCL template /repo/.vizier/t.hcl:\n{render(refused.value.diagnostics, '/repo/.vizier/t.hcl')}"
    )


def test_a_place_without_text_has_no_excerpt() -> None:
    with pytest.raises(HclError) as refused:
        evaluate("a = [1\n", display_path="t.hcl")
    assert len(str(refused.value).splitlines()) == 2


def test_a_long_line_is_shown_in_part() -> None:
    (only,) = errors_of(f'a = "{"é" * 5000}${{nope}}{"z" * 5000}"\n')
    assert only.column == 5008
    assert len(only.excerpt) <= 100
    assert only.excerpt[only.caret :].startswith("nope")


def test_nothing_from_the_file_reaches_the_terminal_raw() -> None:
    with pytest.raises(HclError) as refused:
        evaluate('a = {"\x1b[31m\\n\\u202e" = 1}["\\n\x1b"]\n', display_path="t.hcl")
    shown = str(refused.value)
    assert "\x1b" not in shown
    assert len(refused.value.diagnostics[0].message.splitlines()) == 1


def test_long_names_are_cut_in_messages() -> None:
    assert len(errors_of(f"a = {'n' * 10_000}\n")[0].message) < 200


def test_columns_count_code_points() -> None:
    assert errors_of('a = ["é😀é", nope]\n')[0].column == 13
    assert errors_of('\t"é"\n')[0].column == 2


def test_lines_are_counted_through_everything() -> None:
    assert errors_of("/* 1\n2 */\n\nx = <<E\n5\nE\n# 7\na = nope\n")[0].position == (8, 5)
    assert errors_of("x = 1\r\n\r\na = nope\r\n")[0].position == (3, 5)
    assert errors_of('# \x0c \u2028\nx = "\u2028"\na = nope\n')[0].position == (3, 5)


def test_a_file_with_a_syntax_error_is_not_evaluated() -> None:
    found = errors_of("a = nope\nb = 1 / 0\nc = [1 2]\n")
    assert [error.line for error in found] == [3]


def test_lexical_errors_come_before_syntax_errors() -> None:
    assert errors_of("a = [1 2]\nb = ;\n")[0].position == (2, 5)


def test_errors_inside_a_sequence_come_before_the_errors_of_the_string() -> None:
    assert errors_of('a = "${ ; } open\n')[0].position == (1, 9)


def test_every_broken_item_is_reported_once() -> None:
    found = errors_of("a = 1 2 3\nb {\n  x = = 1\n  y = 2\n  z = 3 3\n}\nc = [\n  1 2,\n  3 4\n]\nd = nope\ne = *\n")
    assert [error.position for error in found] == [(1, 7), (3, 7), (5, 9), (8, 5), (12, 5)]


@pytest.mark.parametrize(
    ("source", "places"),
    [
        ("a = (1 2)\nb = 1\nc = 2 2\n", [(1, 8), (3, 7)]),
        ('a = "${1 2\nx}"\nb = 1 1\n', [(1, 10), (3, 7)]),
        ("b {\n  x = 1 }\ny = 2 2\n", [(2, 9), (3, 7)]),
        ("a = 1\n}\nb = 1 1\n", [(2, 1), (3, 7)]),
        ("b {\n  a = [1 2\n", [(2, 10)]),
        ("b x {\n  y = 1\n} z\nc = 1 1\n", [(3, 3), (4, 7)]),
    ],
)
def test_the_next_item_is_found_after_an_error(source: str, places: list[tuple[int, int]]) -> None:
    assert [error.position for error in errors_of(source)] == places


def test_evaluation_goes_on_with_the_next_item() -> None:
    found = errors_of("a = nope\nb {\n  x = 1 + null\n}\nc = keys(1)\n")
    assert [error.position for error in found] == [(1, 5), (3, 7), (5, 5)]


@pytest.mark.parametrize("line", ["a{} = 1 2\n", "a{} = nope\n", "a{} = 1e999\n"])
def test_there_is_an_end_to_errors(line: str) -> None:
    assert len(errors_of("".join(line.format(number) for number in range(100)))) == 20


def test_a_broken_attribute_still_occupies_its_name() -> None:
    assert [error.position for error in errors_of('b = {x = nope}\nb "k" {\n}\n')] == [(1, 10)]
    assert [error.position for error in errors_of("b = nope\nb {\n}\n")] == [(1, 5), (2, 1)]
