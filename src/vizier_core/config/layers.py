"""Reads one configuration file into a plain tree (spec 07 §2.2)."""

import json
from pathlib import Path
from typing import Any

from vizier_core.errors import ConfigError

Tree = dict[str, Any]


def read_layer(path: Path) -> Tree:
    """What a configuration file says; an empty tree if it is no table.

    Raises:
        ConfigError: it cannot be read or parsed; the message names it.
    """
    try:
        text = path.read_bytes().decode("utf-8")
    except OSError as error:
        raise ConfigError(f"cannot read configuration file {path}: {error.strerror or error}") from None
    except UnicodeDecodeError as error:
        raise ConfigError(f"cannot read configuration file {path}: not valid UTF-8 at byte {error.start}") from None
    suffix = path.suffix.lower()
    if suffix == ".json":
        tree = _parse_json(text, path)
    elif suffix == ".toml":
        tree = _parse_toml(text, path)
    else:
        tree = _parse_either(text, path)
    return tree if isinstance(tree, dict) else {}


def _parse_json(text: str, path: Path) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise ConfigError(f"invalid JSON in {path}:{error.lineno}:{error.colno}: {error.msg}") from None
    except RecursionError:
        raise ConfigError(f"invalid JSON in {path}: nested too deeply") from None


def _parse_toml(text: str, path: Path) -> Any:
    import tomllib  # noqa: PLC0415 - dear to import, and most starts have no file to read

    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"invalid TOML in {path}: {error}") from None
    except RecursionError:
        raise ConfigError(f"invalid TOML in {path}: nested too deeply") from None


def _parse_either(text: str, path: Path) -> Any:
    """A file whose name does not tell: TOML, and JSON if that fails."""
    try:
        return _parse_toml(text, path)
    except ConfigError:
        return _parse_json(text, path)
