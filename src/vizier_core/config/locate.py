"""Which configuration files count, in which order (spec 07 §2.1, 08 §2.2)."""

import os
from pathlib import Path
from typing import NamedTuple


class ConfigFile(NamedTuple):
    """One layer of the configuration; later layers win."""

    #: `explicit`, `global`, `repo` or `env`.
    origin: str
    path: Path


def base_config_directory() -> Path | None:
    """The directory that holds `vizier/` for this user, by the environment alone; the same rule on every system."""
    variables = (
        ("VIZIER_CONFIG_DIR", ""),
        ("XDG_CONFIG_HOME", ""),
        ("APPDATA", ""),
        ("HOME", ".config"),
        ("USERPROFILE", "AppData/Roaming"),
    )
    for name, below in variables:
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
        return [ConfigFile("explicit", explicit)]
    found = []
    base = base_config_directory()
    if base is not None and (base / "vizier" / "config.toml").exists():
        found.append(ConfigFile("global", base / "vizier" / "config.toml"))
    for name in ("config.toml", "config.json"):
        if (root / ".vizier" / name).is_file():
            found.append(ConfigFile("repo", root / ".vizier" / name))
            break
    fallback = os.environ.get("VIZIER_CONFIG_FILE", "").strip()
    if not found and fallback and Path(fallback).exists():
        found.append(ConfigFile("env", Path(fallback)))
    return found
