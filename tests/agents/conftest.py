"""Fixtures of the tests that run agents as nodes of real runs."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

# Helpers are imported as `support.…`.
sys.path.insert(0, str(Path(__file__).parents[1]))

from support.agents import AgentRepository
from support.left_behind import valid_files  # noqa: F401 - an automatic fixture


@pytest.fixture
def agents(tmp_path: Path) -> Iterator[AgentRepository]:
    made = AgentRepository(tmp_path)
    yield made
    made.close()
