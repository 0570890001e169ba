"""Quoted strings, heredocs and what stands in them (spec 05 §4, §5, §7)."""

import pytest

from vizier_hcl import HclError, Plain, evaluate

STRINGS = {
    # Escapes, `$` and `%`.
    r'"\u0041\u00E9\U0001f600"': "A\u00e9\U0001f600",
    r'"\r\n"': "\r\n",
    r'"a\u0000b"': "a\x00b",
    r'"\x41\0\a\ \(\)\$\%\{"': "x410a ()$%{",
    r'"\$${1}"': "$1",
    r'"\${1}"': "${1}",
    r'"\%{1}"': "%{1}",
    r'"\\${1}"': "\\1",
    '"a\u2028b\x0bc\td"': "a\u2028b\x0bc\td",
    '"# no // comment /* here */"': "# no // comment /* here */",
    '"%%%{x}"': "%%{x}",
    '"$ {x} % {y} {$} $}"': "$ {x} % {y} {$} $}",
    '""': "",
    # Where a sequence ends.
    '"${"}"}"': "}",
    '"<${{k = "}"}.k}>"': "<}>",
    '"<${["a", "b"][1]}>"': "<b>",
    '"<${"${"${"x"}"}"}>"': "<x>",
    '"<${"a${"b"}c${"}"}"}>"': "<abc}>",
    '"<${\n\n"a"\n\n}>"': "<a>",
    '"<${{\n  k = "v"\n}.k}>"': "<v>",
    '"<${<<E\nx}\nE\n}>"': "<x}\n>",
    # Text of other types.
    '"${true}|${false}|${null}|${1.50}"': "true|false|null|1.5",
    '"${"x" == "x"}${1 < 0}"': "truefalse",
    # Strip markers.
    '"a  ${~ "b" ~}  c"': "abc",
    '"a  ${~ "b" }  c"': "ab  c",
    '"a ${" b " ~} c"': "a  b c",
    '"a\u200b ${~ 1 ~} \ufeffb"': "a\u200b1\ufeffb",
    '"a\x1c ${~ 1 ~} \x1fb"': "a\x1c1\x1fb",
    '"a\u3000${~ 1 ~}\u2028b"': "a1b",
    '" ${~ " x " ~} "': " x ",
    '"${1 ~} ${~ 2}"': "12",
    # Directives.
    '"<%{ if false }y%{ else }n%{ endif }>"': "<n>",
    '"<%{ if false }y%{ endif }>"': "<>",
    '"a %{~ if true ~} b %{~ endif ~} c"': "abc",
    '"%{ for a in ["x", "y"] }%{ for b in [1, 2] }${a}${b} %{ endfor }%{ endfor }"': "x1 x2 y1 y2 ",
    '"%{ for n in [1, 2, 3] }%{ if n != 2 }${n}%{ else }-%{ endif }%{ endfor }"': "1-3",
    '"%{ for v in [] }${nope}%{ endfor }ok"': "ok",
    '"%{ if false }${nope}%{ else }ok%{ endif }"': "ok",
    '"%{ for k, k in {a = "v"} }${k}%{ endfor }"': "v",
    # A stray directive in a branch that is not written is not noticed.
    '"%{ if false }%{ endfor }%{ endif }x"': "x",
    '"%{ if true }a%{ else }b%{ else }c%{ endif }"': "a",
    '"%{ if false }%{ for v in [1] }x%{ endif }ok"': "ok",
    # Normalisation.
    r'"e\u0301"': "\u00e9",
    r'"${"e"}\u0301${1}"': "\u00e91",
}

