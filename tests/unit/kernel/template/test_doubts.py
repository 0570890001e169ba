"""Preconditions that compile and will hardly do what their author wanted."""

import pytest

from .trees import Tree, compiled, shell, template

NAMED = {"kind": "custom", "id": "branch_exists", "args": {"branch": "main"}}
UNNAMED = {"kind": "custom", "id": "branch_exists", "args": {"branch": " "}}
BRANCHES = [{"key": "branch:a", "mode": "shared"}, {"key": "branch:b", "mode": "shared"}]


def warnings(precondition: Tree, *locks: Tree) -> list[str]:
    made = compiled(template(shell("n", preconditions=[precondition], locks=list(locks))))
    return [str(warning) for warning in made.warnings]


@pytest.mark.parametrize("precondition", [{"kind": "branch_exists"}, UNNAMED], ids=["builtin", "custom"])
def test_ws_04_17_with_two_branch_locks_it_is_the_branch_that_is_checked_out(precondition: Tree) -> None:
    (warning,) = warnings(precondition, *BRANCHES)
    assert warning.startswith("node `n` locks several branches (a, b), so its precondition `branch_exists` is about")


@pytest.mark.parametrize(
    ("precondition", "locks"),
    [
        ({"kind": "branch_exists"}, BRANCHES[:1]),
        (
            {"kind": "branch_exists"},
            [BRANCHES[0], {"key": "branch:a", "mode": "exclusive"}, {"key": "k", "mode": "shared"}],
        ),
        ({"kind": "branch_exists"}, []),
        (NAMED, BRANCHES),
        ({"kind": "clean_worktree"}, BRANCHES),
        ({"kind": "custom", "id": "clean_worktree"}, BRANCHES),
    ],
)
def test_what_is_clear_needs_no_warning(precondition: Tree, locks: list[Tree]) -> None:
    assert warnings(precondition, *locks) == []


def test_a_precondition_that_does_not_exist() -> None:
    assert warnings({"kind": "custom", "id": "branch_exist"}) == [
        "node `n` can never start: its precondition `branch_exist` does not exist; did you mean `branch_exists`?"
    ]
