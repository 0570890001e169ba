"""The flows that `init` writes, as they are, with an agent that is a script."""

import json
from pathlib import Path

import pytest

from support.repository import Repository

pytestmark = pytest.mark.slow

#: In a worktree the agent changes something; everywhere it says what could be a plan and a commit message.
AGENT = """#!/bin/sh
cat >prompt.seen
case $PWD in */.vizier/tmp-worktrees/*) rm prompt.seen; echo work >>work.txt ;; *) mv prompt.seen "$SEEN" ;; esac
echo 'feat: what the agent says'
"""


@pytest.fixture
def project(repository: Repository) -> Repository:
    """A repository with the scaffold and the agent, all committed, and a specification."""
    agent = repository.base / "agent.sh"
    agent.write_text(AGENT)
    agent.chmod(0o755)
    repository.env["SEEN"] = str(repository.base / "prompt.seen")
    repository.vizier("init").ok()
    config = repository.read(".vizier/config.toml")
    repository.write(".vizier/config.toml", f"{config}\n[agents.default.agent]\ncommand = {json.dumps([str(agent)])}\n")
    repository.write("SPEC.md", "Write something.\n")
    repository.git("add", "-A")
    repository.git("commit", "-qm", "scaffold")
    return repository


def follow(repository: Repository, *arguments: str, code: int = 0) -> str:
    done = repository.vizier("run", *arguments, "--follow", timeout=300)
    assert done.code == code, f"{done}\n{repository.situation()}"
    return done.out + done.err


def on_branch(repository: Repository, branch: str, path: str) -> str:
    return repository.git("show", f"{branch}:{path}")


def test_draft_approve_and_merge_one_after_the_other(project: Repository) -> None:
    follow(project, "draft", "SPEC.md", "tides", "draft/tides")
    plans = project.git("ls-tree", "-r", "--name-only", "draft/tides", ".vizier/implementation-plans").split()
    assert plans == [".vizier/implementation-plans/tides.md"]
    document = on_branch(project, "draft/tides", plans[0])
    assert "what the agent says" in document
    assert "Write something." in document
    assert "tides" in project.vizier("list").ok().out

    follow(project, "approve", "tides", "draft/tides", "--set", "stop_condition_script=test -s work.txt")
    # Once from the plan's agent, once from the one that carries it out.
    assert on_branch(project, "draft/tides", "work.txt") == "work\nwork"

    follow(project, "merge", "tides", "draft/tides", "main", "--set", "cicd_script=test -s work.txt")
    assert project.git("status", "--porcelain") == ""
    assert on_branch(project, "main", "work.txt") == "work\nwork"
    assert project.read("work.txt") == "work\nwork\n"
    assert project.git("branch", "--list", "draft/*") == ""
    assert not list(project.path.glob(".vizier/tmp-worktrees/*"))


def test_develop_does_all_three(project: Repository) -> None:
    follow(project, "develop", "--file", "SPEC.md", "--name", "tides", "--source", "draft/tides", "--target", "main")
    assert on_branch(project, "main", "work.txt") == "work\nwork"
    assert project.git("branch", "--list", "draft/*") == ""
    assert project.git("status", "--porcelain") == ""


def test_the_approve_flow_repeats_until_its_script_is_content(project: Repository) -> None:
    follow(project, "draft", "SPEC.md", "tides", "draft/tides")
    tries: Path = project.base / "tries"
    script = f"echo x >>'{tries}'; test $(wc -l <'{tries}') -ge 3"
    follow(project, "approve", "tides", "draft/tides", "--set", f"stop_condition_script={script}")
    assert tries.read_text().count("x") == 3


def test_the_approve_flow_gives_up_when_its_budget_is_spent(project: Repository) -> None:
    follow(project, "draft", "SPEC.md", "tides", "draft/tides")
    tries = project.base / "tries"
    parameters = {"stop_condition_script": f"echo x >>'{tries}'; false", "stop_condition_retries": "1"}
    settings = [word for key, value in parameters.items() for word in ("--set", f"{key}={value}")]
    follow(project, "approve", "tides", "draft/tides", *settings, code=10)
    # The first try, and one more way back than the budget says (spec 06 §10.4).
    assert tries.read_text().count("x") == 3


def test_the_merge_flow_stops_at_checks_that_fail(project: Repository) -> None:
    follow(project, "draft", "SPEC.md", "tides", "draft/tides")
    follow(project, "approve", "tides", "draft/tides")
    said = follow(project, "merge", "tides", "draft/tides", "main", "--set", "cicd_script=false", code=1)
    assert "merge_gate_cicd" in said


def test_commit_takes_the_message_from_the_agent(project: Repository) -> None:
    project.write("README.md", "changed\n")
    project.write("untracked.txt", "stays\n")
    follow(project, "commit")
    assert project.git("log", "-1", "--format=%s") == "feat: what the agent says"
    assert project.git("show", "--format=", "--name-only", "HEAD") == "README.md"
    assert project.git("status", "--porcelain") == "?? untracked.txt"
    assert "changed" in (project.base / "prompt.seen").read_text()
