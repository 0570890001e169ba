"""The effective configuration: defaults with the layers applied in order (spec 07 §2.4, §2.5)."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from vizier_core.config.layers import Tree, read_layer
from vizier_core.config.locate import ConfigFile, base_config_directory, locate_config_files
from vizier_core.config.values import first_present, flag_of, seconds_of, table_of, text_of, whole_number_of
from vizier_core.errors import ConfigError
from vizier_core.jobs.settings import JobSettings, LauncherForm
from vizier_kernel.names import command_alias


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What the configuration says, as far as it is set."""

    #: Aliases, normalised, and the selectors they stand for.
    commands: dict[str, str] = {}
    global_workflows: bool = True
    #: Directory of global workflows; None for the default one.
    global_workflow_directory: Path | None = None
    jobs: JobSettings = JobSettings()

    @property
    def workflow_directory(self) -> Path | None:
        """The directory outside projects whose templates may be used; None if there is none."""
        if not self.global_workflows:
            return None
        if self.global_workflow_directory is not None:
            return self.global_workflow_directory
        base = base_config_directory()
        return base / "vizier" / "workflows" if base else None


def load_settings(
    root: Path, explicit: Path | None = None, tell: Callable[[str], None] = lambda line: None
) -> Settings:
    """The effective settings of a project.

    Args:
        root: the project root.
        explicit: the file the operator named, if any.
        tell: receives a line about each file that is read.

    Raises:
        ConfigError: a file is unusable; the message names file and key.
    """
    settings = Settings()
    for file in locate_config_files(root, explicit):
        if file.origin != "explicit":
            tell(f"Loading {file.origin} config from {file.path}")
        settings = _apply(settings, _layer(file), file.path)
    return settings


#: Parsed files by path, with the state of the file they were read from: a worker that forks the next reads them once.
_PARSED: Final[dict[Path, tuple[tuple[int, int, int], Tree]]] = {}


def _layer(file: ConfigFile) -> Tree:
    try:
        status = os.stat(file.path)
    except OSError:
        return read_layer(file.path)
    state = (status.st_ino, status.st_size, status.st_mtime_ns)
    if file.path not in _PARSED or _PARSED[file.path][0] != state:
        _PARSED[file.path] = (state, read_layer(file.path))
    return _PARSED[file.path][1]


def _apply(settings: Settings, tree: Tree, path: Path) -> Settings:
    changes: dict[str, Any] = {"commands": {**settings.commands, **_commands(tree, path)}}
    workflows = table_of(first_present(table_of(tree.get("workflow")), "global_workflows", "global-workflows"))
    enabled = flag_of(first_present(workflows, "enabled", "enable"))
    if enabled is not None:
        changes["global_workflows"] = enabled
    directory = text_of(workflows.get("dir"))
    if directory is not None:
        changes["global_workflow_directory"] = path.parent / directory
    changes["jobs"] = _jobs(settings.jobs, table_of(tree.get("jobs")))
    return msgspec.structs.replace(settings, **changes)


def _commands(tree: Tree, path: Path) -> dict[str, str]:
    commands = tree.get("commands", {})
    if not isinstance(commands, Mapping):
        raise ConfigError(f"{path}: [commands] must be a table")
    found = {}
    for key in sorted(commands):
        value = commands[key]
        alias = command_alias(key)
        if not alias:
            raise ConfigError(f"{path}: invalid [commands.{key}] alias; expected letters or digits")
        if not isinstance(value, str):
            raise ConfigError(f"{path}: [commands.{key}] must be a non-empty string")
        if not value.strip():
            raise ConfigError(f"{path}: invalid [commands.{key}] selector; expected a file or id@version")
        found[alias] = value.strip()
    return found


def _jobs(jobs: JobSettings, table: Mapping[str, Any]) -> JobSettings:
    cancel = table_of(table.get("cancel"))
    form = text_of(table.get("launcher"))
    changes = {
        "lock_timeout": seconds_of(first_present(table, "lock_timeout_seconds", "lock-timeout-seconds")),
        "max_route_attempts": whole_number_of(first_present(table, "max_route_attempts", "max-route-attempts")),
        "launcher": LauncherForm(form) if form in set(LauncherForm) else None,
        "cancel_cleanup_worktree": flag_of(first_present(cancel, "cleanup_worktree", "cleanup-worktree")),
    }
    return msgspec.structs.replace(jobs, **{key: value for key, value in changes.items() if value is not None})
