"""The repository's hooks: off by default, on by configuration, then as much in charge as with git (decision D18)."""

from typing import Final

import pytest

from support.flows import builtin, command, template
from support.repository import Finished, Repository

_ON: Final = "[git]\nhooks = true\n"


@pytest.fixture
def flow(repository: Repository) -> Repository:
    """A flow whose node `commit` commits a new file, and one whose node `merge` merges a branch with another."""
    work = command("edit", "echo text >new.txt")
    commit = builtin("commit", "git.stage_commit", {"message": "feat: new file"}, ["edit"])
    repository.write("commit.json", template(work, commit))
    merge = {"branch": "draft/one", "squash": "false", "message": "feat: merge one", "delete_branch": "false"}
    repository.write("merge.json", template(builtin("merge", "git.integrate_plan_branch", merge)))
    repository.git("add", "--all")
    repository.git("commit", "-q", "-m", "flows")
    repository.git("switch", "-q", "-c", "draft/one")
    repository.write("merged.txt", "merged\n")
    repository.git("add", "--all")
    repository.git("commit", "-q", "-m", "work")
    repository.git("switch", "-q", "main")
    return repository


def hook(repository: Repository, name: str, script: str) -> None:
    path = repository.write(f".git/hooks/{name}", f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def switch_on(repository: Repository) -> None:
    repository.write(".vizier/config.toml", _ON)
    repository.git("add", "--force", ".vizier/config.toml")
    repository.git("commit", "-q", "--no-verify", "-m", "hooks on")


def run(repository: Repository, name: str) -> Finished:
    done = repository.vizier("run", f"{name}.json", "--follow")
    repository.wait_until_quiet()
    return done


@pytest.mark.parametrize("name", ["pre-commit", "commit-msg", "prepare-commit-msg", "pre-merge-commit", "post-commit"])
@pytest.mark.parametrize("what", ["commit", "merge"])
def test_off_by_default(what: str, name: str, flow: Repository) -> None:
    hook(flow, name, "touch hook-ran; exit 1")
    run(flow, what).ok()
    assert not (flow.path / "hook-ran").exists()


def test_a_hook_that_refuses_fails_the_node_with_its_words(flow: Repository) -> None:
    switch_on(flow)
    hook(flow, "pre-commit", "echo 'no new files on a Monday' >&2; exit 3")
    head = flow.git("rev-parse", "HEAD")
    run(flow, "commit").fails()
    assert flow.status("commit") == "failed"
    assert "pre-commit hook refused: no new files on a Monday" in flow.log("commit", "stdout")
    assert flow.git("rev-parse", "HEAD") == head
    assert flow.read("new.txt") == "text\n"


def test_a_message_that_a_hook_refuses(flow: Repository) -> None:
    switch_on(flow)
    hook(flow, "commit-msg", 'grep -q "^fix" "$1" || { echo "only fixes: $(cat "$1")" >&2; exit 1; }')
    run(flow, "commit").fails()
    assert "commit-msg hook refused: only fixes: feat: new file" in flow.log("commit", "stdout")


def test_a_hook_that_edits_files(flow: Repository) -> None:
    """Whatever it has staged is part of the commit."""
    switch_on(flow)
    hook(flow, "pre-commit", "echo formatted >>new.txt; echo also >also.txt; git add new.txt also.txt")
    run(flow, "commit").ok()
    assert flow.git("show", "HEAD:new.txt") == "text\nformatted"
    assert flow.git("show", "HEAD:also.txt") == "also"
    assert flow.git("status", "--porcelain", "--", ":(exclude).vizier") == ""


def test_a_hook_that_edits_the_message(flow: Repository) -> None:
    switch_on(flow)
    hook(flow, "prepare-commit-msg", 'echo "$2" >prepared; echo "Signed-off-by: Hook" >>"$1"')
    run(flow, "commit").ok()
    assert flow.git("log", "-1", "--format=%B").split("\n") == ["feat: new file", "Signed-off-by: Hook"]
    assert flow.read("prepared") == "message\n"


def test_a_hook_in_a_configured_directory(flow: Repository) -> None:
    switch_on(flow)
    flow.git("config", "core.hooksPath", "own-hooks")
    path = flow.write("own-hooks/pre-commit", "#!/bin/sh\necho from a directory of its own >&2\nexit 1\n")
    path.chmod(0o755)
    run(flow, "commit").fails()
    assert "from a directory of its own" in flow.log("commit", "stdout")


def test_a_hook_that_fails_afterwards_stops_nothing(flow: Repository) -> None:
    """The commit exists; the operator is told."""
    switch_on(flow)
    hook(flow, "post-commit", "echo 'mail not sent' >&2; exit 1")
    run(flow, "commit").ok()
    assert flow.git("log", "-1", "--format=%s") == "feat: new file"
    assert "post-commit hook refused: mail not sent" in flow.log("commit")


def test_a_merge_that_a_hook_refuses(flow: Repository) -> None:
    """The checkout is as it was, the operator's edits included."""
    switch_on(flow)
    flow.write("README.md", "edited\n")
    head = flow.git("rev-parse", "HEAD")
    hook(flow, "pre-merge-commit", "test -e merged.txt && echo 'main is frozen' >&2; exit 1")
    run(flow, "merge").fails()
    assert "pre-merge-commit hook refused: main is frozen" in flow.log("merge", "stdout")
    assert flow.git("rev-parse", "HEAD") == head
    assert not (flow.path / "merged.txt").exists()
    assert flow.git("status", "--porcelain", "--", ":(exclude).vizier") == "M README.md"


def test_a_hook_that_edits_merged_files(flow: Repository) -> None:
    """It sees the merge and none of the operator's edits; these stay out of the commit."""
    switch_on(flow)
    flow.write("README.md", "edited\n")
    hook(flow, "pre-merge-commit", "git diff --cached --name-only >seen; echo more >>merged.txt; git add merged.txt")
    run(flow, "merge").ok()
    assert flow.git("show", "HEAD:merged.txt") == "merged\nmore"
    assert flow.git("show", "HEAD:README.md") == "test"
    assert flow.read("README.md") == "edited\n"
    assert flow.read("seen") == "merged.txt\n"
    assert flow.git("rev-list", "--parents", "-n1", "HEAD").count(" ") == 2


def test_a_commit_is_signed_when_that_is_switched_on(flow: Repository) -> None:
    """By the program that git is configured with; off, nothing is asked for a signature (WS-06-25)."""
    text = "#!/bin/sh\ncat >/dev/null\nprintf '\\n[GNUPG:] SIG_CREATED \\n' >&2\necho made-up-signature\n"
    signer = flow.write("sign.sh", text)
    signer.chmod(0o755)
    for key, value in (("gpg.program", str(signer)), ("commit.gpgSign", "true"), ("user.signingKey", "x")):
        flow.git("config", key, value)
    run(flow, "commit").ok()
    assert "gpgsig" not in flow.git("cat-file", "commit", "HEAD")
    flow.write(".vizier/config.toml", "[git]\nsign = true\n")
    run(flow, "merge").ok()
    assert "made-up-signature" in flow.git("cat-file", "commit", "HEAD")
