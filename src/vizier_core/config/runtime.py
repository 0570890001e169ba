"""Reads what a table says about running an agent, and prompts with the agent that gets them (spec 07 §§3.2-3.3)."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from vizier_core.config.agents import AgentRuntime, PromptKind, PromptOverride
from vizier_core.config.former import BACKEND, FALLBACK, MODEL, REASONING, refuse_former
from vizier_core.config.parse import read_text
from vizier_core.config.reading import Reading, Spot, dotted, printable, shown
from vizier_core.config.values import AGENT, COMMAND, FILTER, FLAG, NAME, OUTPUT, Kind, text_of

#: The keys of a runtime table; any other refuses the file.
RUNTIME_KEYS: Final[dict[str, Kind]] = {
    "label": NAME,
    "command": COMMAND,
    "progress_filter": FILTER,
    "output": OUTPUT,
    "enable_script_wrapper": FLAG,
}
#: Those that change something.
LIVE_RUNTIME_KEYS: Final = ("label", "command", "progress_filter")

_PATH_KEYS: Final = ("path", "file")
_TEXT_KEYS: Final = ("text", "prompt", "template", "inline")


def read_runtime(reading: Reading, table: Mapping[str, Any], key: str) -> dict[str, Any]:
    """What a runtime table sets, by key.

    Args:
        reading: the file.
        table: the table.
        key: its key.

    Raises:
        ConfigError: it has a key of another name, or an unusable command, filter or output.
    """
    for name in table:
        if name not in RUNTIME_KEYS:
            raise reading.error(
                "agent runtime supports only label, command, progress_filter, output, and enable_script_wrapper; "
                f"found `{dotted(key, name)}`"
            )
    spots = ((name, kind, Spot(reading, dotted(key, name), dotted(key, name))) for name, kind in RUNTIME_KEYS.items())
    found = {name: kind.read(table[name], spot) for name, kind, spot in spots if name in table}
    return {name: value for name, value in found.items() if value is not None}


def prompt_kind(reading: Reading, name: str, key: str) -> PromptKind:
    """The kind of prompt that a key means.

    Args:
        reading: the file.
        name: the key as written.
        key: the key of the table it stands in.

    Raises:
        ConfigError: there is no such kind.
    """
    word = name.strip().lower().replace("-", "_")
    if word not in set(PromptKind):
        kinds = ", ".join(PromptKind)
        raise reading.error(f"[{key}]: unknown prompt kind `{shown(name)}`; expected one of {kinds}")
    return PromptKind(word)


def _read_prompt(value: object, spot: Spot) -> PromptOverride | None:
    """A prompt override; None if it neither has a text nor names an agent."""
    if isinstance(value, str):
        return PromptOverride(text=value) if value.strip() else None
    if not isinstance(value, Mapping):
        spot.ignore(value, PROMPT.expected)
        return None
    refuse_former(spot.reading, value, spot.key, FALLBACK, MODEL, REASONING)
    agent, key = value.get("agent"), dotted(spot.key, "agent")
    runtime = read_runtime(spot.reading, agent, key) if isinstance(agent, Mapping) else {}
    selector = AGENT.read(agent, Spot(spot.reading, key, key))
    refuse_former(spot.reading, value, spot.key, BACKEND)
    text, path = _text(value, spot)
    spot.reading.warn_of_unknown(value, (*_PATH_KEYS, *_TEXT_KEYS, "agent"), spot.key)
    effective = AgentRuntime(**{name: runtime[name] for name in LIVE_RUNTIME_KEYS if name in runtime})
    if text is None and selector is None and effective == AgentRuntime():
        return None
    return PromptOverride(text=text, path=path, selector=selector, runtime=effective)


def _text(table: Mapping[str, Any], spot: Spot) -> tuple[str | None, Path | None]:
    """The text of a prompt table and the file it comes from, if it comes from one; that is read now."""
    named = text_of(next((table[key] for key in _PATH_KEYS if key in table), None))
    if named is None:
        return next(filter(None, (text_of(table.get(key)) for key in _TEXT_KEYS)), None), None
    path = spot.reading.path.parent / named
    spot.reading.included.append(path)
    return read_text(path, f"prompt file {printable(str(path))}, named by `{spot.key}` in {spot.reading.path}"), path


#: Refuses what a runtime table may not hold, and files that cannot be read (`ConfigError`).
PROMPT: Final = Kind("a text, or a table with `path` or `text`", _read_prompt)
