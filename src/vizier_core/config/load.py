"""Loads the configuration of a project; every command and every worker does (spec 07 §2.1)."""

from collections.abc import Callable
from pathlib import Path

from vizier_core.config.locate import ConfigFile, Origin, locate_config_files
from vizier_core.config.settings import Settings


def load_settings(
    root: Path,
    explicit: Path | None = None,
    tell: Callable[[str], None] = lambda line: None,
    warn: Callable[[str], None] = lambda line: None,
) -> Settings:
    """The effective settings of a project.

    Args:
        root: the project root.
        explicit: the file the operator named, if any; then no other is read.
        tell: receives a line about each file that is read.
        warn: receives a line about each key or value that is ignored.

    Raises:
        ConfigError: a file is unusable; the message names file and key.
    """
    files = locate_config_files(root, explicit)
    return _read(files, tell, warn) if files else Settings()


def _read(files: list[ConfigFile], tell: Callable[[str], None], warn: Callable[[str], None]) -> Settings:
    # What reads files is dear to import, and most projects that have none are served without it.
    from vizier_core.config.effective import Effective, make_settings  # noqa: PLC0415
    from vizier_core.config.layers import read_layer  # noqa: PLC0415

    layers = []
    for file in files:
        if file.origin is not Origin.EXPLICIT:
            tell(f"Loading {file.origin} config from {file.path}")
        layers.append(read_layer(file.path))
    for layer in layers:
        for line in layer.warnings:
            warn(line)
    return make_settings(Effective(layers))
