"""What goes beyond the conformance tests of `init`: the weak spots of spec 09 §18 about it."""

import json
import subprocess
from typing import Any

import pytest

from support.flows import command, template
from support.repository import Repository

CONTEXT = ".vizier/tmp/commit-context.txt"


def test_ws_09_02_a_broken_configuration_is_a_warning_for_init_only(repository: Repository) -> None:
    repository.write(".vizier/config.toml", "= broken\n")
    check = repository.vizier("init", "--check").fails(1)
    assert check.out == ""
    assert "config.toml" in check.err
    done = repository.vizier("init").ok()
    assert "goes on without the configuration" in done.err
    assert "config.toml" in done.err
    repository.vizier("-C", ".vizier/config.toml", "init").fails(1)


def test_ws_09_03_the_operator_is_told_to_commit_the_scaffold(repository: Repository) -> None:
    lines = repository.vizier("init").ok().out.splitlines()
    assert lines[0].startswith("Outcome:")
    assert any("git add .vizier .gitignore ci.sh && git commit" in line for line in lines[1:])
    assert not any(line.startswith(("Outcome:", "missing:")) for line in lines[1:])
    subprocess.run(
        ["sh", "-c", "git add .vizier .gitignore ci.sh && git commit -qm x"],
        cwd=repository.path,
        env=repository.env,
        check=True,
    )
    assert repository.git("status", "--porcelain") == ""


def enqueued(repository: Repository) -> dict[str, Any]:
    """The nodes of a run of the commit flow that waits for an approval."""
    run = repository.vizier("run", "commit", "--require-approval", "--format", "json").ok().json()
    manifest = json.loads(repository.read(f".vizier/jobs/runs/{run['run_id']}.json"))
    nodes: dict[str, Any] = manifest["nodes"]
    return nodes


def context(repository: Repository) -> bytes:
    """What the first node of the commit flow writes; runs only that node."""
    script = enqueued(repository)["collect_context"]["args"]["script"]
    repository.write("only.json", template(command("only", script)))
    repository.vizier("run", "only.json", "--follow").ok()
    return (repository.path / CONTEXT).read_bytes()


@pytest.fixture
def committed(repository: Repository) -> Repository:
    repository.vizier("init").ok()
    repository.write("notes.txt", "")
    repository.git("add", "-A")
    repository.git("commit", "-qm", "scaffold")
    return repository


def test_ws_09_05_the_context_of_a_commit_has_real_line_breaks(committed: Repository) -> None:
    committed.write("README.md", "changed\n")
    text = context(committed).decode()
    assert "\\n" not in text
    assert text.startswith("## Tracked Status\n M README.md\n\n## Staged Diff (truncated)\n<none>\n\n## Unstaged Diff")


def test_ws_09_06_a_cut_splits_no_character_and_other_encodings_do_no_harm(committed: Repository) -> None:
    # One byte, then characters of three: some offset of the cut is inside of one.
    committed.write("notes.txt", "x" + "\N{EURO SIGN}" * 20_000 + "\n")
    committed.write("README.md", b"caf\xe9\n")
    text = context(committed).decode("utf-8")
    assert 29_900 < len(text.partition("## Unstaged Diff (truncated)\n")[2].encode()) <= 30_001
    assert "+caf\n" in text


def test_ws_09_07_the_index_is_left_alone_until_the_message_is_there(committed: Repository) -> None:
    committed.write("README.md", "staged\n")
    committed.git("add", "README.md")
    committed.write("notes.txt", "not staged\n")
    context(committed)
    assert committed.git("diff", "--cached", "--name-only") == "README.md"
    nodes = enqueued(committed)
    touching = [name for name, entry in nodes.items() if "git reset" in entry["args"].get("script", "")]
    assert touching == ["stage_tracked"]
    assert [route["node_id"] for route in nodes["invoke_agent"]["routes"]["succeeded"]] == touching
