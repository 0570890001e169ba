"""`vizier release` beyond the contract's tests: what happens when something comes in between (spec 09 §8, §18)."""

import os
import signal
import time

import pytest

from support.repository import VIZIER, Repository
from support.terminal import Terminal


@pytest.fixture
def tagged(repository: Repository) -> Repository:
    """At v1.4.2 with a feature since."""
    repository.git("tag", "v1.4.2")
    repository.git("commit", "-q", "--allow-empty", "-m", "feat: more")
    return repository


def rows(text: str) -> dict[str, str]:
    split = (line.partition(": ") for line in text.splitlines() if line[:1].isupper() and ": " in line)
    return {label.strip(): value for label, _, value in split}


def at_start(repository: Repository, head: str) -> bool:
    """Whether branch, tags, HEAD and tracked files are those from before."""
    return (
        repository.git("rev-parse", "HEAD", "refs/heads/main").split() == [head, head]
        and repository.git("symbolic-ref", "HEAD") == "refs/heads/main"
        and repository.git("tag") == "v1.4.2"
        and repository.git("status", "--porcelain", "--untracked-files=no") == ""
    )


def test_ws_09_13_a_subdirectory_is_as_good_as_the_root(tagged: Repository) -> None:
    tagged.write("deep/er/file", "")
    tagged.git("add", ".")
    tagged.git("commit", "-q", "-m", "fix: deep")
    where = tagged.path / "deep" / "er"
    with Terminal([*VIZIER, "release", "--yes"], where, tagged.env) as terminal:
        assert terminal.finish() == 0, terminal.text
    assert tagged.git("tag", "--points-at", "HEAD") == "v1.5.0"


def test_ws_09_14_a_tag_that_cannot_be_made_takes_the_commit_back(tagged: Repository) -> None:
    head = tagged.git("rev-parse", "HEAD")
    # A nested reference occupies the name of the tag.
    tagged.git("update-ref", "refs/tags/v1.5.0/nested", head)
    done = tagged.vizier("release", "--yes").fails(1)
    assert "tagging was aborted" in done.err
    assert "taken back" in done.err
    tagged.git("update-ref", "-d", "refs/tags/v1.5.0/nested")
    assert at_start(tagged, head)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_ws_09_14_a_signal_during_the_script_takes_everything_back(tagged: Repository, number: signal.Signals) -> None:
    head = tagged.git("rev-parse", "HEAD")
    script = "echo edited >README.md; touch ../started; exec sleep 600"
    program = tagged.start("release", "--yes", "--release-script", script)
    tagged.wait((tagged.base / "started").exists, "the script to start")
    os.kill(program.pid, number)
    out, err = program.communicate(timeout=60)
    assert program.returncode == 128 + number
    assert rows(out)["Rollback"] == "complete", out
    assert "release script failed (terminated by signal)" in err
    assert at_start(tagged, head)
    assert not [process for process in tagged.processes() if "sleep" in process.command]


def test_ws_09_14_ctrl_c_during_the_script_takes_everything_back(tagged: Repository) -> None:
    head = tagged.git("rev-parse", "HEAD")
    argv = [*VIZIER, "release", "--yes", "--release-script", "echo RUNNING; sleep 600"]
    with Terminal(argv, tagged.path, tagged.env) as terminal:
        terminal.wait_for(r"RUNNING\n")
        terminal.type("\x03")
        assert terminal.finish() == 128 + signal.SIGINT
        assert rows(terminal.text)["Rollback"] == "complete"
    assert at_start(tagged, head)


def test_ws_09_15_a_branch_that_moves_during_the_question_is_not_released(tagged: Repository) -> None:
    with Terminal([*VIZIER, "release"], tagged.path, tagged.env) as terminal:
        terminal.wait_for(r"\[y/N\]: ")
        tagged.git("commit", "-q", "--allow-empty", "-m", "feat!: late")
        head = tagged.git("rev-parse", "HEAD")
        terminal.type("y\r")
        assert terminal.finish() == 1
        assert "has moved since the release was planned" in terminal.text
    assert at_start(tagged, head)


def test_ws_09_16_what_the_script_commits_is_not_dropped(tagged: Repository) -> None:
    start = tagged.git("rev-parse", "HEAD")
    script = "git commit -q --allow-empty -m extra; echo edited >README.md; exit 3"
    done = tagged.vizier("release", "--yes", "--release-script", script).fails(1)
    found = rows(done.out)
    assert found["Rollback"] == "incomplete"
    assert found["Branch rollback"].startswith("FAILED to restore main to")
    assert found["Worktree rollback"].startswith("FAILED to restore to")
    assert found["Tag rollback"] == "removed v1.5.0"
    assert tagged.git("log", "-1", "--format=%s") == "extra"
    assert tagged.read("README.md") == "edited\n"
    assert "Rollback recovery details:" in done.out
    assert f"  git reset --hard {start}" in done.out
    assert "rollback incomplete; see output for recovery instructions" in done.err


def test_ws_09_16_edits_that_are_undone_are_kept_elsewhere(tagged: Repository) -> None:
    head = tagged.git("rev-parse", "HEAD")
    done = tagged.vizier("release", "--yes", "--release-script", "echo edited >README.md; exit 1").fails(1)
    assert at_start(tagged, head)
    reference = "refs/vizier/rescue/release-v1.5.0"
    assert reference in rows(done.out)["Changed files"]
    assert tagged.git("show", f"{reference}:README.md") == "edited"


