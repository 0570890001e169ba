"""What the scheduler finds out: about artifacts, preconditions, pinned heads (spec 01 §4)."""

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from vizier_core.index import RecordIndex
from vizier_core.jobs.facts import build_scheduler_facts, effective_branch
from vizier_core.jobs.published import publish
from vizier_core.jobs.store import JobStore
from vizier_kernel.artifacts import Artifact, ArtifactKind
from vizier_kernel.scheduler import Facts, JobFacts, JobStatus, Lock, LockMode, Satisfaction

from ..records import Document, after, custom, document, needs, put, put_text

DIRTY = "working tree has uncommitted or untracked changes"


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with one commit on the branch `main`, to be copied."""
    root = tmp_path_factory.mktemp("repository")
    git(root, "init", "--quiet", "--initial-branch=main", "--template=")
    (root / ".gitignore").write_text("ignored\n")
    git(root, "add", ".gitignore")
    git(root, "commit", "--quiet", "--message=x")
    return root


@pytest.fixture
def root(repository: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(repository, tmp_path / "project"))


def git(directory: Path, *arguments: str) -> str:
    names = {f"GIT_{who}_{what}": "t" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    environment = {"PATH": os.environ["PATH"], "HOME": str(directory), "GIT_CONFIG_NOSYSTEM": "1", **names}
    done = subprocess.run(
        ["git", *arguments], cwd=directory, env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


@pytest.fixture
def no_git(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A tick that starts git now would fail the test."""
    monkeypatch.setattr(subprocess, "Popen", lambda *_, **__: pytest.fail("a program was started"))


def facts_of(store: JobStore) -> Facts:
    index = RecordIndex(store)
    index.refresh()
    return build_scheduler_facts(index, store)


def facts(store: JobStore, job_id: str = "job-a") -> JobFacts:
    (found,) = (one for one in facts_of(store).jobs if one.job_id == job_id)
    return found


def exists(store: JobStore, artifact: Document) -> bool:
    put(store, document(schedule={"dependencies": needs(artifact)}))
    return bool(facts_of(store).existing)


def precondition(store: JobStore, item: Document, **schedule: Any) -> tuple[Satisfaction, str]:
    put(store, document(schedule={"preconditions": [item], **schedule}))
    (fact,) = facts(store).preconditions
    return fact.satisfaction, fact.detail


SATISFIED = (Satisfaction.SATISFIED, "")


# Jobs, predecessors, producers


def test_only_jobs_that_may_move_are_looked_at_oldest_first(store: JobStore) -> None:
    for number, status in enumerate(JobStatus):
        put(store, document(f"job-{status.value}", status.value, second=60 - 1 - number))
    order = [one.job_id for one in facts_of(store).jobs]
    assert order == ["job-waiting_on_locks", "job-waiting_on_approval", "job-waiting_on_deps", "job-queued"]


def test_ws_01_20_jobs_of_one_moment_are_ordered_by_id(store: JobStore) -> None:
    for job_id in ("job-b", "job-c", "job-a"):
        put(store, document(job_id))
    assert [one.job_id for one in facts_of(store).jobs] == ["job-a", "job-b", "job-c"]


def test_predecessors_are_known_missing_or_unreadable(store: JobStore) -> None:
    put(store, document(schedule={"after": after("done", "garbled", "ghost")}))
    put(store, document("done", "succeeded"))
    put_text(store, "garbled", "{")
    found = facts_of(store)
    assert found.statuses["done"] is JobStatus.SUCCEEDED
    assert "ghost" not in found.statuses
    assert "line 1 column 2" in found.unreadable["garbled"]


def test_producers_count_whatever_became_of_them(store: JobStore) -> None:
    put(store, document(schedule={"dependencies": needs(custom()), "artifacts": [custom()]}))
    put(store, document("failed", "failed", second=1, schedule={"artifacts": [custom()]}))
    put(store, document("running", "running", second=2, schedule={"artifacts": [custom()]}))
    found = facts_of(store)
    assert found.producers == {Artifact.custom("token", "t"): ("job-a", "failed", "running")}
    assert {job: found.statuses[job].value for job in ("failed", "running")} == {
        "failed": "failed",
        "running": "running",
    }


def test_locks_are_held_by_running_jobs_only(store: JobStore) -> None:
    for status in ("running", "queued", "succeeded"):
        put(store, document(status, status, schedule={"locks": [{"key": status, "mode": "shared"}]}))
    assert facts_of(store).held == (Lock("running", LockMode.SHARED),)


