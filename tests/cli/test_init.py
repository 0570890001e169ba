"""`vizier init` and what it seeds, as an operator meets it (spec 09 §2, §3, §18 nos. 2-7)."""

import pytest

from support.repository import Repository


@pytest.fixture
def scaffold(repository: Repository) -> Repository:
    repository.vizier("init").ok()
    repository.git("add", ".")
    repository.git("commit", "-q", "-m", "chore: scaffold")
    return repository


def test_ws_09_02_a_broken_configuration_does_not_stop_it(repository: Repository) -> None:
    repository.write(".vizier/config.toml", "= nonsense")
    done = repository.vizier("init").ok()
    assert "init goes on without the configuration" in done.err
    assert "config.toml" in done.err
    assert (repository.path / ".vizier" / "develop.hcl").is_file()


def test_a_broken_configuration_is_nothing_that_a_check_lets_pass(repository: Repository) -> None:
    repository.write(".vizier/config.toml", "= nonsense")
    repository.vizier("init").ok()
    checked = repository.vizier("init", "--check").fails(1)
    assert checked.out == ""
    assert "config.toml" in checked.err
    # What was named is another matter.
    repository.vizier("-C", ".vizier/config.toml", "init").fails(1)


def test_ws_09_03_it_says_what_to_commit(repository: Repository) -> None:
    done = repository.vizier("init").ok()
    commands = [line.strip() for line in done.out.splitlines() if line.startswith("  ")]
    assert commands == ["git add .vizier .gitignore ci.sh && git commit"]
    repository.git("add", ".vizier", ".gitignore", "ci.sh")
    repository.git("commit", "-q", "-m", "chore: scaffold")
    assert repository.git("status", "--porcelain") == ""


@pytest.fixture
def commit_flow(scaffold: Repository) -> Repository:
    """The seeded flow `commit` with an agent that keeps what it was asked, and then does what `answer.sh` says."""
    agent = 'command = ["sh", "-c", "cat >.vizier/tmp/asked; sh .vizier/tmp/answer.sh"]'
    scaffold.write(".vizier/config.toml", f"{scaffold.read('.vizier/config.toml')}\n[agents.default.agent]\n{agent}\n")
    scaffold.write(".vizier/tmp/answer.sh", "exit 3")
    scaffold.write("binary.txt", b"caf\xe9\n" * 10)
    scaffold.write("wide.txt", "wide: \N{SNOWMAN}\n")
    scaffold.git("add", ".")
    scaffold.git("commit", "-q", "-m", "chore: files")
    return scaffold


def test_ws_09_05_headings_of_the_context_are_lines_of_their_own(commit_flow: Repository) -> None:
    commit_flow.write("README.md", "changed\n")
    commit_flow.vizier("run", "commit", "--follow").fails(1)
    asked = commit_flow.read(".vizier/tmp/asked")
    assert "\n## Tracked Status\n M README.md\n\n## Staged Diff (truncated)\n<none>\n\n## Unstaged Diff" in asked
    assert "\\n" not in asked


def test_ws_09_06_bytes_that_are_no_text_do_not_stop_it(commit_flow: Repository) -> None:
    """Neither those of the files nor a character that the cut goes through."""
    commit_flow.write("binary.txt", b"caf\xe8\n" * 10)
    commit_flow.write("wide.txt", "\N{SNOWMAN}" * 40_000)
    commit_flow.vizier("run", "commit", "--follow").fails(1)
    asked = commit_flow.read(".vizier/tmp/asked")
    assert "+caf\n" in asked
    assert "\N{SNOWMAN}" in asked
    assert "\N{REPLACEMENT CHARACTER}" not in asked


def test_ws_09_07_an_agent_that_fails_leaves_the_index_as_it_was(commit_flow: Repository) -> None:
    commit_flow.write("README.md", "staged\n")
    commit_flow.git("add", "README.md")
    commit_flow.write("wide.txt", "not staged\n")
    before = commit_flow.git("status", "--porcelain")
    commit_flow.vizier("run", "commit", "--follow").fails(1)
    assert commit_flow.status("invoke_agent") == "failed"
    assert commit_flow.git("status", "--porcelain") == before
