"""From the bytes of a configuration file to a tree of tables and values (spec 07 §2.2)."""

from pathlib import Path
from typing import Any

import msgspec

from vizier_core.errors import ConfigError

Tree = dict[str, Any]


def read_tree(path: Path) -> Tree:
    """What a configuration file says; an empty tree if it is no table.

    Raises:
        ConfigError: it cannot be read or parsed; the message names it.
    """
    text = read_text(path, f"configuration file {path}")
    suffix = path.suffix.lower()
    if suffix == ".json":
        tree = _parse_json(text, path)
    elif suffix == ".toml":
        tree = _parse_toml(text, path)
    else:
        tree = _parse_either(text, path)
    return tree if isinstance(tree, dict) else {}


def read_text(path: Path, what: str) -> str:
    """The text of a file.

    Args:
        path: the file.
        what: what messages call it.

    Raises:
        ConfigError: it cannot be read, or is no UTF-8.
    """
    try:
        return path.read_bytes().decode("utf-8")
    except OSError as error:
        raise ConfigError(f"cannot read {what}: {error.strerror or error}") from None
    except UnicodeDecodeError as error:
        raise ConfigError(f"cannot read {what}: not valid UTF-8 at byte {error.start}") from None
    except ValueError as error:  # no file has such a name
        raise ConfigError(f"cannot read {what}: {error}") from None


def _parse_json(text: str, path: Path) -> Any:
    try:
        return msgspec.json.decode(text)
    except RecursionError:
        raise ConfigError(f"invalid JSON in {path}: nested too deeply") from None
    except msgspec.DecodeError as error:
        raise ConfigError(f"invalid JSON in {path}{_json_position(text)}: {error}") from None


def _json_position(text: str) -> str:
    """Line and column of the first error; empty if the other parser sees none."""
    import json  # noqa: PLC0415 - only to tell where the error is, which msgspec gives in bytes

    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        return f":{error.lineno}:{error.colno}"
    except RecursionError:
        return ""
    return ""


def _parse_toml(text: str, path: Path) -> Any:
    import tomllib  # noqa: PLC0415 - takes 2 ms to import, and many starts have no such file to read

    try:
        return tomllib.loads(text.removeprefix("\ufeff"))  # some editors put a byte order mark there
    except RecursionError:
        raise ConfigError(f"invalid TOML in {path}: nested too deeply") from None
    except ValueError as error:  # TOMLDecodeError, and what `int` says about numbers with thousands of digits
        raise ConfigError(f"invalid TOML in {path}: {error}") from None


def _parse_either(text: str, path: Path) -> Any:
    """A file whose name does not tell: TOML, and JSON if it is not that.

    What is TOML is no JSON, so what is wrong with the meaning of a TOML file is never masked (WS-07-03).
    """
    try:
        return _parse_toml(text, path)
    except ConfigError as not_toml:
        try:
            return _parse_json(text, path)
        except ConfigError as not_json:
            raise ConfigError(f"{not_json}; {not_toml}") from None
