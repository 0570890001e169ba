"""The git program that a node finds: too old, missing, or held up by somebody else's lock (ruling R76)."""

import os
import shutil
from pathlib import Path
from typing import Final

import pytest

from support.flows import builtin, command, template
from support.repository import Repository

#: Pretends to be an old git; everything else about it works.
_OLD: Final = """#!/bin/sh
for word; do
    if [ "$word" = --version ]; then echo 'git version 2.37.1'; exit; fi
    if [ "$word" = merge-tree ]; then echo 'usage: git merge-tree <base> <branch1> <branch2>' >&2; exit 129; fi
done
exec {git} "$@"
"""
_NEEDS: Final = "this operation needs git 2.38 or newer, found 2.37.1"


@pytest.fixture
def old_git(repository: Repository, tmp_path: Path) -> Repository:
    directory = tmp_path / "old"
    directory.mkdir()
    program = directory / "git"
    program.write_text(_OLD.replace("{git}", str(shutil.which("git"))))
    program.chmod(0o755)
    repository.env["PATH"] = f"{directory}{os.pathsep}{repository.env['PATH']}"
    return repository


@pytest.mark.parametrize(
    ("operation", "args"),
    [
        ("worktree.prepare", {"branch": "draft/one"}),
        ("git.stage", {"files_json": '["README.md"]'}),
        ("git.commit", {}),
        ("git.stage_commit", {}),
        ("git.integrate_plan_branch", {"branch": "draft/one"}),
        ("git.save_worktree_patch", {}),
    ],
)
def test_an_old_git_is_named_by_the_first_operation_that_needs_a_newer_one(
    operation: str, args: dict[str, str], old_git: Repository
) -> None:
    old_git.git("branch", "draft/one")
    old_git.write("flow.json", template(builtin("node", operation, args)))
    old_git.vizier("run", "flow.json", "--follow").fails()
    assert old_git.status("node") == "failed"
    assert _NEEDS in old_git.log("node", "stdout")
    assert "Traceback" not in old_git.log("node")
    assert old_git.git("worktree", "list").count("\n") == 0


def test_an_old_git_is_enough_for_scripts(old_git: Repository) -> None:
    old_git.write("flow.json", template(command("node", "true")))
    old_git.vizier("run", "flow.json", "--follow").ok()


def test_without_git_there_is_one_error(repository: Repository, tmp_path: Path) -> None:
    programs = tmp_path / "programs"
    programs.mkdir()
    for name in ("sh", "env"):
        (programs / name).symlink_to(str(shutil.which(name)))
    repository.write("flow.json", template(builtin("node", "git.stage_commit", {})))
    repository.env["PATH"] = str(programs)
    done = repository.vizier("run", "flow.json", "--follow")
    assert done.code != 0
    assert "Traceback" not in done.out + done.err
    assert "git program was not found" in repository.log("node", "stdout")


def test_ws_06_25_variables_of_git_are_not_passed_on(repository: Repository, tmp_path: Path) -> None:
    """As a hook sets them that starts vizier: they would lead to another repository and another index."""
    other = tmp_path / "other"
    repository.git("init", "-q", str(other))
    repository.write("new.txt", "new\n")
    repository.write("flow.json", template(builtin("node", "git.stage_commit", {"message": "feat: new"})))
    leaked = {
        "GIT_DIR": str(other / ".git"),
        "GIT_WORK_TREE": str(other),
        "GIT_INDEX_FILE": str(other / "index"),
        "GIT_OBJECT_DIRECTORY": str(other / ".git" / "objects"),
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "core.bare",
        "GIT_CONFIG_VALUE_0": "true",
    }
    repository.vizier("run", "flow.json", "--follow", env=leaked).ok()
    assert repository.git("show", "HEAD:new.txt") == "new"
    assert not (other / "index").exists()


def test_ws_06_25_options_are_no_branches(repository: Repository) -> None:
    repository.write("flow.json", template(builtin("node", "worktree.prepare", {"branch": "--detach"})))
    repository.vizier("run", "flow.json", "--follow").fails()
    assert "`--detach` is not a valid branch name" in repository.log("node", "stdout")


def test_an_index_that_somebody_else_holds(repository: Repository) -> None:
    """A git of the operator's, or what one has left that was killed: the message says which file it is."""
    repository.write("new.txt", "new\n")
    lock = repository.write(".git/index.lock", "")
    repository.write("flow.json", template(builtin("node", "git.stage_commit", {"message": "feat: new"})))
    repository.vizier("run", "flow.json", "--follow").fails()
    assert f"{lock} exists" in repository.log("node", "stdout")
    assert lock.exists(), "it is not ours to delete"
    lock.unlink()
    repository.vizier("jobs", "retry", repository.job("node")).ok()
    repository.wait_status("node", "succeeded")
