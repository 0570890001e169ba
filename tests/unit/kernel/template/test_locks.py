"""Lock inference (spec 04 §16)."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vizier_kernel.scheduler import Lock, LockMode

from . import shipped
from .trees import BUILTIN, Tree, compiled, custom, node, only, plan, shell, template


def keys(tree: Tree, **top: Any) -> list[str]:
    locks = only(template(tree, **top)).schedule.locks
    assert all(lock.mode is LockMode.EXCLUSIVE for lock in locks)
    return [lock.key for lock in locks]


def test_declared_locks_stay_as_they_are() -> None:
    locks = [
        {"key": "b ${x}", "mode": "shared"},
        {"key": "a", "mode": "exclusive"},
        {"key": "b ${x}", "mode": "shared"},
        {"key": "a", "mode": "shared"},
    ]
    tree = template(node("n", args={"script": "true", "branch": "ignored"}, locks=locks), params={"x": "1"})
    assert only(tree).schedule.locks == (
        Lock("b 1", LockMode.SHARED),
        Lock("a", LockMode.EXCLUSIVE),
        Lock("a", LockMode.SHARED),
    )


@pytest.mark.parametrize("uses", ["control.terminal", "control.gate.approval"])
def test_nodes_without_locks(uses: str) -> None:
    assert keys(node("n", uses, {"branch": "b"}), params={"branch": "p"}) == []
    assert keys(node("n", uses, locks=[{"key": "k", "mode": "exclusive"}])) == ["k"]


def test_other_gates_have_locks() -> None:
    assert keys(node("n", "control.gate.cicd", gates=[{"kind": "cicd", "script": "x"}])) == ["repo_serial"]


def test_no_branch_anywhere() -> None:
    assert keys(shell("n", locks=[])) == ["repo_serial"]
    assert keys(node("n", BUILTIN + "worktree.prepare", {"slug": "s"}), params={"slug": "s", "branch": " "}) == [
        "repo_serial"
    ]


def test_arguments_in_their_order() -> None:
    args = {
        "script": "true",
        "target_branch": "e",
        "target": " d ",
        "plan_branch": " ",
        "source_branch": "b",
        "branch": "a",
    }
    assert keys(node("n", args=args)) == ["branch:a", "branch:b", "branch:d", "branch:e"]


def test_artifacts_in_declared_order() -> None:
    tree = shell(
        "n",
        needs=[
            plan("plan_doc", "s", "z"),
            {"target_branch": {"name": "main"}},
            plan("plan_branch", "s", "y"),
            {"merge_sentinel": {"slug": "q"}},
            custom("t", "branch"),
        ],
        produces={
            "failed": [plan("plan_commits", "s", "b")],
            "succeeded": [plan("plan_doc", "s", "c"), plan("plan_doc", "s", "z")],
        },
    )
    assert keys(tree) == ["branch:z", "branch:main", "branch:y", "branch:c", "branch:b"]


def test_arguments_then_scope() -> None:
    tree = node("n", args={"script": "true", "branch": "draft/alpha"})
    assert keys(tree, params={"target_branch": "main", "slug": "alpha"}) == ["branch:draft/alpha", "branch:main"]


def test_stages_are_locked_by_their_own_parameters() -> None:
    inputs = {"slug": "s", "branch": "draft/s", "target_branch": "main", "spec_text": "x"}
    made = compiled(shipped.develop(), shipped.FILES, **inputs)
    locks = {n.id: [lock.key for lock in n.schedule.locks] for n in made.nodes}
    assert locks["develop_draft__stage_files"] == ["branch:draft/s"]
    assert locks["develop_merge__merge_integrate"] == ["branch:draft/s", "branch:main"]
    assert locks["develop_merge__terminal"] == []


def test_a_run_given_only_a_slug_serialises_on_the_repository() -> None:
    made = compiled(shipped.draft(), slug="s", spec_text="x")
    assert [lock.key for lock in made.nodes[0].schedule.locks] == ["repo_serial"]


TEXTS = st.text("ab ", max_size=2)


@given(
    st.dictionaries(st.sampled_from(["branch", "source_branch", "plan_branch", "target", "target_branch"]), TEXTS),
    st.lists(TEXTS, max_size=4),
    st.dictionaries(st.sampled_from(["branch", "source_branch", "plan_branch", "target", "target_branch"]), TEXTS),
)
def test_inferred_locks_are_distinct_and_never_blank(
    args: dict[str, str], branches: list[str], params: dict[str, str]
) -> None:
    tree = shell("n", needs=[plan("plan_doc", "s", branch) for branch in branches])
    found = keys(tree | {"args": {"script": "true", **args}}, params=params)
    texts = {text.strip() for text in (*args.values(), *branches, *params.values())} - {""}
    assert sorted(found) == (sorted(f"branch:{text}" for text in texts) or ["repo_serial"])
