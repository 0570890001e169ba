"""Fixtures of the crash tests."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

# Helpers are imported as `crash.…` and `support.…`.
sys.path.insert(0, str(Path(__file__).parents[1]))

from support.left_behind import valid_files  # noqa: F401 - an automatic fixture
from support.repository import Repository


@pytest.fixture
def repositories(tmp_path: Path) -> Iterator[Callable[..., Repository]]:
    """Makes repositories, and ends what still runs in them."""
    made: list[Repository] = []

    def make(launcher: str | None = None) -> Repository:
        made.append(Repository(tmp_path / str(len(made)), launcher))
        return made[-1]

    yield make
    for repository in made:
        repository.close()


@pytest.fixture(params=[None, "exec"], ids=["fork", "exec"])
def repository(request: pytest.FixtureRequest, repositories: Callable[..., Repository]) -> Repository:
    """A repository; every test that uses it runs with both ways to start workers."""
    return repositories(request.param)
