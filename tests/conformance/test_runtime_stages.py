"""The shipped stages from end to end: what their nodes do together (06 sections 7.10, 10, vectors 5, 9, 10, 13)."""

import json
from pathlib import Path

import jsonschema
import pytest

from driver import Repo

SCHEMAS = Path(__file__).resolve().parents[1] / "schemas"

AGENT = """#!/bin/sh
cat > "$HOME/prompt.$$"
case "$PWD" in
  *stage-approve-*) echo work >> feature.txt; echo "implemented";;
  *stage-draft-*) echo "- first step"; echo "- second step";;
  *) sed -i -e '/^[<=>]\\{7\\}/d' story.txt; echo "merged both";;
esac
"""


def project(repo: Repo, agent: str = AGENT) -> None:
    """A repository with the scaffold and an agent, all committed."""
    repo.vizier("init").ok()
    script = repo.home / "agent.sh"
    script.write_text(agent)
    script.chmod(0o755)
    config = repo.read(".vizier/config.toml")
    repo.write(".vizier/config.toml", f'{config}\n[agent]\nlabel = "own"\ncommand = ["{script}"]\n')
    repo.env["VIZIER_DISABLE_STDBUF"] = "1"
    repo.write("spec.md", "Make a feature\n\nwith care\n")
    repo.commit("scaffold")


def stage(repo: Repo, *args: str, code: int = 0) -> dict[str, str]:
    """Runs a stage to its end; node id → job id."""
    done = (repo.conclude if code else repo.follow)(*args)
    assert done.code == code, done.text
    nodes = json.loads((repo.jobs_dir / "runs" / f"{done.json()['run_id']}.json").read_text())["nodes"]
    return {name: entry["job_id"] for name, entry in nodes.items()}


def drafted(repo: Repo) -> dict[str, str]:
    return stage(repo, "draft", "--file", "spec.md", "--name", "tidy")


def approved(repo: Repo, *more: str) -> dict[str, str]:
    """The approve stage, without a follower (its stop gate may loop); waits for its terminal node."""
    run = repo.vizier("run", "approve", "--name", "tidy", "--format", "json", *more).ok().json()["run_id"]
    nodes = {name: entry["job_id"] for name, entry in repo.manifest(run)["nodes"].items()}
    repo.wait_status(nodes["terminal"], "succeeded")
    repo.settle()
    return nodes


def test_draft(repo: Repo) -> None:
    """Worktree, prompt, agent, plan, commit on the branch, clean-up; the main tree stays as it is"""
    project(repo)
    head = repo.git("rev-parse", "HEAD")
    nodes = drafted(repo)
    text = repo.git("show", "draft/tidy:.vizier/implementation-plans/tidy.md")
    assert "## Operator Spec\nMake a feature\n\nwith care\n\n## Implementation Plan\n- first step\n- second step" in text
    assert "plan: tidy\nbranch: draft/tidy\n" in text
    assert repo.git("show", "--name-only", "--format=%s", "draft/tidy").splitlines() == ["chore: workflow stage commit", "", ".vizier/implementation-plans/tidy.md"]
    assert repo.git("rev-parse", "HEAD") == head == repo.git("rev-parse", "draft/tidy^") and repo.git("status", "--porcelain") == ""
    assert len(repo.git("worktree", "list").splitlines()) == 1
    assert repo.output(nodes["invoke_agent"])["stdout_text"] == "- first step\n- second step\n"
    (prompt,) = (p.read_text() for p in repo.home.glob("prompt.*"))
    assert "tidy" in prompt and "Make a feature\n\nwith care\n" in prompt


def test_context_of_the_draft_stage(repo: Repo) -> None:
    """06 vector 5: everything between prepare and clean-up has the same worktree"""
    project(repo)
    nodes = drafted(repo)
    metas = {name: repo.record(job)["metadata"] for name, job in nodes.items()}
    path = metas["worktree_prepare"]["worktree_path"]
    assert path == f".vizier/tmp-worktrees/stage-draft-{nodes['worktree_prepare']}"
    for name in ("resolve_prompt", "invoke_agent", "persist_plan", "stage_files", "stage_commit", "stop_gate"):
        assert (metas[name]["execution_root"], metas[name]["worktree_path"]) == (path, path), name
    assert metas["worktree_cleanup"]["execution_root"] == "." == metas["terminal"]["execution_root"]


