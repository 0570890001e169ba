"""What holds for every input (spec 05), tried on generated ones."""

import contextlib
import json
import math
import unicodedata
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from vizier_hcl import Diagnostic, HclError, Plain, evaluate
from vizier_hcl.diagnostics import SourceError
from vizier_hcl.lexer import Lexer
from vizier_hcl.text import nfc
from vizier_hcl.tokens import TokenKind
from vizier_hcl.values import number_text

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20).map(nfc)
NUMBERS = st.one_of(st.integers(-(2**53), 2**53), st.floats(allow_nan=False, allow_infinity=False))
SCALARS = st.one_of(st.none(), st.booleans(), NUMBERS, TEXT)
TREES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4), max_leaves=20
)

#: Pieces of the language, so that generated text gets further than the first character.
PIECES = st.sampled_from(
    [
        *(
            "a",
            "b",
            "nope",
            "=",
            ":",
            "{",
            "}",
            "[",
            "]",
            "(",
            ")",
            '"',
            '"',
            "${",
            "%{",
            "~",
            "~}",
            "\n",
            "\n",
            " ",
            "\t",
        ),
        *(
            "\r\n",
            "\r",
            "#",
            "//",
            "/*",
            "*/",
            "<<E\n",
            "<<-E\n",
            "  E\n",
            "E\n",
            "1",
            "2.5",
            "1e",
            ".",
            "...",
            ",",
            "+",
        ),
        *(
            "-",
            "*",
            "/",
            "%",
            "!",
            "&&",
            "||",
            "==",
            "?",
            "<",
            "=>",
            "for ",
            "in ",
            "if ",
            "else ",
            "endif ",
            "endfor ",
        ),
        *(
            "true",
            "null",
            "length(",
            "\\",
            "\\n",
            "\\u00e9",
            "$",
            "$${",
            "%%{",
            "é",
            "\u0301",
            "\u2028",
            "[*]",
            ".*",
            ".0",
        ),
    ]
)
SOURCES = st.lists(PIECES, max_size=40).map("".join)


def quoted(text: str, escape: bool) -> str:
    """A string of the language; with ``escape`` everything that can be is written as an escape."""
    if escape:
        return '"' + "".join(f"\\U{ord(character):08x}" for character in text) + '"'
    named = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r"}
    written = "".join(named.get(character, character) for character in text)
    return '"' + written.replace("${", "$${").replace("%{", "%%{") + '"'


def literal(tree: Plain, escape: bool, separator: str) -> str:
    """A tree as an expression of the language."""
    match tree:
        case None | bool():
            return json.dumps(tree)
        case int() | float():
            return repr(tree)
        case str():
            return quoted(tree, escape)
        case list():
            return "[" + separator.join(literal(item, escape, separator) for item in tree) + "]"
        case dict():
            items = (f"{quoted(key, escape)} = {literal(item, escape, separator)}" for key, item in tree.items())
            return "{" + separator.join(items) + "}"


def delivered(tree: Plain) -> Plain:
    """The tree as the language delivers it: whole numbers as integers, keys in order."""
    match tree:
        case float() if tree.is_integer():
            return int(Decimal(repr(tree)))
        case list():
            return [delivered(item) for item in tree]
        case dict():
            return {key: delivered(tree[key]) for key in sorted(tree)}
    return tree


@given(TREES, st.booleans(), st.sampled_from([", ", ",", "\n", ",\n\n"]))
def test_a_tree_written_as_literals_evaluates_to_itself(tree: Plain, escape: bool, separator: str) -> None:
    source = f"a = {literal(tree, escape, separator)}"
    assert json.dumps(evaluate(source, display_path="t.hcl").value) == json.dumps({"a": delivered(tree)})


@given(st.lists(TEXT.filter(lambda text: "\n" not in text and "\r" not in text), max_size=5), st.integers(0, 8))
def test_a_heredoc_is_its_lines(lines: list[str], indent: int) -> None:
    lines = [line.replace("${", "").replace("%{", "") for line in lines]
    body = "".join(f"{' ' * indent}x{line}\n" for line in lines)
    for opening, kept in (("<<", " " * indent), ("<<-", "")):
        source = f"a = {opening}END\n{body}{' ' * indent}END\n"
        assert evaluate(source, display_path="t.hcl").value == {"a": nfc("".join(f"{kept}x{line}\n" for line in lines))}


def errors_of(source: str | bytes) -> tuple[Diagnostic, ...]:
    """The errors of a file, none if it is fine; anything else that is raised fails the test."""
    try:
        evaluate(source, display_path="t.hcl")
    except HclError as error:
        return error.diagnostics
    return ()


@given(st.one_of(st.text(), SOURCES, SOURCES.map("a = {}\n".format)))
def test_any_text_evaluates_or_has_errors_at_places_in_it(source: str) -> None:
    lines = source.split("\n")
    for error in errors_of(source):
        assert 1 <= error.line <= len(lines)
        assert 1 <= error.column <= len(lines[error.line - 1]) + 1
        assert len(error.message.splitlines()) == 1
        assert error.render("t.hcl").startswith(f"t.hcl:{error.line}:{error.column}: ")


@given(st.binary())
def test_any_bytes_evaluate_or_have_errors(source: bytes) -> None:
    try:
        text = source.decode()
    except UnicodeDecodeError:
        assert len(errors_of(source)) == 1
    else:
        assert errors_of(source) == errors_of(text)


@given(SOURCES)
def test_tokens_cover_the_text_in_order(source: str) -> None:
    tokens = []
    with contextlib.suppress(SourceError):
        tokens = Lexer(source).tokens()
    at = 0
    for token in tokens:
        assert at <= token.start <= token.end <= len(source)
        assert source[at : token.start].strip(" \t\n") == "" or any(mark in source for mark in ("#", "/", "<<"))
        at = token.end
        if token.text and token.kind is not TokenKind.TEXT:
            assert source[token.start : token.end] == token.text
    assert [token.kind for token in tokens].count(TokenKind.END) == (1 if tokens else 0)


@given(SOURCES, st.integers(1, 5))
def test_lines_before_a_file_only_move_its_errors(source: str, lines: int) -> None:
    there = [(error.line + lines, error.column) for error in errors_of(source)]
    assert [tuple(error.position) for error in errors_of("\n" * lines + source)] == there


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_number_text_is_the_shortest_decimal(number: float) -> None:
    text = number_text(number)
    assert "e" not in text
    assert float(text) == number
    expected = format(Decimal(repr(number)), "f").removesuffix(".0")
    assert text == ("0" if number == 0 else expected)


@given(st.floats(allow_nan=False, allow_infinity=False), st.floats(allow_nan=False, allow_infinity=False))
def test_arithmetic_is_that_of_doubles(left: float, right: float) -> None:
    def shown(number: float) -> str:
        return number_text(number) if math.isfinite(number) else "inf" if number > 0 else "-inf"

    source = f'a = "${{{left!r} + {right!r}}} ${{{left!r} * {right!r}}} ${{{left!r} < {right!r}}}"\n'
    expected = f"{shown(left + right)} {shown(left * right)} {str(left < right).lower()}"
    assert evaluate(source, display_path="t.hcl").value == {"a": expected}


MARKS = st.text(
    st.sampled_from("ae\u00e9\u0301\u0316\u0327\u0f71\u0f73\u0f75\u0f81\u0344\u1100\u1161\u11a8\uac00\u0958")
)


@given(MARKS, st.integers(0, 40))
def test_normalisation_is_that_of_the_standard_library(text: str, repeat: int) -> None:
    assert nfc(text * repeat) == unicodedata.normalize("NFC", text * repeat)