def test_ws_09_17_untracked_files_stay_and_are_named(tagged: Repository) -> None:
    tagged.write(".git/info/exclude", "*.o\n")
    tagged.write("kept.o", "mine")
    done = tagged.vizier("release", "--yes", "--release-script", "echo x >artifact.bin; exit 1").fails(1)
    assert rows(done.out)["Untracked files"] == "left where they are: artifact.bin"
    assert (tagged.read("artifact.bin"), tagged.read("kept.o")) == ("x\n", "mine")


def test_ws_09_19_foreign_tags_stop_nothing(tagged: Repository) -> None:
    for name in ("vendor-drop", "v/next", "vNext"):
        tagged.git("tag", name)
    tagged.git("tag", "v9.9.9-tree", "HEAD^{tree}")
    assert rows(tagged.vizier("release", "--dry-run").ok().out)["Last tag"] == "v1.4.2"


def test_of_equal_versions_the_first_name_counts(tagged: Repository) -> None:
    tagged.git("tag", "v01.4.2", "HEAD~1")
    tagged.git("tag", "v1.04.2")
    found = rows(tagged.vizier("release", "--dry-run").ok().out)
    assert (found["Last tag"], found["Next version"]) == ("v01.4.2", "v1.5.0")


def test_ws_09_20_a_higher_version_elsewhere_is_told(tagged: Repository) -> None:
    tagged.git("checkout", "-q", "-b", "other")
    tagged.git("commit", "-q", "--allow-empty", "-m", "feat: other")
    tagged.git("tag", "v2.0.0")
    tagged.git("checkout", "-q", "main")
    done = tagged.vizier("release", "--dry-run", "--patch").ok()
    assert done.err == "tag v2.0.0 is not in the history of this branch and is higher than v1.4.3\n"
    assert tagged.vizier("-q", "release", "--dry-run", "--patch").ok().err == ""


def test_ws_09_21_the_script_swallows_no_input(tagged: Repository) -> None:
    """It would wait for ever, or eat what was meant for the program that follows."""
    done = tagged.vizier("release", "--yes", "--release-script", "cat; echo done").ok()
    assert "done\n" in done.out


def test_ws_09_22_staged_runtime_files_stay_out_of_the_release(tagged: Repository) -> None:
    tagged.write(".vizier/tmp/x", "x")
    tagged.git("add", "-f", ".vizier/tmp/x")
    tagged.vizier("release", "--yes").ok()
    assert tagged.git("ls-tree", "-r", "--name-only", "HEAD") == "README.md"
    assert tagged.git("diff", "--cached", "--name-only") == ".vizier/tmp/x"


def test_what_the_script_checks_out_is_put_back(tagged: Repository) -> None:
    head = tagged.git("rev-parse", "HEAD")
    script = "git checkout -q --detach; git commit -q --allow-empty -m lost; git tag -d v1.5.0 >&2; exit 1"
    done = tagged.vizier("release", "--yes", "--release-script", script).fails(1)
    assert (rows(done.out)["Rollback"], rows(done.out)["Tag rollback"]) == ("complete", "removed v1.5.0")
    assert at_start(tagged, head)
    assert tagged.git("log", "-1", "--format=%s", "refs/vizier/rescue/release-v1.5.0") == "lost"


def test_a_tag_that_the_script_has_moved_is_left_alone(tagged: Repository) -> None:
    done = tagged.vizier("release", "--yes", "--release-script", "git tag -f v1.5.0 HEAD^ >&2; exit 1").fails(1)
    found = rows(done.out)
    assert (found["Rollback"], found["Tag rollback"]) == ("incomplete", "FAILED to remove v1.5.0")
    assert "  git tag -d v1.5.0" in done.out


def test_a_branch_that_the_script_has_deleted_comes_back(tagged: Repository) -> None:
    head = tagged.git("rev-parse", "HEAD")
    done = tagged.vizier("release", "--yes", "--release-script", "git update-ref -d refs/heads/main; exit 1").fails(1)
    assert rows(done.out)["Rollback"] == "complete"
    assert at_start(tagged, head)


def test_a_linked_worktree_is_released_on_its_own_branch(tagged: Repository) -> None:
    other = tagged.base / "other"
    tagged.git("worktree", "add", "-q", "-b", "side", str(other))
    main = tagged.git("rev-parse", "main")
    here, tagged.path = tagged.path, other
    tagged.vizier("release", "--yes").ok()
    tagged.path = here
    assert tagged.git("rev-parse", "v1.5.0^{commit}") == tagged.git("rev-parse", "side")
    assert tagged.git("rev-parse", "main") == main


def test_messages_that_are_no_text_and_messages_that_steer_terminals(tagged: Repository) -> None:
    message = tagged.base / "message"
    message.write_bytes(b"fix: \xff\xfe")
    tagged.git("-c", "i18n.commitEncoding=none", "commit", "-q", "--allow-empty", "-F", str(message))
    message.write_bytes(b"fix: \x1b[31mred")
    tagged.git("commit", "-q", "--allow-empty", "-F", str(message))
    done = tagged.vizier("release", "--dry-run").ok()
    assert "\x1b" not in done.out
    assert rows(done.out)["Commits scanned"] == "3"
    tagged.vizier("release", "--yes").ok()


def test_the_release_knows_its_own_moment(tagged: Repository) -> None:
    before = time.time()
    tagged.vizier("release", "--yes").ok()
    assert abs(int(tagged.git("log", "-1", "--format=%ct")) - before) < 120