def test_outputs_match_their_schema(repo: Repo) -> None:
    """06 §12.1, 02 §11: the operation output of every node of a draft"""
    project(repo)
    schema = json.loads((SCHEMAS / "operation-output.schema.json").read_text())
    for name, job in drafted(repo).items():
        out = repo.output(job)
        jsonschema.validate(out, schema)
        assert [line.split()[1] for line in out["stderr_lines"][:3]] == ["start", "progress", "complete"], name
        assert (out["node_id"], out["outcome"], out["exit_code"]) == (name, "succeeded", 0)


def test_approve(repo: Repo) -> None:
    """The agent's work becomes a commit on the branch"""
    project(repo)
    drafted(repo)
    nodes = approved(repo, "--set", "commit_message=feat: add it")
    assert repo.git("log", "--format=%s", "draft/tidy").splitlines() == ["feat: add it", "chore: workflow stage commit", "scaffold", "initial"]
    assert repo.git("show", "draft/tidy:feature.txt") == "work" and not repo.exists("feature.txt")
    token = repo.jobs_dir / "artifacts" / "custom" / b"stage_token".hex() / b"approve:tidy".hex()
    assert [p.stem for p in token.iterdir()] == [nodes["terminal"]]
    assert repo.output(nodes["stop_gate"])["result"]["summary"] == "stop-condition gate skipped (no script configured)"


def test_approve_waits_for_a_plan(repo: Repo) -> None:
    """policy `wait`: no plan yet, so the stage waits; once a draft exists it goes on"""
    project(repo)
    run = repo.vizier("run", "approve", "--name", "tidy", "--set", "branch=draft/tidy", "--format", "json").ok().json()["run_id"]
    prepare = repo.manifest(run)["nodes"]["worktree_prepare"]["job_id"]
    assert repo.status(prepare) == "waiting_on_deps"
    stage(repo, "draft", "--file", "spec.md", "--name", "tidy", "--branch", "draft/tidy")
    repo.wait_status(repo.manifest(run)["nodes"]["terminal"]["job_id"], "succeeded")
    assert repo.git("show", "draft/tidy:feature.txt") == "work"


@pytest.mark.parametrize(("flags", "count"), [((), 1), (("--set", "squash=false"), 2)])
def test_merge(repo: Repo, flags: tuple, count: int) -> None:
    """Plan in the message, work in the tree, document gone, branch deleted"""
    project(repo)
    drafted(repo)
    approved(repo)
    head = repo.git("rev-parse", "HEAD")
    nodes = stage(repo, "merge", "--name", "tidy", "--set", "merge_message=feat: tidy up", *flags)
    message = repo.git("log", "-1", "--format=%B")
    assert message.startswith("feat: tidy up\n\n---\n") and "## Implementation Plan\n- first step" in message
    assert repo.git("log", "-1", "--format=%P").split()[0] == head and len(repo.git("log", "-1", "--format=%P").split()) == count
    assert repo.read("feature.txt") == "work\n" and not repo.exists(".vizier/implementation-plans/tidy.md")
    assert repo.git("branch", "--list", "draft/*") == "" and repo.git("status", "--porcelain") == ""
    assert repo.output(nodes["merge_gate_cicd"])["result"]["summary"] == "cicd gate skipped (no script configured)"


def test_merge_keeps_the_branch_on_demand(repo: Repo) -> None:
    """06 §7.10 black-box expectations: the tip no longer has the document"""
    project(repo)
    drafted(repo)
    approved(repo)
    stage(repo, "merge", "--name", "tidy", "--set", "delete_branch=false", "--set", "cicd_script=test -e feature.txt && echo checked")
    assert repo.git("ls-tree", "-r", "--name-only", "draft/tidy", ".vizier/implementation-plans") == ""
    assert repo.log(repo.job("merge_gate_cicd")) == "checked\n"