def test_approvals_count_if_required(store: JobStore) -> None:
    for required in (True, False):
        approval = {"required": required, "state": "pending", "requested_at": "2026-03-04T09:15:02Z"}
        put(store, document(schedule={"approval": approval}))
        assert (facts(store).approval is not None) is required


def test_a_record_without_a_schedule_has_no_gates(store: JobStore) -> None:
    put(store, document(schedule=None, child_args=[]))
    assert facts(store) == JobFacts(job_id="job-a", status=JobStatus.QUEUED, has_child_args=False)


@pytest.mark.usefixtures("no_git")
def test_ws_01_18_nothing_is_probed_for_a_job_that_waits_for_another(store: JobStore) -> None:
    schedule = {
        "after": after("running"),
        "dependencies": needs({"target_branch": {"name": "main"}}),
        "pinned_head": {"branch": "main", "oid": "0" * 40},
        "preconditions": [{"kind": "clean_worktree"}],
    }
    put(store, document(schedule=schedule))
    put(store, document("running", "running"))
    assert facts(store).preconditions == ()


@pytest.mark.usefixtures("no_git")
def test_ws_01_18_finished_jobs_are_not_probed(store: JobStore) -> None:
    schedule = {"pinned_head": {"branch": "gone", "oid": "x"}, "preconditions": [{"kind": "clean_worktree"}]}
    put(store, document("done", "succeeded", schedule=schedule))
    put(store, document())
    assert len(facts_of(store).jobs) == 1


