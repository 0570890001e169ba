"""The pending plans of a real repository (spec 09 §4.4, §13.6)."""

import json
import time
from pathlib import Path
from typing import Any

import pytest

from vizier_core.errors import NoPrimaryBranchError, UnknownTargetError
from vizier_core.plan_inventory import PendingPlan, pending_plans
from vizier_core.vcs.git import Git
from vizier_core.vcs.primary import primary_branch

from .checkouts import Checkout, make_checkout


@pytest.fixture
def repo(tmp_path: Path) -> Checkout:
    return make_checkout(tmp_path / "repo")


def document(slug: str, spec: str = "Do it.", **keys: str) -> str:
    named = {"plan": slug, "branch": f"draft/{slug}", **keys}
    front = "".join(f"{key}: {value}\n" for key, value in named.items())
    return f"---\n{front}---\n\n## Operator Spec\n{spec}\n"


def draft(repo: Checkout, slug: str, text: str | None = None) -> str:
    """A pending branch with a plan document."""
    repo.branch(f"draft/{slug}", {f".vizier/implementation-plans/{slug}.md": text or document(slug)})
    return f"draft/{slug}"


def record(repo: Checkout, plan_id: str, **keys: Any) -> None:
    content = {"plan_id": plan_id, "created_at": "then", "updated_at": "then", **keys}
    repo.write(f".vizier/state/plans/{plan_id.strip() or 'blank'}.json", json.dumps(content))


class Listed:
    """The inventory, with what was said about it."""

    def __init__(self, repo: Checkout, target: str | None = None) -> None:
        self.warnings: list[str] = []
        self.notes: list[str] = []
        self.plans = pending_plans(repo.path, target, warn=self.warnings.append, tell=self.notes.append)

    @property
    def names(self) -> list[tuple[str, str]]:
        return [(plan.slug, plan.branch) for plan in self.plans]


def test_a_branch_with_a_document(repo: Checkout) -> None:
    draft(repo, "speed", document("speed", plan_id="pln_1"))
    assert Listed(repo).plans == [
        PendingPlan(plan_id="pln_1", slug="speed", branch="draft/speed", summary="Do it."),
    ]


def test_what_the_target_has_is_not_pending(repo: Checkout) -> None:
    draft(repo, "speed")
    repo.git("branch", "draft/same")
    repo.git("branch", "release", "draft/speed")
    assert Listed(repo).names == [("speed", "draft/speed")]
    assert Listed(repo, "release").names == []


def test_record_before_document_in_the_tree_before_branch(repo: Checkout) -> None:
    draft(repo, "speed", document("speed", "branch"))
    repo.write(".vizier/implementation-plans/any-name.md", document("speed", "tree"))
    assert [plan.summary for plan in Listed(repo).plans] == ["tree"]
    record(repo, "pln_1", slug="speed", branch="draft/speed", summary=" record ")
    assert [plan.summary for plan in Listed(repo).plans] == [" record "]
    record(repo, "pln_1", slug="speed", branch="draft/speed")
    assert [plan.summary for plan in Listed(repo).plans] == ["branch"]


def test_ws_09_09_a_branch_has_one_plan(repo: Checkout) -> None:
    draft(repo, "speed")
    record(repo, "pln_1", slug="velocity", branch="draft/speed", summary="s")
    repo.write(".vizier/implementation-plans/x.md", document("rate", branch="draft/speed"))
    assert Listed(repo).names == [("velocity", "draft/speed")]


def test_of_two_records_that_clash_the_first_slug_wins(repo: Checkout) -> None:
    draft(repo, "speed")
    record(repo, "pln_1", slug="velocity", branch="draft/speed", summary="s")
    record(repo, "pln_2", slug="aim", branch="draft/speed", summary="s")
    record(repo, "pln_3", branch="draft/speed", summary="s")
    assert Listed(repo).names == [("aim", "draft/speed")]


def test_ws_09_09_the_branch_counts_not_what_its_document_says(repo: Checkout) -> None:
    draft(repo, "speed", document("other", branch="draft/elsewhere"))
    listed = Listed(repo)
    assert listed.names == [("speed", "draft/speed")]
    assert listed.warnings == [
        "the plan document on draft/speed names plan `other` and branch `draft/elsewhere`",
    ]


