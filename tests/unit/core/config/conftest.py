"""Configuration files of a project without a user's own."""

import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from vizier_core.config import Settings, load_settings
from vizier_core.config.effective import Effective, make_settings
from vizier_core.config.layers import Layer, decode

#: Where texts that are no file claim to come from.
HERE = Path("/project/.vizier/config.toml")


@pytest.fixture(autouse=True)
def nobodys_profile(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("USERPROFILE", raising=False)


@pytest.fixture
def read() -> Callable[[str], Layer]:
    """What a TOML text sets."""
    return lambda text: decode(tomllib.loads(text), HERE)


@pytest.fixture
def settings_of(read) -> Callable[..., Settings]:
    """The effective settings that TOML texts make, the strongest last."""
    return lambda *texts: make_settings(Effective(map(read, texts)))


@pytest.fixture
def configure(root: Path) -> Callable[..., Path]:
    """Writes the configuration file of the project."""

    def write(text: str, name: str = "config.toml") -> Path:
        path = root / ".vizier" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        return path

    return write


@pytest.fixture
def load(root: Path) -> Callable[..., tuple[Settings, list[str]]]:
    """Loads the configuration of the project: the settings and what is warned about."""

    def loaded(explicit: Path | None = None) -> tuple[Settings, list[str]]:
        warnings: list[str] = []
        return load_settings(root, explicit, warn=warnings.append), warnings

    return loaded
