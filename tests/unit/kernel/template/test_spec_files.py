"""Which nodes take in spec files (spec 04 §11)."""

import pytest

from vizier_kernel.template import SpecFile, spec_files, with_spec_texts
from vizier_kernel.template.snapshot import snapshot_hash

from .trees import BUILTIN, Tree, expanded, node, shell, template


def persist(**args: str) -> Tree:
    return template(node("n", BUILTIN + "plan.persist", args))


@pytest.mark.parametrize("source", [None, "inline", "stdin", " INLINE "])
@pytest.mark.parametrize("text", [{}, {"spec_text": ""}, {"spec_text": " \n"}])
def test_files_are_wanted(source: str | None, text: dict[str, str]) -> None:
    made = expanded(persist(spec_file=" specs/a.md ", **text, **({"spec_source": source} if source else {})))
    assert spec_files(made) == (SpecFile("n", "specs/a.md"),)


@pytest.mark.parametrize(
    "args",
    [
        {},
        {"spec_file": " "},
        {"spec_file": "a", "spec_text": "t"},
        {"spec_file": "a", "spec_source": "file"},
        {"spec_file": "a", "spec_source": ""},
    ],
)
def test_files_are_not_wanted(args: dict[str, str]) -> None:
    assert spec_files(expanded(persist(**args))) == ()


def test_other_operations_want_none() -> None:
    assert spec_files(expanded(template(shell("n") | {"args": {"spec_file": "a"}}))) == ()


def test_ws_04_18_blanks_around_uses_do_not_count() -> None:
    tree = persist(spec_file="a")
    tree["nodes"][0]["uses"] += " "
    assert spec_files(expanded(tree)) == (SpecFile("n", "a"),)


def test_texts_are_taken_as_they_are_and_hashed() -> None:
    made = expanded(template(node("n", BUILTIN + "plan.persist", {"spec_file": "a"}), shell("other")))
    text = "# Title\n\n${not} a parameter \n"
    filled = with_spec_texts(made, {"n": text})
    assert filled.nodes[0].args == {"spec_file": "a", "spec_text": text}
    assert filled.nodes[1] is made.nodes[1]
    assert snapshot_hash(filled) != snapshot_hash(with_spec_texts(made, {"n": "other"}))
    assert with_spec_texts(made, {}) is made
