"""A throw-away repository in which changes are developed from request to merge."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

# Helpers are imported as `support.…`.
sys.path.insert(0, str(Path(__file__).parents[1]))

from support.development import Development
from support.left_behind import valid_files  # noqa: F401 - an automatic fixture


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Development]:
    made = Development(tmp_path)
    yield made
    made.close()
