"""`vizier init` and what it seeds, as an operator meets it (spec 09 §2, §3, §18 nos. 2-7)."""

import pytest

from support.repository import Repository

AGENT = '[agents.commit.agent]\ncommand = ["sh", "-c", "{script}"]\n'


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


def test_ws_09_03_it_says_what_to_commit(repository: Repository) -> None:
    done = repository.vizier("init").ok()
    commands = [line.strip() for line in done.out.splitlines() if line.startswith("  ")]
    assert commands == ["git add .vizier .gitignore ci.sh && git commit"]
    repository.git("add", ".vizier", ".gitignore", "ci.sh")
    repository.git("commit", "-q", "-m", "chore: scaffold")
    assert repository.git("status", "--porcelain") == ""
