"""What earlier versions had and this one refuses, with words on what to write instead (spec 07 §2.6)."""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from vizier_core.config.reading import Reading
from vizier_core.config.values import text_of


class Former(NamedTuple):
    """A setting that is gone."""

    #: Where it could stand in a table: a key, or a key of a table in it.
    places: tuple[tuple[str, ...], ...]
    message: str


def _spelled(*names: str, tables: tuple[str, ...]) -> tuple[tuple[str, ...], ...]:
    words = [word for name in names for word in (name, name.replace("_", "-"))]
    return tuple((*table, word) for table in [(), *((table,) for table in tables)] for word in words)


MODEL: Final = Former(
    (("model",), ("provider",), ("provider", "model"), ("provider", "name")),
    "model overrides are no longer supported; let `agent.command` choose the model",
)
REASONING: Final = Former(
    _spelled("reasoning_effort", "thinking_level", tables=("provider", "flags")),
    "reasoning-effort overrides are no longer supported; let `agent.command` choose the effort",
)
FALLBACK: Final = Former(
    (("fallback_backend",), ("fallback-backend",)),
    "fallback_backend entries are unsupported; no other agent is tried when one fails",
)
BACKEND: Final = Former(
    (("backend",), ("provider", "backend")),
    'backend entries are unsupported; name the agent with a selector, `agent = "codex"`',
)


def refuse_former(reading: Reading, table: Mapping[str, Any], at: str, *former: Former) -> None:
    """Refuses a table that holds a text, not a blank one, where a setting once stood.

    Args:
        reading: the file.
        table: the table.
        at: its key; empty for the root.
        former: what to look for, in this order.

    Raises:
        ConfigError: it does.
    """
    for setting in former:
        for place in setting.places:
            if text_of(_value_at(table, place)):
                key = ".".join((at, *place)) if at else ".".join(place)
                raise reading.error(f"`{key}`: {setting.message}")


def _value_at(table: Mapping[str, Any], place: tuple[str, ...]) -> Any:
    value: Any = table
    for name in place:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value
