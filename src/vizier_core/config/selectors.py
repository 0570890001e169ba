"""Reads `[commands]`: aliases and the template selectors they stand for (spec 07 §1, §2.6)."""

from collections.abc import Mapping
from typing import Any, Final

from vizier_core.config.reading import Reading, Spot, shown
from vizier_core.config.values import Kind
from vizier_kernel.names import canonical_selector, command_alias

_PATTERN: Final = "commands.<alias>"


def read_commands(reading: Reading, tree: Mapping[str, Any]) -> dict[str, str]:
    """The selectors by normalised alias; of two keys that are the same alias, the last in byte order counts.

    Raises:
        ConfigError: an alias or a selector is none.
    """
    table = tree.get("commands", {})
    if not isinstance(table, Mapping):
        raise reading.error("[commands] must be a table")
    found = {}
    for name in sorted(table):
        spot = Spot(reading, _PATTERN, f"commands.{shown(name)}")
        selector = SELECTOR.read(table[name], spot)
        alias = command_alias(name)
        if not alias:
            raise spot.error(f"invalid [{spot.key}] alias; expected letters or digits")
        found[alias] = selector
    return found


def _read_selector(value: object, spot: Spot) -> str:
    if not isinstance(value, str):
        raise spot.error(f"[{spot.key}] must be a non-empty string")
    selector = value.strip()
    if not selector:
        raise spot.error(f"invalid [{spot.key}] selector; expected a template file or id@version")
    refuse_dotted(spot.reading, selector, f"[{spot.key}]")
    return selector


def refuse_dotted(reading: Reading, selector: str, where: str) -> None:
    """Refuses a selector of the form `id.v1`.

    Args:
        reading: the file.
        selector: the selector, trimmed.
        where: what holds it, as messages show it.

    Raises:
        ConfigError: it is of that form.
    """
    canonical = canonical_selector(selector)
    if canonical is not None:
        raise reading.error(
            f"legacy dotted selector `{shown(selector)}` is unsupported; write `{shown(canonical)}` in {where}"
        )


#: Refuses what is no selector (`ConfigError`).
SELECTOR: Final = Kind("a template file or id@version", _read_selector)
