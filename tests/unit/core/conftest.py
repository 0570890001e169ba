"""A project for tests of the core: a directory that looks like a git checkout, without git having run."""

import sys
from pathlib import Path

import pytest
from hypothesis import settings

from vizier_core.config import Settings
from vizier_core.jobs.context import JobsContext
from vizier_core.jobs.opening import open_project
from vizier_core.jobs.store import JobStore

# Helpers are imported as `support.…`.
sys.path.insert(0, str(Path(__file__).parents[2]))

# How long an example takes says nothing on a busy machine.
settings.register_profile("no deadline", deadline=None)
settings.load_profile("no deadline")


@pytest.fixture(autouse=True)
def nobodys_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What the caller's environment says must not matter, nor must a home directory."""
    for name in ("VIZIER_APPROVAL_ACTOR", "VIZIER_CONFIG_FILE", "VIZIER_CONFIG_DIR", "XDG_CONFIG_HOME", "APPDATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The project root."""
    root = tmp_path / "project"
    (root / ".git").mkdir(parents=True)
    return root


@pytest.fixture
def warnings() -> list[str]:
    """The lines for the operator."""
    return []


@pytest.fixture
def store(root: Path, warnings: list[str]) -> JobStore:
    store = JobStore(root, warnings.append)
    store.ensure_jobs_root()
    return store


@pytest.fixture
def context(root: Path, warnings: list[str]) -> JobsContext:
    context = open_project(root, Settings(), warnings.append)
    context.store.ensure_jobs_root()
    return context