HEREDOCS = {
    '<<E\n\\n \\t "q" $HOME $(x) 5%\nE': '\\n \\t "q" $HOME $(x) 5%\n',
    "<<E\n$${a} %%{b} ${1 + 1}\nE": "${a} %{b} 2\n",
    "<<END\nENDING\n END x\nEND,\nEND": "ENDING\n END x\nEND,\n",
    "<<E-1_é\nx\nE-1_é": "x\n",
    "<<E  \t\nx\nE": "x\n",
    "<<E\n\nE": "\n",
    "<<E\nx\n\t \tE": "x\n",
    "<<E\n${true}\nE": "true\n",
    "<<E\n${1}${\n  2\n}\nE": "12\n",
    "<<E\n${<<F\nx\nF\n}y\nE": "x\ny\n",
    "<<E\na\n   ${~ 1 ~}\n\n b\nE": "a1b\n",
    "<<E\n  kept\nE": "  kept\n",
    "<<E\r\nx\r\nE\r": "x\r\n",
    # Indentation.
    "<<-E\n\t\tx\n\t\t\ty\n\tE": "x\n\ty\n",
    "<<-E\n    x\n  \n      \n    y\n    E": "x\n\n  \ny\n",
    "<<-E\nx\n  y\nE": "x\n  y\n",
    "<<-E\n\u3000\u3000x\n\u3000y\n  E": "\u3000x\ny\n",
    "<<-E\n  a\u2028  b\n    c\n  E": "a\u2028  b\n  c\n",
    '<<-E\n    ${"  a"}\n      b\n  E': "  a\n  b\n",
    '<<-E\n    a ${"p\\nq"} b\n    c\n  E': "a p\nq b\nc\n",
    "<<-E\n    x ${1}   y\n    z\n  E": "x 1   y\nz\n",
    # Text that follows an interpolation ending in a line break is at the start of a line.
    '<<-E\n    ${"x\\n"}      y\n    z\n  E': "x\n  y\nz\n",
    # After a directive it is not.
    '<<-E\n    %{ if true }${"x\\n"}%{ endif }  y\n    z\n  E': "x\n  y\nz\n",
    '<<-E\n    ${"x\\n"}%{ if true }%{ endif }  y\n    z\n  E': "x\n  y\nz\n",
    '<<-E\n    ${"x\\n"}%{ for v in [] }%{ endfor }  y\n    z\n  E': "x\n  y\nz\n",
    "<<-E\n  %{ if true ~}\n  yes\n  %{ else ~}\n  no\n  %{ endif ~}\n  E": "yes\n",
    "<<-E\n    %{ for k, v in {b = 2, a = 1} ~}\n    ${k}=${v}\n    %{ endfor ~}\n    E": "a=1\nb=2\n",
    # Strip markers do not change what counts as indentation.
    "<<-E\n    a\n  ${~ 1 ~}\n    b\n  E": "  a1b\n",
    "<<-E\n  E": "",
}

UNWRAPPED: dict[str, Plain] = {
    '"${1}"': 1,
    '"${null}"': None,
    '"${{a = 1}}"': {"a": 1},
    '"${~ [1] ~}"': [1],
    '"${"${[1]}"}"': [1],
    '"${1} "': "1 ",
    '"%{ if true }${1}%{ endif }"': "1",
    '"${1}${""}"': "1",
}


def value(expression: str) -> Plain:
    return evaluate(f"a = {expression}\n", display_path="t.hcl").value["a"]


@pytest.mark.parametrize(("expression", "text"), STRINGS.items(), ids=map(repr, STRINGS))
def test_quoted_string(expression: str, text: str) -> None:
    assert value(expression) == text


@pytest.mark.parametrize(("expression", "text"), HEREDOCS.items(), ids=map(repr, HEREDOCS))
def test_heredoc(expression: str, text: str) -> None:
    assert value(expression) == text


@pytest.mark.parametrize(("expression", "plain"), UNWRAPPED.items(), ids=map(repr, UNWRAPPED))
def test_only_a_sole_interpolation_keeps_its_type(expression: str, plain: Plain) -> None:
    found = value(expression)
    assert found == plain
    assert type(found) is type(plain)


def test_tuples_and_objects_in_text_are_errors_even_when_blanks_around_them_are_stripped() -> None:
    with pytest.raises(HclError):
        value('" ${~ [1] ~} "')


def test_a_marker_line_inside_a_sequence_ends_the_heredoc() -> None:
    """Spec 05 §5 rule 4: so the sequence is never closed."""
    with pytest.raises(HclError) as refused:
        evaluate("a = <<E\n${[\nE\n]}\nE\n", display_path="t.hcl")
    assert refused.value.diagnostics[0].position == (2, 1)


@pytest.mark.parametrize(
    ("source", "place"),
    [
        ('a = "${"x\ny"}"\n', (1, 10)),  # The sequence is complete, so its own error counts.
        ('a = "${"x\n', (1, 6)),  # Nothing closes the sequence: that is the error.
        ('a = "${foo" }\nb = "x"\n', (1, 6)),
        ('a = "${(1}"\n', (1, 6)),
        ('a = "${<<E\nx\n}"\n', (1, 8)),
        ('a = "${ /* }"\n', (1, 9)),
        ('a = "b${"c${1"}"}"\n', (1, 7)),
        ("a = <<E\n${<<E\nx\nE\n}\nE\n", (2, 1)),
        ("a = <<E\n${<<F\nx\nE\n", (2, 1)),
        ("a = <<E\n${<<F\nx\nE\nF\n}\nE\n", (2, 1)),
    ],
)
def test_the_outermost_unclosed_sequence_is_the_error(source: str, place: tuple[int, int]) -> None:
    with pytest.raises(HclError) as refused:
        evaluate(source, display_path="t.hcl")
    assert [error.position for error in refused.value.diagnostics] == [place]


@pytest.mark.parametrize("backslash", ["", "\\"])
@pytest.mark.parametrize("line_break", ["\n", "\r\n", "\r"])
def test_a_string_ends_on_its_line(backslash: str, line_break: str) -> None:
    """Ruling R39: a backslash does not save a line break."""
    with pytest.raises(HclError) as refused:
        evaluate(f'a = "x{backslash}{line_break}y"\n', display_path="t.hcl")
    assert refused.value.diagnostics[0].line == 1
