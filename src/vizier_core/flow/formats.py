"""Reads template files: HCL, TOML or JSON text becomes a plain tree (spec 04 §4)."""

import json
from pathlib import Path
from typing import Any, Final, NamedTuple, NoReturn

from vizier_core.errors import TemplateSourceError
from vizier_kernel.template import Positions, TemplateWarning

SUFFIXES: Final = (".hcl", ".toml", ".json")


class Tree(NamedTuple):
    """What a file says."""

    value: Any
    #: Name of the format, as messages spell it.
    format: str
    #: Line and column of key paths, in formats that know them.
    positions: Positions | None = None
    warnings: tuple[TemplateWarning, ...] = ()


def read_tree(path: Path) -> Tree:
    """Parses a template file by its extension.

    Raises:
        TemplateSourceError: the file cannot be read or parsed; the message names it.
    """
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise TemplateSourceError(f"unsupported template source {path}; expected a .hcl, .toml or .json file")
    text = _read_text(path)
    if suffix == ".hcl":
        return _parse_hcl(text, path)
    return Tree(_parse_toml(text, path), "TOML") if suffix == ".toml" else Tree(_parse_json(text, path), "JSON")


def read_identity(path: Path) -> tuple[str, str] | None:
    """The `id` and `version` of a template file; None if it has no such texts.

    Raises:
        TemplateSourceError: the file cannot be read or parsed.
    """
    value = read_tree(path).value
    if not isinstance(value, dict):
        return None
    identity, version = value.get("id"), value.get("version")
    return (identity, version) if isinstance(identity, str) and isinstance(version, str) else None


def _read_text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8")
    except OSError as error:
        raise TemplateSourceError(f"unable to read template source {path}: {error.strerror or error}") from None
    except UnicodeDecodeError as error:
        raise TemplateSourceError(
            f"unable to read template source {path}: not valid UTF-8 at byte {error.start}"
        ) from None


def _parse_toml(text: str, path: Path) -> Any:
    import tomllib  # noqa: PLC0415 - only for this format

    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise TemplateSourceError(f"invalid TOML template {path}: {error or 'nested too deeply'}") from None


def _parse_json(text: str, path: Path) -> Any:
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        place = f"{path}:{error.lineno}:{error.colno}"
        raise TemplateSourceError(f"invalid JSON template {path}: {place}: {error.msg}") from None
    except (ValueError, RecursionError) as error:
        raise TemplateSourceError(f"invalid JSON template {path}: {error or 'nested too deeply'}") from None


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"`{name}` is not JSON")
