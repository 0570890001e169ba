"""Where each setting of a project comes from (issue 5: `vizier config show`)."""

from pathlib import Path
from typing import Any, Final

import msgspec

from vizier_core.config.agents import PromptOverride
from vizier_core.config.effective import Effective, Setting
from vizier_core.config.keys import KEYS, Key, Status
from vizier_core.config.layers import read_layer
from vizier_core.config.locate import locate_config_files
from vizier_core.config.reading import dotted
from vizier_core.config.values import FILTER

#: Keys by path, with their places in the list.
_KEYS: Final = {key.path: (place, key) for place, key in enumerate(KEYS)}


class EffectiveValue(msgspec.Struct, frozen=True):
    """A setting in force."""

    #: As TOML spells it.
    key: str
    #: As JSON has it.
    value: Any
    #: The file that says so; None for a default.
    source: Path | None
    #: Whether the key is only understood, without any effect.
    legacy: bool = False


def explain_settings(root: Path, explicit: Path | None = None) -> list[EffectiveValue]:
    """Every setting that has a value: what some file says, and the defaults of the keys that have an effect.

    Args:
        root: the project root.
        explicit: the file the operator named, if any; then no other is read.

    Raises:
        ConfigError: a file is unusable; the message names file and key.
    """
    effective = Effective(read_layer(file.path) for file in locate_config_files(root, explicit))
    found = [
        (_place(path, chosen), _value(path, chosen, setting)) for (path, chosen), setting in effective.settings.items()
    ]
    set_paths = {path for path, _ in effective.settings}
    found += [
        (_place(key.path, ()), EffectiveValue(key.path, _plain(key.default), None))
        for key in KEYS
        if key.status is Status.LIVE and key.default is not None and key.path not in set_paths
    ]
    return [value for _, value in sorted(found, key=lambda item: item[0])]


def _place(path: str, chosen: tuple[str, ...]) -> tuple[int, tuple[str, ...], int]:
    """Where a setting stands in the list: in the order of the keys, but what belongs to one chosen name together."""
    table, bracket, _ = path.partition(">")
    first = next(place for place, key in _KEYS.values() if key.path.startswith(table)) if bracket else _KEYS[path][0]
    return first, chosen, _KEYS[path][0]


def _value(path: str, chosen: tuple[str, ...], setting: Setting) -> EffectiveValue:
    key = _KEYS[path][1]
    legacy = key.status is Status.LEGACY
    # No filter at all is written `false`.
    value = False if key.kind is FILTER and setting.value == () else _plain(setting.value)
    return EffectiveValue(_name(key, chosen), value, setting.source, legacy)


def _name(key: Key, chosen: tuple[str, ...]) -> str:
    names = iter(chosen)
    name = ""
    for part in key.path.split("."):
        name = dotted(name, next(names) if part.startswith("<") else part)
    return name


def _plain(value: Any) -> Any:
    """A value as JSON has it, in the form in which a file would say it."""
    if isinstance(value, PromptOverride):
        runtime = {name: part for name, part in msgspec.structs.asdict(value.runtime).items() if part is not None}
        if runtime.get("progress_filter") == ():
            runtime["progress_filter"] = False
        parts = {"path": value.path, "text": value.text, "agent": value.selector or runtime or None}
        value = {name: part for name, part in parts.items() if part is not None}
    return msgspec.json.decode(msgspec.json.encode(value, enc_hook=str))
