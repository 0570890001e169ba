"""What goes beyond the conformance tests of `init`: the weak spots of spec 09 §18 about it."""

import subprocess

import pytest
from driver import Repo, node

CONTEXT = ".vizier/tmp/commit-context.txt"


def test_ws_09_02_a_broken_configuration_is_a_warning_for_init_only(repo: Repo) -> None:
    repo.write(".vizier/config.toml", "= broken\n")
    check = repo.vizier("init", "--check").fails(1)
    assert check.out == ""
    assert "config.toml" in check.err
    done = repo.vizier("init").ok()
    assert "goes on without the configuration" in done.err
    assert "config.toml" in done.err
    repo.vizier("-C", ".vizier/config.toml", "init").fails(1)


def test_ws_09_03_the_operator_is_told_to_commit_the_scaffold(repo: Repo) -> None:
    lines = repo.vizier("init").ok().out.splitlines()
    assert lines[0].startswith("Outcome:")
    assert any("git add .vizier .gitignore ci.sh && git commit" in line for line in lines[1:])
    assert not any(line.startswith(("Outcome:", "missing:")) for line in lines[1:])
    subprocess.run(
        ["sh", "-c", "git add .vizier .gitignore ci.sh && git commit -qm x"], cwd=repo.path, env=repo.env, check=True
    )
    assert repo.git("status", "--porcelain") == ""


def context(repo: Repo) -> bytes:
    """What the first node of the commit flow writes; runs only that node."""
    run = repo.manifest(repo.enqueue("commit", "--require-approval"))
    only = node("only", "command.run", run["nodes"]["collect_context"]["args"])
    repo.follow(repo.template(only)).ok()
    return (repo.path / CONTEXT).read_bytes()


@pytest.fixture
def committed(repo: Repo) -> Repo:
    repo.vizier("init").ok()
    repo.write("notes.txt", "")
    repo.commit("scaffold")
    return repo


def test_ws_09_05_the_context_of_a_commit_has_real_line_breaks(committed: Repo) -> None:
    committed.write("README.md", "changed\n")
    text = context(committed).decode()
    assert "\\n" not in text
    assert text.startswith("## Tracked Status\n M README.md\n\n## Staged Diff (truncated)\n<none>\n\n## Unstaged Diff")


def test_ws_09_06_a_cut_splits_no_character_and_other_encodings_do_no_harm(committed: Repo) -> None:
    # One byte, then characters of three: some offset of the cut is inside of one.
    committed.write("notes.txt", "x" + "\N{EURO SIGN}" * 20_000 + "\n")
    committed.write("README.md", b"caf\xe9\n")
    text = context(committed).decode("utf-8")
    assert 29_900 < len(text.partition("## Unstaged Diff (truncated)\n")[2].encode()) <= 30_001
    assert "+caf\n" in text


def test_ws_09_07_the_index_is_left_alone_until_the_message_is_there(committed: Repo) -> None:
    committed.write("README.md", "staged\n")
    committed.git("add", "README.md")
    committed.write("notes.txt", "not staged\n")
    context(committed)
    assert committed.git("diff", "--cached", "--name-only") == "README.md"
    nodes = committed.manifest(committed.enqueue("commit", "--require-approval"))["nodes"]
    touching = [name for name, entry in nodes.items() if "git reset" in entry["args"].get("script", "")]
    assert touching == ["stage_tracked"]
    assert [route["node_id"] for route in nodes["invoke_agent"]["routes"]["succeeded"]] == touching
