"""Weak spots of the nodes that work with git (spec 06 §17), as an operator would meet them."""

import json
from pathlib import Path
from typing import Any

import pytest

from support.flows import Node, builtin, command, template
from support.repository import Finished, Repository


def run(repository: Repository, *nodes: Node) -> Finished:
    """Runs a flow to its end; what the command has said."""
    flow = repository.write(".git/flow.json", template(*nodes))
    done = repository.vizier("run", f"file:{flow.relative_to(repository.path)}", "--follow")
    repository.wait_until_quiet()
    return done


def summary(repository: Repository, node_id: str) -> str:
    """What a node says about its end."""
    line = repository.log(node_id, "stdout").strip().split("\n")[-1]
    return str(json.loads(line)["summary"])


def metadata(repository: Repository, node_id: str) -> dict[str, Any]:
    found: dict[str, Any] = repository.record(repository.job(node_id))["metadata"]
    return found


def on(*nodes: str) -> dict[str, Any]:
    return {"on": {"succeeded": list(nodes)}}


def test_ws_06_07_a_loop_of_commit_and_gate_works_in_its_worktree(repository: Repository) -> None:
    script = 'echo x >>tries; test "$(wc -l <tries)" -ge 3'
    gate: Node = {
        "id": "gate",
        "kind": "gate",
        "uses": "control.gate.stop_condition",
        "after": [{"node_id": "commit"}],
        "gates": [{"kind": "script", "script": script, "policy": "retry"}],
        "retry": {"mode": "until_gate", "budget": 5},
        "on": {"failed": ["commit"]},
    }
    prepare = builtin("prepare", "worktree.prepare", {"branch": "draft/one"}, **on("commit"))
    commit = builtin("commit", "git.stage_commit", {"message": "feat: work"}, ["prepare"], **on("gate"))
    flow = repository.write(".git/flow.json", template(prepare, commit, gate))
    repository.vizier("run", f"file:{flow.relative_to(repository.path)}").ok()
    repository.wait_status("gate", "succeeded")
    tree = repository.path / metadata(repository, "gate")["worktree_path"]
    assert tree.is_dir()
    assert (tree / "tries").read_text() == "x\n" * 3
    assert repository.git("log", "--format=%s", "draft/one") == "feat: work\nfeat: work\ninitial"
    assert not (repository.path / "tries").exists()


def test_ws_06_08_a_worktree_that_is_gone_is_cleaned_up(repository: Repository) -> None:
    """Somebody was faster; the record forgets it all the same."""
    prepare = builtin("prepare", "worktree.prepare", {"branch": "draft/one"}, **on("remove"))
    remove = command("remove", "rm -rf ../../tmp-worktrees/*", ["prepare"], **on("cleanup"))
    cleanup = builtin("cleanup", "worktree.cleanup", {}, ["remove"], **on("after"))
    run(repository, prepare, remove, cleanup, command("after", "pwd", ["cleanup"])).ok()
    assert summary(repository, "cleanup") == "worktree cleaned"
    meta = metadata(repository, "cleanup")
    assert meta["execution_root"] == "."
    assert not meta.get("worktree_path")
    assert not meta.get("worktree_name")
    assert repository.log("after", "stdout").strip() == str(repository.path)
    assert repository.git("worktree", "list").count("\n") == 0


def test_ws_06_09_a_worktree_that_cannot_be_made_leaves_no_branch(repository: Repository) -> None:
    repository.write(".gitattributes", "*.md filter=broken\n")
    repository.git("config", "filter.broken.clean", "cat")
    repository.git("add", ".gitattributes")
    repository.git("commit", "-q", "-m", "attributes")
    repository.git("config", "filter.broken.smudge", "false")
    repository.git("config", "filter.broken.required", "true")
    run(repository, builtin("prepare", "worktree.prepare", {"branch": "draft/one"})).fails()
    assert "worktree.prepare failed to add worktree: " in summary(repository, "prepare")
    assert "README.md" in summary(repository, "prepare")
    assert repository.git("branch", "--list", "draft/*") == ""
    assert repository.git("worktree", "list").count("\n") == 0
    assert not any((repository.path / ".vizier" / "tmp-worktrees").iterdir())


