"""One configuration file as the settings that it makes; the whole file is refused at its first error (spec 07 §2.6)."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from vizier_core.config.former import BACKEND, FALLBACK, MODEL, REASONING, refuse_former
from vizier_core.config.overrides import read_agent, read_agents
from vizier_core.config.parse import read_tree
from vizier_core.config.reading import Reading
from vizier_core.config.sections import Values, read_part, root_section
from vizier_core.config.selectors import read_commands

#: The sections that have readers of their own.
_OWN_READERS: Final = frozenset({"agent", "agents", "commands"})


class Layer(NamedTuple):
    """What one file sets."""

    values: Values
    #: Lines for the operator.
    warnings: tuple[str, ...]
    #: The file, and every other one whose content has become part of the values.
    files: tuple[Path, ...]


class FileState(NamedTuple):
    """How a file looked when it was read; the same state means the same content."""

    device: int
    inode: int
    size: int
    modified: int
    changed: int


#: Layers by file, with the states of the files they were read from: a worker forked by this process loads them again.
_READ: Final[dict[Path, tuple[tuple[FileState | None, ...], Layer]]] = {}


def read_layer(path: Path) -> Layer:
    """The settings that a file makes, read again only if it, or a file that it includes, has changed.

    Raises:
        ConfigError: the file is unusable; the message names file and key.
    """
    known = _READ.get(path)
    if known is not None and known[0] == _states(known[1].files):
        return known[1]
    before = _states((path,))
    layer = decode(read_tree(path), path)
    # The file's own state is from before it was read: a change in between must not go unnoticed.
    _READ[path] = ((*before, *_states(layer.files[1:])), layer)
    return layer


def decode(tree: Mapping[str, Any], path: Path) -> Layer:
    """The settings that the tree of a file makes.

    Args:
        tree: what the file says.
        path: the file; messages name it, and relative paths in it start at its directory.

    Raises:
        ConfigError: the file is refused.
    """
    reading, root = Reading(path), root_section()
    refuse_former(reading, tree, "", MODEL, REASONING, FALLBACK)
    values = read_agent(reading, tree, "agent", "")
    refuse_former(reading, tree, "", BACKEND)
    _refuse_workflow_templates(reading, tree)
    for name, section in root.parts.items():
        if name not in _OWN_READERS:
            values.update(read_part(reading, section, tree, ""))
    values.update(
        {("commands.<alias>", (alias,)): selector for alias, selector in read_commands(reading, tree).items()}
    )
    values.update(read_agents(reading, tree))
    reading.warn_of_unknown(tree, root.known, "")
    return Layer(values, tuple(reading.warnings), (path, *reading.included))


def _refuse_workflow_templates(reading: Reading, tree: Mapping[str, Any]) -> None:
    workflow = tree.get("workflow")
    if isinstance(workflow, Mapping) and "templates" in workflow:
        raise reading.error("legacy [workflow.templates] is unsupported; name templates in [commands]")


def _states(files: tuple[Path, ...]) -> tuple[FileState | None, ...]:
    return tuple(map(_state, files))


def _state(path: Path) -> FileState | None:
    try:
        status = os.stat(path)
    except OSError:
        return None
    return FileState(status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
