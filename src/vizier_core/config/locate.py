"""Which configuration files count, in which order (spec 07 §2.1, 08 §2.2)."""

import os
from enum import StrEnum
from pathlib import Path
from typing import Final, NamedTuple

#: Where the user's base directory is named, and what lies below it; the first that is set decides, on every system.
_BASES: Final = (
    ("VIZIER_CONFIG_DIR", ""),
    ("XDG_CONFIG_HOME", ""),
    ("APPDATA", ""),
    ("HOME", ".config"),
    ("USERPROFILE", "AppData/Roaming"),
)


class Origin(StrEnum):
    """Why a file counts."""

    #: The operator named it.
    EXPLICIT = "explicit"
    #: The user's own.
    GLOBAL = "global"
    REPO = "repo"
    #: The environment names it.
    ENVIRONMENT = "env"


class ConfigFile(NamedTuple):
    """One layer of the configuration; later layers win."""

    origin: Origin
    path: Path


def base_config_directory() -> Path | None:
    """The directory that holds `vizier/` for this user, by the environment alone; the same rule on every system."""
    for name, below in _BASES:
        value = os.environ.get(name, "").strip()
        if value:
            return Path(value) / below
    return None


def locate_config_files(root: Path, explicit: Path | None = None) -> list[ConfigFile]:
    """The files to read, in the order in which they are applied.

    Args:
        root: the project root.
        explicit: the file that the operator named; it is then the only one, whether it exists or not.
    """
    if explicit is not None:
        return [ConfigFile(Origin.EXPLICIT, explicit)]
    found = []
    base = base_config_directory()
    if base is not None and os.path.exists(of_user := os.path.join(base, "vizier", "config.toml")):
        found.append(ConfigFile(Origin.GLOBAL, Path(of_user)))
    for name in ("config.toml", "config.json"):
        if os.path.isfile(of_project := os.path.join(root, ".vizier", name)):
            found.append(ConfigFile(Origin.REPO, Path(of_project)))
            break
    fallback = os.environ.get("VIZIER_CONFIG_FILE", "").strip()
    if not found and fallback and os.path.exists(fallback):
        found.append(ConfigFile(Origin.ENVIRONMENT, Path(fallback)))
    return found
