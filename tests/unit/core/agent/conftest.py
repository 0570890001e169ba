"""Agents in tests: no variable of the caller's steers them."""

import os
from pathlib import Path

import pytest

from .runs import Run


@pytest.fixture(autouse=True)
def no_steering_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(("VIZIER_", "RECORDED_")) or name == "NO_COLOR":
            monkeypatch.delenv(name)


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """A runner whose agents work in an empty directory."""
    return Run(tmp_path)
