"""Placeholders in prompts (spec 06 §8)."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vizier_kernel.placeholders import PlaceholderError, may_be_missing, prompt_variables, render

FILES = {"notes/goal.txt": "faster\n", "/abs/about.md": "abs\n", "f.txt": "{{not.a.key}}"}


def rendered(text: str, **variables: str) -> str:
    return render(text, variables, FILES.__getitem__)


def variables(node: str, nodes: Mapping[str, Mapping[str, str]], root: str = "/x") -> dict[str, str]:
    return prompt_variables(node, nodes.get(node, {}), nodes, root)


def test_the_example_of_the_chapter() -> None:
    nodes = {"ask": {"base": "main"}, "persist": {"slug": "tidy"}}
    text = "Plan {{persist.slug}} on {{ base }}:{{file:notes/goal.txt}}"
    assert render(text, variables("ask", nodes), FILES.__getitem__) == "Plan tidy on main:faster\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ""),
        ("no braces {a} }} {", "no braces {a} }} {"),
        ("{{a}}", "1"),
        ("{{\n a\t}}", "1"),
        ("{{a}}{{a}}", "11"),
        ("a }} {b} {{ a }}}} c", "a }} {b} 1}} c"),
        ("{{file: notes/goal.txt }}|", "faster\n|"),
        ("{{file:/abs/about.md}}", "abs\n"),
        ("{ {a}}", "{ {a}}"),
    ],
)
def test_values_take_the_place_of_names(text: str, expected: str) -> None:
    assert rendered(text, a="1") == expected


def test_inserted_values_are_not_looked_at_again() -> None:
    assert rendered("{{a}}/{{file:f.txt}}", a="{{b}}", b="x") == "{{b}}/{{not.a.key}}"


@pytest.mark.parametrize(
    ("text", "phrases"),
    [
        ("one\ntwo {{name", ["unclosed placeholder", "line 2"]),
        ("{{}}", ["empty placeholder", "line 1"]),
        ("{{ \n }}", ["empty placeholder"]),
        ("{{nothing.here}}", ["unresolved placeholder", "{{nothing.here}}"]),
        ("{{nme}}", ["unresolved placeholder", "{{nme}}", "did you mean `name`?"]),
        ("{{{name}}}", ["unresolved placeholder", "{{{name}}"]),
        ("{{NAME}}", ["unresolved placeholder"]),
        ("{{file:}}", ["requires a non-empty path"]),
        ("{{file:  }}", ["requires a non-empty path"]),
        ("{{" + "x" * 5000 + "}}", ["unresolved placeholder", "xxx..."]),
    ],
)
def test_errors_say_what_is_wrong_and_where(text: str, phrases: list[str]) -> None:
    with pytest.raises(PlaceholderError) as caught:
        rendered(text, name="n")
    message = str(caught.value)
    assert [phrase for phrase in phrases if phrase not in message] == []
    assert len(message) < 500


def test_what_reading_a_file_raises_reaches_the_caller() -> None:
    with pytest.raises(KeyError, match="gone"):
        rendered("{{file:gone}}")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (r"\{{a}}", "{{a}}"),
        (r"\{{unknown}} {{a}}", "{{unknown}} 1"),
        (r"\{{", "{{"),
        (r"\\{{a}}", r"\1"),
        (r"\\\{{a}}", r"\{{a}}"),
        (r"C:\dir\ \{a} \}} \\", r"C:\dir\ \{a} \}} \\"),
        (r"\{{{{a}}", "{{1"),
    ],
)
def test_ws_06_33_a_backslash_makes_braces_text(text: str, expected: str) -> None:
    assert rendered(text, a="1") == expected


@given(st.text(alphabet="ab{}\\ \n", max_size=30))
def test_ws_06_33_any_text_can_be_written(text: str) -> None:
    """Doubling the backslashes in front of braces and adding one gives text that renders to the original."""
    pieces = text.split("{{")
    escaped = []
    for piece in pieces[:-1]:
        stem = piece.rstrip("\\")
        escaped.append(stem + "\\" * (2 * (len(piece) - len(stem)) + 1))
    assert render("{{".join([*escaped, pieces[-1]]), {}, FILES.__getitem__) == text


@given(st.text(alphabet="ab{} .\n", max_size=30))
def test_every_text_renders_or_is_refused(text: str) -> None:
    try:
        result = render(text, {"a": "1", "b.a": "2"}, FILES.__getitem__)
    except PlaceholderError:
        assert "{{" in text
    else:
        assert "{{" in text or result == text


def test_many_placeholders_take_linear_time() -> None:
    assert render("{{a}}\n" * 100_000 + "\\" * 100_000, {"a": "x"}, str) == "x\n" * 100_000 + "\\" * 100_000


def test_own_arguments_come_first() -> None:
    nodes = {"ask": {"base": "own", "execution_root": "mine", "other.base": "own too"}, "other": {"base": "theirs"}}
    found = variables("ask", nodes)
    assert found["base"] == found["ask.base"] == "own"
    assert found["execution_root"] == "mine"
    assert found["other.base"] == "own too"


def test_execution_root_is_a_name() -> None:
    assert variables("ask", {}, "/here") == {"execution_root": "/here"}


def test_composed_vector() -> None:
    """Spec 06 §8.3: an alias of the own stage, and a suffix that is unique."""
    nodes = {
        "develop_draft__resolve_prompt": {"prompt_text": "x"},
        "develop_draft__persist_plan": {"name_override": "run"},
        "develop_merge__persist_plan": {"name_override": "other"},
        "develop_shared__persist_meta": {"name_override": "shared"},
    }
    found = variables("develop_draft__resolve_prompt", nodes)
    assert found["persist_plan.name_override"] == "run"
    assert found["persist_meta.name_override"] == "shared"
    assert found["develop_merge__persist_plan.name_override"] == "other"


def test_an_ambiguous_suffix_is_no_alias() -> None:
    found = variables("ask", {"ask": {}, "a__save": {"v": "1"}, "b__save": {"v": "2"}})
    assert "save.v" not in found
    assert (found["a__save.v"], found["b__save.v"]) == ("1", "2")


def test_a_suffix_is_what_follows_the_last_separator() -> None:
    found = variables(
        "flow__draft__ask", {"flow__draft__ask": {}, "flow__draft__save": {"v": "1"}, "x__y__z": {"v": "2"}}
    )
    assert found["save.v"] == "1"
    assert found["z.v"] == "2"
    assert "draft__save.v" not in found
    assert "y__z.v" not in found


def test_the_own_namespace_reaches_below_itself() -> None:
    found = variables("flow__ask", {"flow__ask": {}, "flow__draft__save": {"v": "1"}})
    assert found["draft__save.v"] == found["save.v"] == "1"


def test_ids_without_namespace_have_no_alias() -> None:
    assert set(variables("ask", {"ask": {}, "save": {"v": "1"}, "tail__": {"v": "2"}})) == {
        "execution_root",
        "save.v",
        "tail__.v",
    }


@pytest.mark.parametrize("foreign", ["persist", "a__persist"])
def test_ws_06_33_the_own_namespace_beats_a_foreign_full_id(foreign: str) -> None:
    """Ruling R64: `persist` of the own stage is meant, whatever sorts first."""
    nodes = {"z__ask": {}, "z__persist": {"slug": "own"}, foreign: {"slug": "foreign"}}
    assert variables("z__ask", nodes)["persist.slug"] == "own"


def test_between_foreign_nodes_the_first_id_wins() -> None:
    found = variables("ask", {"ask": {}, "a__save": {"v": "suffix"}, "save": {"v": "full"}})
    assert found["save.v"] == "suffix"
    assert variables("ask", {"ask": {}, "zz__save": {"v": "suffix"}, "save": {"v": "full"}})["save.v"] == "full"


@pytest.mark.parametrize(
    ("path", "optional"),
    [
        (".vizier/narrative/snapshot.md", True),
        ("./.vizier/narrative/snapshot.md", True),
        ("././.vizier/narrative/x/y.md", True),
        ("docs/.vizier/narrative/snapshot.md", False),
        (".vizier/narrative", False),
        (".vizier/prompts/x.md", False),
        ("/.vizier/narrative/x.md", False),
    ],
)
def test_narrative_documents_may_be_missing_in_ephemeral_runs(path: str, optional: bool) -> None:
    assert may_be_missing(path) is optional
