"""Flows from outside: the program in a throw-away repository."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

# Helpers are imported as `support.…`.
sys.path.insert(0, str(Path(__file__).parents[1]))

from support.left_behind import valid_files  # noqa: F401 - an automatic fixture
from support.repository import Repository


@pytest.fixture
def repository(tmp_path: Path) -> Iterator[Repository]:
    made = Repository(tmp_path)
    yield made
    made.close()
