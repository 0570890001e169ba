"""Paths as templates write them (spec 06 §12.3, 09 §13.1)."""

import os
import re
from pathlib import Path
from typing import Final

from vizier_core.errors import OperationRefusedError
from vizier_core.vcs.refs import RUNTIME_PATHS

_SLASHES: Final = re.compile("(?<!^)/{2,}")


def normalise_path(text: str) -> str:
    """A path with slashes only, without blanks around it, a leading `./` and trailing or doubled slashes.

    Two slashes at the beginning stay: they mean something on some systems.
    """
    path = text.strip().rstrip("/").rstrip("\\").replace("\\", "/").removeprefix("./")
    return _SLASHES.sub("/", path)


def path_in_tree(text: str, root: Path) -> str:
    """A path below a working tree, relative to it.

    Args:
        text: as a template has it, normalised here.
        root: the working tree, links resolved.

    Raises:
        OperationRefusedError: it is blank or leads out of the tree.
    """
    path = normalise_path(text)
    relative = os.path.relpath(path, root) if os.path.isabs(path) else os.path.normpath(path) if path else ""
    if not relative or relative == ".." or relative.startswith("../"):
        raise OperationRefusedError(f"path `{text}` is not below {root}")
    return relative


def literal(path: str) -> str:
    """A pathspec for exactly this path, relative to where git runs, whatever characters it has."""
    return f":(literal){path}"


def without_runtime_paths() -> list[str]:
    """Pathspecs that exclude what vizier keeps in a working tree for itself (WS-06-20)."""
    return [f":(top,exclude,literal){os.fsdecode(path)}" for path in RUNTIME_PATHS]


def is_runtime_path(path: str) -> bool:
    """Whether a path below the root of a working tree is one that vizier keeps for itself."""
    return any(path == own or path.startswith(f"{own}/") for own in map(os.fsdecode, RUNTIME_PATHS))