@pytest.mark.parametrize(
    ("operation", "args"),
    [
        ("build.materialize_step", {"build_id": "../../escape"}),
        ("build.materialize_step", {"step_key": ".."}),
        ("build.materialize_step", {"slug": "a/../../../escape", "branch": "draft/one"}),
        ("merge.sentinel.write", {"slug": "../../../escape"}),
        ("merge.sentinel.clear", {"slug": "../../README.md"}),
        ("plan.persist", {"spec_text": "x", "plan_id": "../../escape"}),
        ("plan.persist", {"spec_text": "x", "name_override": "../escape"}),
        ("git.stage", {"files_json": '["../../etc/passwd"]'}),
    ],
)
def test_ws_06_10_names_cannot_leave_their_directory(
    operation: str, args: dict[str, str], repository: Repository
) -> None:
    before = {path for path in repository.base.rglob("*") if ".vizier/jobs" not in str(path)}
    done = run(repository, builtin("node", operation, args))
    assert done.code == 1, str(done)
    after = {path for path in repository.base.rglob("*") if ".vizier/jobs" not in str(path)}
    assert not [path for path in after - before if "escape" in path.name or path.name == "materialized.json"]
    assert repository.read("README.md") == "test\n"


def conflicting(repository: Repository) -> None:
    """`draft/one` and `main` change the same file."""
    repository.git("switch", "-q", "-c", "draft/one")
    for branch, text in (("draft/one", "theirs\n"), ("main", "ours\n")):
        repository.git("switch", "-q", branch)
        repository.write("README.md", text)
        repository.git("commit", "-q", "-a", "-m", text.strip())


def gate(script: str, args: dict[str, str]) -> Node:
    return {
        "id": "gate",
        "kind": "gate",
        "uses": "control.gate.conflict_resolution",
        "args": args,
        "gates": [{"kind": "custom", "id": "conflict_resolution", "args": {"auto_resolve": "true"}}],
        "on": {"succeeded": ["merge"]},
    }


def loop(args: dict[str, str], agent: str | None = None) -> tuple[Node, Node]:
    merge = builtin("merge", "git.integrate_plan_branch", args, on={"blocked": ["gate"]})
    return merge, gate(agent or "", args)


def with_agent(repository: Repository, script: str) -> None:
    agent = repository.base / "agent.sh"
    agent.write_text(f"#!/bin/sh\ncat >/dev/null\n{script}\n")
    agent.chmod(0o755)
    repository.write(".vizier/config.toml", f'[agent]\nlabel = "own"\ncommand = ["{agent}"]\n')


def test_ws_06_14_markers_that_an_agent_leaves_are_not_committed(repository: Repository) -> None:
    conflicting(repository)
    with_agent(repository, "echo 'all done'")
    flow = repository.write(".git/flow.json", template(*loop({"branch": "draft/one", "slug": "one"})))
    repository.vizier("run", f"file:{flow.relative_to(repository.path)}").ok()
    repository.wait(lambda: metadata(repository, "gate")["workflow_node_attempt"] == 2, "the gate to be asked")
    repository.wait_status("gate", "blocked_by_dependency")
    repository.wait_until_quiet()
    assert "conflict markers are left in README.md" in repository.log("gate")
    assert repository.git("log", "-1", "--format=%s") == "ours"
    assert repository.git("diff", "--name-only", "--diff-filter=U") == "README.md"


def test_ws_06_17_the_gate_finds_a_merge_that_is_named_by_its_branch_only(repository: Repository) -> None:
    """Both would be called after their jobs, so that the gate never saw the conflict."""
    conflicting(repository)
    with_agent(repository, "printf 'both\\n' >README.md")
    flow = repository.write(".git/flow.json", template(*loop({"branch": "draft/one", "squash": "false"})))
    repository.vizier("run", f"file:{flow.relative_to(repository.path)}").ok()
    repository.wait(lambda: metadata(repository, "merge")["workflow_node_attempt"] == 2, "the merge to be repeated")
    repository.wait_status("merge", "succeeded")
    repository.wait_until_quiet()
    assert repository.git("show", "HEAD:README.md") == "both"
    assert repository.git("rev-list", "--parents", "-n1", "HEAD").count(" ") == 2
    assert not (repository.path / ".vizier" / "tmp" / "merge-conflicts").exists()


def test_ws_06_23_a_branch_that_is_kept_is_named(repository: Repository) -> None:
    """It is checked out somewhere; the merge has succeeded nevertheless (WS-09-41)."""
    repository.git("branch", "draft/one")
    repository.git("worktree", "add", "-q", str(repository.base / "tree"), "draft/one")
    args = {"branch": "draft/one", "delete_branch": "true"}
    run(repository, builtin("merge", "git.integrate_plan_branch", args)).ok()
    assert "kept branch draft/one: draft/one is checked out at" in repository.log("merge")
    assert repository.git("branch", "--list", "draft/*") == "+ draft/one"


