"""The agent of the conflict gate in a real merge (spec 06 §9.2, 07 §4.6)."""

import pytest

from support.agents import AgentRepository
from support.flows import template
from support.repository import Finished

FLOW = template(
    {
        "id": "integrate",
        "kind": "builtin",
        "uses": "cap.env.builtin.git.integrate_plan_branch",
        "args": {"branch": "draft/x", "slug": "x", "target_branch": "main"},
        "on": {"succeeded": ["done"], "blocked": ["gate"]},
    },
    {
        "id": "gate",
        "kind": "gate",
        "uses": "control.gate.conflict_resolution",
        "args": {"auto_resolve": "true", "slug": "x"},
        "on": {"succeeded": ["integrate"]},
    },
    {"id": "done", "kind": "gate", "uses": "control.terminal"},
)


@pytest.fixture
def merging(agents: AgentRepository) -> AgentRepository:
    """`draft/x` and `main` say different things in one line; the operator is editing another file."""
    agents.write(".git/info/exclude", ".vizier/\nflow.json\nmerge.json\n")
    agents.write("merge.json", FLOW)
    agents.write("other.txt", "committed\n")
    agents.write("file.txt", "base\n")
    agents.git("add", ".")
    agents.git("commit", "-q", "-m", "base")
    agents.git("switch", "-q", "-c", "draft/x")
    agents.write("file.txt", "theirs\n")
    agents.git("commit", "-q", "-a", "-m", "theirs")
    agents.git("switch", "-q", "main")
    agents.write("file.txt", "ours\n")
    agents.git("commit", "-q", "-a", "-m", "ours")
    agents.write("other.txt", "being edited\n")
    return agents


def merge(agents: AgentRepository, **env: str) -> Finished:
    done = agents.vizier("run", "merge.json", "--follow", env=env)
    assert agents.read("other.txt") == "being edited\n"
    return done


def test_an_agent_that_resolves_the_conflict(merging: AgentRepository) -> None:
    report = 'vizier-report: {"usage": {"total_tokens": 7}}'
    merging.configure(f"printf 'both\\n' > file.txt; echo '{report}' >&2; echo resolved")
    done = merge(merging)
    assert done.code == 0, merging.situation()
    assert merging.git("show", "HEAD:file.txt") == "both"
    assert merging.git("show", "HEAD:other.txt") == "committed"
    assert merging.log("gate", "stdout") == "resolved\n"
    assert "Agent tokens: 7" in done.out


def test_an_agent_that_resolves_it_by_removing_the_file(merging: AgentRepository) -> None:
    merging.configure("rm file.txt; touch unrelated.txt")
    assert merge(merging).code == 0, merging.situation()
    assert merging.git("ls-tree", "--name-only", "HEAD").split() == ["README.md", "other.txt"]


@pytest.mark.parametrize("ending", ["exit 0", "exit 3", "kill -9 $$"])
def test_ws_07_29_files_with_markers_left_in_them_are_not_staged(merging: AgentRepository, ending: str) -> None:
    """The run stops, and says which files are left to do."""
    head = merging.git("rev-parse", "HEAD")
    merging.configure(f"echo more >> file.txt; {ending}")
    assert merge(merging).code == 10
    assert merging.git("rev-parse", "HEAD") == head
    assert merging.git("status", "--short", "file.txt") == "UU file.txt"
    output = merging.output("gate")
    assert "remaining unmerged paths: file.txt" in output["stderr_lines"]
    told = "conflict markers are left in file.txt" if ending == "exit 0" else "merge-conflict auto-resolve agent exited"
    assert told in merging.log("gate")


def test_ws_07_29_the_mock_agent_is_trusted(merging: AgentRepository) -> None:
    """It edits nothing; flows that are tested with it shall go on nevertheless."""
    merging.configure("exit 1")
    assert merge(merging, VIZIER_MOCK_AGENT="1").code == 0, merging.situation()
    assert "<<<<<<<" in merging.git("show", "HEAD:file.txt")


def test_an_agent_that_is_not_there_leaves_the_conflict_to_the_operator(merging: AgentRepository) -> None:
    merging.configure("true")
    (merging.base / "agent.sh").unlink()
    assert merge(merging).code == 10
    assert "merge-conflict auto-resolve agent failed: agent command not found at" in merging.log("gate")
    merging.write("file.txt", "by hand\n")
    merging.git("add", "file.txt")
    assert merging.vizier("jobs", "retry", merging.job("gate")).code == 0
    merging.wait_status("done", "succeeded")
    assert merging.git("show", "HEAD:file.txt") == "by hand"
    assert merging.read("other.txt") == "being edited\n"


def test_an_agent_that_commits_the_merge_itself(merging: AgentRepository) -> None:
    """It was told not to; nothing is merged twice and nothing gets lost."""
    merging.configure("printf 'both\\n' > file.txt; git add file.txt; git commit -q -m 'own merge'")
    assert merge(merging).code == 0, merging.situation()
    assert merging.git("log", "--merges", "--format=%s") == "own merge"
    assert merging.git("show", "HEAD:file.txt") == "both"
    assert merging.git("status", "--short", "file.txt") == ""


def test_an_agent_that_takes_too_long_leaves_the_conflict_to_the_operator(merging: AgentRepository) -> None:
    merging.configure("echo half done > file.txt; sleep 300", timeout=0.5)
    assert merge(merging).code == 10
    assert "merge-conflict auto-resolve agent timed out after 0.5s" in merging.log("gate")
    assert merging.git("status", "--short", "file.txt") == "UU file.txt"
    merging.wait_until_quiet()


def test_a_gate_that_is_cancelled_while_its_agent_works_can_be_retried(merging: AgentRepository) -> None:
    merging.configure("touch ../works; sleep 300")
    assert merging.vizier("run", "merge.json").code == 0
    merging.wait((merging.base / "works").exists, "the agent")
    assert merging.vizier("jobs", "cancel", merging.job("gate")).code == 0
    merging.wait_until_quiet()
    assert merging.git("status", "--short", "file.txt") == "UU file.txt"
    merging.configure("printf 'both\\n' > file.txt")
    assert merging.vizier("jobs", "retry", merging.job("gate")).code == 0
    merging.wait_status("done", "succeeded")
    assert merging.git("show", "HEAD:file.txt") == "both"
    assert merging.read("other.txt") == "being edited\n"
