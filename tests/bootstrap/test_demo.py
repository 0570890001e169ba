"""./demo.sh and its agent, with the program under test; real environments are built by scripts/try-minimal-root.sh."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
AGENT = ROOT / "demo" / "agent.py"
CONFLICT = "before\n<<<<<<< HEAD\nours\nshared\n{base}=======\nshared\ntheirs\n>>>>>>> refs/heads/draft/x\nafter\n"


def run(*command: str | Path, cwd: Path, text: str = "") -> subprocess.CompletedProcess[str]:
    env = {"PATH": os.environ["PATH"], "HOME": str(cwd), "TMPDIR": str(cwd), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(command, cwd=cwd, env=env, input=text, capture_output=True, text=True, check=False)


def agent(cwd: Path, prompt: str) -> subprocess.CompletedProcess[str]:
    return run(sys.executable, AGENT, cwd=cwd, text=prompt)


def carry_out(cwd: Path, *steps: str) -> subprocess.CompletedProcess[str]:
    """What the agent does in a repository whose plan has these steps."""
    run("git", "init", "-q", "-b", "draft/x", cwd=cwd)
    document = cwd / ".vizier" / "implementation-plans" / "x.md"
    document.parent.mkdir(parents=True)
    document.write_text(agent(cwd, "## Operator Spec\n\n# Do it\n\n" + "".join(f"- {step}\n" for step in steps)).stdout)
    return agent(cwd, "A plan has been approved.")


@pytest.mark.slow
@pytest.mark.parametrize("of_a_clone", [False, True])
def test_the_demo_ends_with_everything_merged(tmp_path, of_a_clone):
    for name in ("demo.sh", "demo/agent.py", "scripts/isolated.sh"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    bootstrap = tmp_path / "scripts" / "bootstrap.sh"
    bootstrap.write_text(f"#!/bin/sh\necho '{sys.prefix}'\n")
    bootstrap.chmod(0o755)
    arguments = []
    if of_a_clone:
        arguments = [tmp_path / "original"]
        run("git", "init", "-q", "-b", "trunk", "original", cwd=tmp_path)
        commit = ("-c", "user.name=x", "-c", "user.email=x@example.invalid", "commit", "-q", "--allow-empty", "-m", "x")
        run("git", "-C", "original", *commit, cwd=tmp_path)
    done = run("sh", tmp_path / "demo.sh", *arguments, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    for shown in ("feat: merge plan bell", "feat: merge plan window", "feat: merge plan carpet", "<<<<<<< HEAD"):
        assert shown in done.stdout
    (repository,) = tmp_path.glob("vizier-demo.*/repository")
    assert run("git", "fsck", "--strict", cwd=repository).returncode == 0
    assert run("git", "worktree", "list", cwd=repository).stdout.count("\n") == 1


def test_the_agent_carries_out_what_it_has_planned(tmp_path):
    (tmp_path / "a.txt").write_text("old and old\n")
    done = carry_out(tmp_path, "Append to `new/b.txt`: `a line`", "Replace in `a.txt`: `old` by `new`")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "new" / "b.txt").read_text() == "a line\n"
    assert (tmp_path / "a.txt").read_text() == "new and new\n"
    assert done.stdout == "Added a line to new/b.txt.\nChanged a.txt.\n"


@pytest.mark.parametrize("step", ["Make it better", "Replace in `a.txt`: `absent` by `new`"])
def test_the_agent_fails_when_it_cannot_do_it(tmp_path, step):
    (tmp_path / "a.txt").write_text("text\n")
    done = carry_out(tmp_path, step)
    assert (done.returncode, done.stdout) == (1, "")
    assert "x.md holds no step" in done.stderr or "a.txt does not hold 'absent'" in done.stderr


@pytest.mark.parametrize("base", ["", "||||||| 1234567\nbase\n"], ids=["merge", "diff3"])
def test_the_agent_keeps_both_sides_of_a_conflict(tmp_path, base):
    (tmp_path / "a.txt").write_text(CONFLICT.format(base=base) * 2)
    done = agent(tmp_path, "<mergeContext>\ntarget_branch: main\nconflict_files:\n- a.txt\n</mergeContext>\n")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "a.txt").read_text() == "before\nours\nshared\ntheirs\nafter\n" * 2