def test_a_merge_is_prepared_again_when_somebody_commits_meanwhile(repository: Repository) -> None:
    """Here it is a hook; twice. Nothing of anybody's is lost."""
    repository.git("switch", "-q", "-c", "draft/one")
    repository.write("new.txt", "new\n")
    repository.git("add", "new.txt")
    repository.git("commit", "-q", "-m", "work")
    repository.git("switch", "-q", "main")
    repository.write(".vizier/config.toml", "[git]\nhooks = true\n")
    other = "git -c user.name=other -c user.email=other commit-tree -p HEAD -m other HEAD^{tree}"
    once = f'echo x >>.git/tries; test "$(wc -l <.git/tries)" -gt 2 || git update-ref HEAD "$({other})"'
    repository.write(".git/hooks/pre-merge-commit", f"#!/bin/sh\n{once}\n").chmod(0o755)
    args = {"branch": "draft/one", "squash": "false"}
    run(repository, builtin("merge", "git.integrate_plan_branch", args)).ok()
    subjects = repository.git("log", "--first-parent", "--format=%s").split("\n")
    assert subjects == ["feat: merge plan one", "other", "other", "initial"]
    assert repository.read("new.txt") == "new\n"
    assert repository.git("status", "--porcelain", "--", ":(exclude).vizier") == ""


def test_ws_06_34_plan_records_outlive_their_worktree(repository: Repository) -> None:
    prepare = builtin("prepare", "worktree.prepare", {"slug": "one"}, **on("persist"))
    args = {"spec_text": "Do it\n", "slug": "one"}
    persist = builtin("persist", "plan.persist", args, ["prepare"], **on("cleanup"))
    run(repository, prepare, persist, builtin("cleanup", "worktree.cleanup", {}, ["persist"])).ok()
    (record,) = (repository.path / ".vizier" / "state" / "plans").iterdir()
    assert json.loads(record.read_bytes())["branch"] == "draft/one"
    assert not any((repository.path / ".vizier" / "tmp-worktrees").iterdir())


@pytest.mark.parametrize("slug", ["My-Plan", "a-name-that-is-longer-than-thirty-two-bytes"])
def test_ws_06_35_a_slug_that_would_be_changed_is_refused_early(slug: str, repository: Repository) -> None:
    """Before anything is written: later nodes look for the document under the slug as it was given."""
    document = {"plan_doc": {"slug": slug, "branch": f"draft/{slug}"}}
    args = {"spec_text": "x", "slug": slug}
    done = run(repository, builtin("persist", "plan.persist", args, produces={"succeeded": [document]})).fails()
    assert slug in done.err, str(done)
    assert repository.records() == {}
    assert not (repository.path / ".vizier" / "implementation-plans").exists()
    assert repository.git("branch", "--list", "draft/*") == ""


def test_ws_06_36_errors_about_lists_of_files_name_the_operation_once(repository: Repository) -> None:
    done = run(repository, builtin("node", "git.stage", {"files_json": "no list"})).fails()
    assert "files_json" in done.err
    assert "git.stage git.stage" not in done.err


def test_ws_06_36_a_file_that_cannot_be_read_is_named(repository: Repository) -> None:
    args = {"spec_source": "file", "spec_file": "absent.md", "slug": "one"}
    flow = template(builtin("persist", "plan.persist", args))
    repository.write("flow.json", flow)
    done = repository.vizier("run", "flow.json", "--follow").fails()
    said = done.out + done.err
    if repository.records():
        said += repository.log("persist", "stdout")
    assert "absent.md" in said


def test_ws_06_40_what_a_fix_has_changed_stays_uncommitted(repository: Repository) -> None:
    """The next node must not take it for committed, and the operator finds it."""
    check: Node = {
        "id": "check",
        "kind": "gate",
        "uses": "control.gate.cicd",
        "args": {"auto_resolve": "true", "auto_resolve_script": "touch fixed"},
        "gates": [{"kind": "cicd", "script": "test -e fixed", "auto_resolve": True}],
        "on": {"failed": ["check"]},
    }
    run(repository, check).ok()
    assert summary_of_output(repository, "check") == "cicd gate passed after auto-resolve on attempt 1"
    assert repository.git("status", "--porcelain", "--", "fixed") == "?? fixed"


def summary_of_output(repository: Repository, node_id: str) -> str:
    """The summary of a node whose standard output is that of its scripts."""
    job_id = repository.job(node_id)
    place = Path("artifacts", "data", b"operation_output".hex(), node_id.encode().hex(), f"{job_id}.json")
    return str(json.loads((repository.jobs_root / place).read_bytes())["result"]["summary"])