def test_ws_01_18_git_is_asked_once_for_each_kind_of_question(store: JobStore, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    original = subprocess.run

    def run(argv: list[str], **options: Any) -> Any:
        asked.append(next(word for word in argv[1:] if word != "-c" and "=" not in word))
        return original(argv, **options)

    monkeypatch.setattr(subprocess, "run", run)
    schedule = {
        "dependencies": needs(
            {"target_branch": {"name": "main"}},
            {"plan_doc": {"slug": "p", "branch": "main"}},
            {"plan_doc": {"slug": "q", "branch": "main"}},
        ),
        "pinned_head": {"branch": "main", "oid": "0" * 40},
        "preconditions": [{"kind": "clean_worktree"}, {"kind": "branch_exists"}],
    }
    for number in range(5):
        put(store, document(f"job-{number}", schedule=schedule))
    facts_of(store)
    assert sorted(asked) == ["cat-file", "for-each-ref", "status"]


# Artifacts (§4.2)


@pytest.mark.parametrize("kind", ["plan_branch", "plan_commits"])
@pytest.mark.parametrize(
    ("slug", "branch", "found"),
    [
        ("p", "draft/p", True),
        ("p", "", True),
        (" p ", " ", True),
        ("other", " draft/p ", True),
        ("p", "draft/q", False),
        ("", "", False),
    ],
)
def test_plan_artifacts_are_their_branches(store: JobStore, kind: str, slug: str, branch: str, found: bool) -> None:
    git(store.root, "branch", "draft/p")
    assert exists(store, {kind: {"slug": slug, "branch": branch}}) is found


def test_the_effective_branch() -> None:
    assert effective_branch(Artifact(ArtifactKind.PLAN_DOC, "s", " b ")) == "b"
    assert effective_branch(Artifact(ArtifactKind.PLAN_DOC, " s ", " ")) == "draft/s"
    assert effective_branch(Artifact(ArtifactKind.PLAN_DOC, " ", "")) == ""


def test_a_plan_document_is_in_the_tip_of_its_branch_not_in_the_working_tree(store: JobStore) -> None:
    plan = store.root / ".vizier" / "implementation-plans" / "p.md"
    plan.parent.mkdir(parents=True, exist_ok=True)
    plan.write_text("x")
    artifact = {"plan_doc": {"slug": "p", "branch": "main"}}
    assert not exists(store, artifact)
    git(store.root, "add", "--force", str(plan))
    git(store.root, "commit", "--quiet", "--message=plan")
    plan.unlink()
    assert exists(store, artifact)
    assert not exists(store, {"plan_doc": {"slug": "p", "branch": "gone"}})


def test_target_branches_are_local_branches(store: JobStore) -> None:
    git(store.root, "tag", "v1")
    assert exists(store, {"target_branch": {"name": "main"}})
    assert not exists(store, {"target_branch": {"name": "v1"}})
    assert not exists(store, {"target_branch": {"name": "refs/heads/main"}})


@pytest.mark.parametrize("base", ["", ".git"])
def test_ws_01_27_ws_02_16_d2_sentinels_are_below_the_project_root_or_where_the_reference_looked(
    store: JobStore, base: str
) -> None:
    artifact = {"merge_sentinel": {"slug": "p"}}
    assert not exists(store, artifact)
    sentinel = store.root / base / ".vizier" / "tmp" / "merge-conflicts" / "p.json"
    sentinel.parent.mkdir(parents=True)
    sentinel.write_text("")
    assert exists(store, artifact)


def test_a_sentinel_slug_that_leads_elsewhere_does_not_exist(store: JobStore) -> None:
    (store.root / ".vizier" / "tmp" / "merge-conflicts").mkdir(parents=True)
    (store.root / ".vizier" / "x.json").write_text("")
    assert not exists(store, {"merge_sentinel": {"slug": "../../x"}})


@pytest.mark.parametrize("name", ["command.patch", "ask-save.patch"])
def test_a_patch_is_a_file_of_its_job(store: JobStore, name: str) -> None:
    put(store, document("maker", "failed"))
    artifact = {"command_patch": {"job_id": "maker"}}
    assert not exists(store, artifact)
    (store.job_directory("maker") / name).touch()
    assert exists(store, artifact)


def test_a_patch_of_a_job_that_succeeded_exists(store: JobStore) -> None:
    put(store, document("maker", "succeeded"))
    assert exists(store, {"command_patch": {"job_id": "maker"}})
    assert not exists(store, {"command_patch": {"job_id": "ghost"}})
    assert not exists(store, {"command_patch": {"job_id": "../maker"}})


def test_custom_artifacts_are_published(store: JobStore) -> None:
    assert not exists(store, custom())
    publish(store, "any", [], [Artifact.custom("token", "t")])
    assert exists(store, custom())


def test_ws_01_17_a_patch_of_a_job_that_cannot_be_read_does_not_exist(store: JobStore) -> None:
    put_text(store, "maker", "{")
    assert not exists(store, {"command_patch": {"job_id": "maker"}})


@pytest.mark.parametrize(
    "artifact",
    [
        custom("token", "k" * 200),
        {"merge_sentinel": {"slug": "s" * 300}},
        {"command_patch": {"job_id": "j" * 300}},
    ],
    ids=["custom", "merge_sentinel", "command_patch"],
)
def test_ws_01_17_ws_02_15_what_cannot_be_looked_at_does_not_exist(store: JobStore, artifact: Document) -> None:
    publish(store, "any", [], [Artifact.custom("token", "t")])
    (store.root / ".vizier" / "tmp" / "merge-conflicts").mkdir(parents=True)
    assert not exists(store, artifact)


# Preconditions (§4.4)

CLEAN = {"kind": "clean_worktree"}
CUSTOM_CLEAN = {"kind": "custom", "id": "clean_worktree"}


@pytest.mark.parametrize(
    "path",
    [".vizier/jobs/x", ".vizier/sessions/s/x", ".vizier/tmp/x", ".vizier/tmp-worktrees/w/x", "ignored"],
)
def test_what_vizier_itself_does_and_what_is_ignored_are_no_changes(store: JobStore, path: str) -> None:
    target = store.root / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text("x")
    assert precondition(store, CLEAN) == SATISFIED


@pytest.mark.parametrize("path", ["x", ".vizier/x", ".vizier/jobs-x", ".vizier/tmpfile", "deep/down/x", "new\nline"])
def test_untracked_files_are_changes(store: JobStore, path: str) -> None:
    target = store.root / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text("x")
    assert precondition(store, CLEAN) == (Satisfaction.WAITING, DIRTY)
    detail = f"custom precondition clean_worktree failed: {DIRTY}"
    assert precondition(store, CUSTOM_CLEAN) == (Satisfaction.WAITING, detail)


def test_a_name_that_is_no_utf_8_is_a_change(store: JobStore) -> None:
    Path(os.fsdecode(os.fsencode(store.root) + b"/caf\xe9")).write_text("x")
    assert precondition(store, CLEAN) == (Satisfaction.WAITING, DIRTY)


@pytest.mark.parametrize("change", ["edited", "staged", "deleted", "renamed"])
def test_changes_of_tracked_files(store: JobStore, change: str) -> None:
    path = store.root / ".gitignore"
    if change == "edited":
        path.write_text("other")
    elif change == "staged":
        path.write_text("other")
        git(store.root, "add", ".gitignore")
    elif change == "deleted":
        path.unlink()
    else:
        git(store.root, "mv", ".gitignore", "other")
    assert precondition(store, CLEAN)[0] is Satisfaction.WAITING


def test_a_tracked_file_that_is_moved_into_vizier_s_own_place_is_a_change(store: JobStore) -> None:
    (store.root / ".vizier" / "tmp").mkdir()
    git(store.root, "mv", ".gitignore", ".vizier/tmp/x")
    assert precondition(store, CLEAN)[0] is Satisfaction.WAITING


BRANCH = {"kind": "branch_exists"}
LOCK_MAIN = [{"key": "branch:main", "mode": "shared"}]


@pytest.mark.parametrize(
    ("item", "schedule", "missing"),
    [
        ({**BRANCH, "branch": " main "}, {}, None),
        ({**BRANCH, "branch": "gone"}, {}, "gone"),
        ({**BRANCH, "branch": " "}, {}, None),
        (BRANCH, {"pinned_head": {"branch": "gone", "oid": "x"}, "locks": LOCK_MAIN}, "gone"),
        (BRANCH, {"locks": [{"key": "branch: gone ", "mode": "shared"}, {"key": "x", "mode": "shared"}]}, "gone"),
        (BRANCH, {"locks": [{"key": "branch:gone", "mode": "shared"}] * 2}, "gone"),
        (BRANCH, {"locks": [{"key": f"branch:{name}", "mode": "shared"} for name in ("gone", "lost")]}, None),
        (BRANCH, {"locks": [{"key": "branch:", "mode": "shared"}]}, None),
        (BRANCH, {}, None),
    ],
)
def test_the_branch_that_must_exist(store: JobStore, item: Document, schedule: Document, missing: str | None) -> None:
    expected = (Satisfaction.WAITING, f"required branch `{missing}` does not exist") if missing else SATISFIED
    assert precondition(store, item, **schedule) == expected
    args = {"args": {"branch": item["branch"]}} if "branch" in item else {}
    detail = f"custom precondition branch_exists failed: `{missing}` missing"
    expected = (Satisfaction.WAITING, detail) if missing else SATISFIED
    assert precondition(store, {"kind": "custom", "id": "branch_exists", **args}, **schedule) == expected


def test_a_detached_head_waits_for_a_branch_of_that_name(store: JobStore) -> None:
    git(store.root, "checkout", "--quiet", "--detach")
    assert precondition(store, BRANCH) == (Satisfaction.WAITING, "required branch `HEAD` does not exist")


def test_without_any_commit_there_is_no_branch_to_speak_of(store: JobStore) -> None:
    git(store.root, "checkout", "--quiet", "--orphan", "unborn")
    detail = (
        "branch_exists precondition requires branch context "
        "(set precondition.branch, pinned_head, or a single branch lock)"
    )
    assert precondition(store, BRANCH) == (Satisfaction.BLOCKED, detail)
    detail = "custom precondition branch_exists requires `branch` arg or branch context"
    assert precondition(store, {"kind": "custom", "id": "branch_exists"}) == (Satisfaction.BLOCKED, detail)


def test_a_precondition_that_nobody_knows_blocks(store: JobStore) -> None:
    assert precondition(store, {"kind": "custom", "id": "luck"}) == (
        Satisfaction.BLOCKED,
        "custom precondition `luck` is not supported by scheduler runtime",
    )


# Pinned heads


def pinned(store: JobStore, branch: str, oid: str) -> bool:
    put(store, document(schedule={"pinned_head": {"branch": branch, "oid": oid}}))
    fact = facts(store).pinned_head
    assert fact is not None
    assert fact.branch == branch
    return fact.matches


def test_a_pinned_head_matches_its_commit(store: JobStore) -> None:
    oid = git(store.root, "rev-parse", "main")
    assert pinned(store, "main", oid)
    assert pinned(store, "main", oid.upper())
    assert not pinned(store, "main", "0" * 40)
    assert not pinned(store, "main", oid[:12])
    assert not pinned(store, "main", "not hexadecimal")


def test_ws_01_17_a_pinned_branch_that_is_gone_does_not_match(store: JobStore) -> None:
    assert not pinned(store, "gone", "0" * 40)


# Git that does not answer


def test_a_repository_that_git_cannot_read_has_no_branches_and_is_not_clean(store: JobStore) -> None:
    (store.root / ".git" / "HEAD").write_text("garbage")
    assert precondition(store, CLEAN)[0] is Satisfaction.WAITING
    assert not exists(store, {"target_branch": {"name": "main"}})
    assert not pinned(store, "main", "0" * 40)


def test_without_git_nothing_exists(store: JobStore, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert not exists(store, {"target_branch": {"name": "main"}})
    assert precondition(store, CLEAN)[0] is Satisfaction.WAITING