def test_ws_09_09_one_prefix_is_stripped(repo: Checkout) -> None:
    draft(repo, "draft/x")
    assert Listed(repo).names == [("draft/x", "draft/draft/x")]


def test_ws_09_09_a_blank_branch_does_not_hide_the_work_reference(repo: Checkout) -> None:
    draft(repo, "speed")
    record(repo, "pln_1", branch=" ", work_ref="draft/speed", summary="s")
    assert Listed(repo).plans == [PendingPlan(plan_id="pln_1", slug="speed", branch="draft/speed", summary="s")]


def test_ws_09_11_what_cannot_be_read_is_told(repo: Checkout) -> None:
    draft(repo, "speed")
    repo.write(".vizier/state/plans/broken.json", "{")
    repo.write(".vizier/implementation-plans/broken.md", b"---\nplan: \xff\n---\n")
    listed = Listed(repo)
    assert listed.names == [("speed", "draft/speed")]
    assert [note.partition(": ")[0] for note in listed.notes] == ["plan record skipped", "plan document skipped"]
    assert "broken.json" in listed.notes[0]
    assert "broken.md" in listed.notes[1]


def test_ws_09_08_history_is_walked_once(repo: Checkout, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(8):
        draft(repo, f"plan-{number}")
    started: list[str] = []
    run = Git.run

    def counting(self: Git, *arguments: str, **options: Any) -> Any:
        started.append(arguments[0])
        return run(self, *arguments, **options)

    monkeypatch.setattr(Git, "run", counting)
    assert len(Listed(repo, "main").plans) == 8
    assert sorted(started) == ["cat-file", "for-each-ref", "show-ref"]


@pytest.mark.parametrize("name", ["gone", "", "HEAD", "refs/heads/main", "-x"])
def test_unknown_targets(repo: Checkout, name: str) -> None:
    with pytest.raises(UnknownTargetError, match=f"target branch {name} not found"):
        Listed(repo, name)


def test_no_branch_at_all(tmp_path: Path) -> None:
    repo = make_checkout(tmp_path / "bare")
    repo.git("checkout", "--quiet", "--detach")
    repo.git("branch", "-D", "main")
    with pytest.raises(NoPrimaryBranchError, match="--target"):
        Listed(repo)


def test_odd_names(repo: Checkout) -> None:
    for slug in ("two words", "quote'\"", "ünï\u2028code"):
        name = slug.replace(" ", "_")
        draft(repo, name)
    repo.git("update-ref", b"refs/heads/draft/bytes-\xff", "HEAD")
    assert [slug for slug, _ in Listed(repo).names] == ["quote'\"", "two_words", "ünï\u2028code"]


def test_sha256(tmp_path: Path) -> None:
    repo = make_checkout(tmp_path / "repo", "--object-format=sha256")
    draft(repo, "speed")
    assert Listed(repo).names == [("speed", "draft/speed")]


# The primary branch


def test_the_remote_decides(repo: Checkout) -> None:
    repo.branch("trunk", {"a": "a"})
    repo.git("symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/trunk")
    assert primary_branch(Git(repo.path)) == "trunk"


def test_a_remote_branch_that_is_not_here_does_not_count(repo: Checkout) -> None:
    repo.git("symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/gone")
    assert primary_branch(Git(repo.path)) == "main"


def test_main_then_master_then_the_newest(repo: Checkout) -> None:
    now = int(time.time())
    for age, name in enumerate(("alpha", "zeta", "middle")):
        tree = repo.tip("HEAD^{tree}")
        commit = repo.git("commit-tree", tree, "-m", name, GIT_COMMITTER_DATE=f"@{now - 1000 * age} +0000")
        repo.git("update-ref", f"refs/heads/{name}", commit)
    repo.git("branch", "master", "zeta")
    assert primary_branch(Git(repo.path)) == "main"
    repo.git("checkout", "--quiet", "--detach")
    repo.git("branch", "-D", "main")
    assert primary_branch(Git(repo.path)) == "master"
    repo.git("branch", "-D", "master")
    assert primary_branch(Git(repo.path)) == "alpha"
