"""Reads template files: HCL, TOML or JSON text becomes a plain tree (spec 04 §4)."""

import json
import re
from pathlib import Path
from typing import Any, Final, NamedTuple, NoReturn

from vizier_core.errors import TemplateSourceError
from vizier_core.flow.positions import json_positions, toml_positions
from vizier_kernel.template import Positions, TemplateWarning

SUFFIXES: Final = (".hcl", ".toml", ".json")
#: Strings and comments; what is quoted in a key does not matter here.
_NO_KEYS: Final = re.compile(r'"""(?:[^\\]|\\.)*?"""|"(?:[^"\\\n]|\\.)*"|' + r"'''.*?'''|'[^'\n]*'|#[^\n]*", re.DOTALL)
_ENDLESS_KEY: Final = re.compile(r"(?<![\w. \t-])[ \t]*+(?:[\w-]*+[ \t]*+\.[ \t]*+){200}")
#: How the parser says where it stopped.
_TOML_PROBLEM: Final = re.compile(r"(.*) \(at line (\d+), column (\d+)\)", re.DOTALL)


class Tree(NamedTuple):
    """What a file says."""

    value: Any
    #: Name of the format, as messages spell it.
    format: str
    #: Line and column of key paths.
    positions: Positions | None = None
    warnings: tuple[TemplateWarning, ...] = ()


def read_tree(path: Path) -> Tree:
    """Parses a template file by its extension.

    Raises:
        TemplateSourceError: the file cannot be read or parsed; the message names it.
    """
    suffix = _checked_suffix(path)
    data = _read(path)
    if suffix == ".hcl":
        return _parse_hcl(data, path)
    text = _text(data, path)
    if suffix == ".toml":
        return Tree(_parse_toml(text, path), "TOML", toml_positions(text))
    return Tree(_parse_json(text, path), "JSON", json_positions(text))


def read_identity(path: Path) -> tuple[str, str] | None:
    """The `id` and `version` of a template file; None if it has no such texts.

    Raises:
        TemplateSourceError: the file cannot be read or parsed.
    """
    if _checked_suffix(path) == ".hcl":
        from vizier_hcl import HclError, top_level_strings  # noqa: PLC0415 - only for this format

        try:
            value: Any = top_level_strings(_read(path), ("id", "version"), display_path=str(path))
        except HclError as error:
            raise TemplateSourceError(str(error)) from None
    else:
        value = read_tree(path).value
    if not isinstance(value, dict):
        return None
    identity, version = value.get("id"), value.get("version")
    return (identity, version) if isinstance(identity, str) and isinstance(version, str) else None


def _checked_suffix(path: Path) -> str:
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise TemplateSourceError(f"unsupported template source {path}; expected a .hcl, .toml or .json file")
    return suffix


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise TemplateSourceError(f"unable to read template source {path}: {error.strerror or error}") from None


def _text(data: bytes, path: Path) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise TemplateSourceError(
            f"unable to read template source {path}: not valid UTF-8 at byte {error.start}"
        ) from None


def _parse_hcl(data: bytes, path: Path) -> Tree:
    from vizier_hcl import HclError, evaluate  # noqa: PLC0415 - only for this format

    _text(data, path)
    try:
        document = evaluate(data, display_path=str(path))
    except HclError as error:
        raise TemplateSourceError(str(error)) from None
    warnings = tuple(TemplateWarning(item.headline(str(path))) for item in document.warnings)
    return Tree(document.value, "HCL", document.position, warnings)


def _parse_toml(text: str, path: Path) -> Any:
    import tomllib  # noqa: PLC0415 - only for this format

    # What the parser builds for a key grows with the square of its parts.
    if _ENDLESS_KEY.search(_NO_KEYS.sub("", text)):
        raise TemplateSourceError(f"invalid TOML template {path}: nested too deeply")
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = _TOML_PROBLEM.fullmatch(str(error))
        problem = f"{path}:{found[2]}:{found[3]}: {found[1]}" if found else str(error)
        raise TemplateSourceError(f"invalid TOML template {path}: {problem}") from None
    except ValueError as error:
        # A number of too many digits; the rest of the message is advice for programmers.
        raise TemplateSourceError(f"invalid TOML template {path}: {str(error).partition(';')[0]}") from None
    except RecursionError:
        raise TemplateSourceError(f"invalid TOML template {path}: nested too deeply") from None


def _parse_json(text: str, path: Path) -> Any:
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        place = f"{path}:{error.lineno}:{error.colno}"
        raise TemplateSourceError(f"invalid JSON template {path}: {place}: {error.msg}") from None
    except ValueError as error:
        raise TemplateSourceError(f"invalid JSON template {path}: {str(error).partition(';')[0]}") from None
    except RecursionError:
        raise TemplateSourceError(f"invalid JSON template {path}: nested too deeply") from None


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"`{name}` is not JSON")