def test_failing_check_after_the_merge(repo: Repo) -> None:
    """06 §9.3, vector 19"""
    project(repo)
    drafted(repo)
    approved(repo)
    nodes = stage(repo, "merge", "--name", "tidy", "--set", "cicd_script=exit 7", code=1)
    assert (repo.status(nodes["merge_gate_cicd"]), repo.record(nodes["merge_gate_cicd"])["exit_code"]) == ("failed", 7)
    assert repo.status(nodes["terminal"]) == "blocked_by_dependency" and repo.read("feature.txt") == "work\n"


@pytest.mark.better("WS-06-07")
def test_approve_loop(repo: Repo) -> None:
    """D4, 06 §10.4: stop gate fails → commit → gate, inside the worktree"""
    project(repo)
    drafted(repo)
    script = "echo more >> feature.txt; test $(wc -l < feature.txt) -ge 3"
    nodes = approved(repo, "--set", f"stop_condition_script={script}")
    attempts = [repo.record(nodes[n])["metadata"]["workflow_node_attempt"] for n in ("stage_commit", "stop_gate")]
    assert attempts == [2, 2] and repo.git("status", "--porcelain") == "" and not repo.exists("feature.txt")


def conflicting(repo: Repo) -> None:
    """draft/tidy and master change one file; the stage token exists."""
    project(repo)
    repo.write("story.txt", "base\n")
    repo.commit("story")
    repo.branch("draft/tidy", {"story.txt": "theirs\n", ".vizier/implementation-plans/tidy.md": "---\nplan: tidy\n---\n\n## Implementation Plan\n- steps\n"})
    repo.write("story.txt", "ours\n")
    repo.commit("our story")
    repo.write(f".vizier/jobs/artifacts/custom/{b'stage_token'.hex()}/{b'approve:tidy'.hex()}/x.json", "{}")


def test_merge_conflict_for_the_agent(repo: Repo) -> None:
    """06 §7.10: auto-resolution on"""
    conflicting(repo)
    run = repo.vizier("run", "merge", "--name", "tidy", "--format", "json").ok().json()["run_id"]
    nodes = {name: entry["job_id"] for name, entry in repo.manifest(run)["nodes"].items()}
    repo.wait_status(nodes["terminal"], "succeeded")
    assert repo.read("story.txt").split() == ["ours", "theirs"] and not repo.exists(".git/MERGE_HEAD")
    assert "## Implementation Plan\n- steps" in repo.git("log", "-1", "--format=%B") and repo.git("status", "--porcelain") == ""
    assert not repo.exists(".vizier/tmp/merge-conflicts/tidy.json") and repo.log(nodes["merge_conflict_resolution"]) == "merged both\n"


def test_merge_conflict_for_the_operator(repo: Repo) -> None:
    """06 §7.10: auto-resolution off; vector 10"""
    conflicting(repo)
    run = repo.vizier("run", "merge", "--name", "tidy", "--set", "conflict_auto_resolve=false", "--format", "json").ok().json()["run_id"]
    nodes = {name: entry["job_id"] for name, entry in repo.manifest(run)["nodes"].items()}
    gate = nodes["merge_conflict_resolution"]
    repo.wait(lambda: repo.record(gate)["metadata"]["workflow_node_attempt"] == 2 and repo.status(gate) == "blocked_by_dependency")
    sentinel = json.loads(repo.read(".vizier/tmp/merge-conflicts/tidy.json"))
    jsonschema.validate(sentinel, json.loads((SCHEMAS / "merge-sentinel.schema.json").read_text()))
    assert (sentinel["job_id"], sentinel["source_branch"]) == (nodes["merge_integrate"], "draft/tidy") and repo.exists(".git/MERGE_HEAD")
    repo.write("story.txt", "agreed\n")
    repo.git("add", "story.txt")
    repo.vizier("jobs", "retry", gate).ok()
    repo.wait_status(nodes["terminal"], "succeeded")
    assert repo.git("show", "HEAD:story.txt") == "agreed" and not repo.exists(".git/MERGE_HEAD") and repo.git("branch", "--list", "draft/*") == ""
