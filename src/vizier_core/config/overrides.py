"""Reads the tables that say which agent does what, and with which prompts (spec 07 §2.6, §3)."""

from collections.abc import Mapping
from typing import Any

from vizier_core.config.former import BACKEND, FALLBACK, MODEL, REASONING, refuse_former
from vizier_core.config.keys import OVERRIDE_TABLES
from vizier_core.config.reading import Reading, Spot, dotted, shown
from vizier_core.config.runtime import PROMPT, prompt_kind, read_runtime
from vizier_core.config.sections import Values, below, read_part, root_section
from vizier_core.config.selectors import refuse_dotted
from vizier_core.config.values import AGENT
from vizier_kernel.names import command_alias

_DEFAULT, _COMMANDS, _TEMPLATES = OVERRIDE_TABLES


def read_agent(reading: Reading, table: Mapping[str, Any], path: str, at: str) -> Values:
    """What the key `agent` of a table sets: the selector, or how the agent is run.

    Args:
        reading: the file.
        table: the table that it stands in.
        path: its own path in the list of keys.
        at: the key of that table; empty for the root.

    Raises:
        ConfigError: it is an unusable runtime table.
    """
    value, key = table.get("agent"), dotted(at, "agent")
    if isinstance(value, Mapping):
        return {(f"{path}.{name}", ()): found for name, found in read_runtime(reading, value, key).items()}
    selector = AGENT.read(value, Spot(reading, path, key))
    return {(path, ()): selector} if selector else {}


def read_agents(reading: Reading, tree: Mapping[str, Any]) -> Values:
    """What `[agents]` sets; its three tables may be written in any case.

    Raises:
        ConfigError: it holds something else, or something that the file is refused for.
    """
    agents = tree.get("agents", {})
    if not isinstance(agents, Mapping):
        raise reading.error("[agents] must be a table")
    found: Values = {}
    for name in sorted(agents):
        table, word = agents[name], name.lower()
        if word == "default":
            found.update(_read_override(reading, _DEFAULT, table, "agents.default"))
        elif word == "commands":
            found.update(_read_commands(reading, table))
        elif word == "templates":
            found.update(_read_templates(reading, table))
        else:
            raise reading.error(
                f"legacy [agents.{shown(name)}] sections are unsupported; "
                'use [agents.commands.<alias>] or [agents.templates."<selector>"]'
            )
    return found


def _read_commands(reading: Reading, commands: Any) -> Values:
    if not isinstance(commands, Mapping):
        raise reading.error("[agents.commands] must be a table")
    found: Values = {}
    for name in sorted(commands):
        values = _read_override(reading, _COMMANDS, commands[name], dotted("agents.commands", name))
        if not values:
            continue
        alias = command_alias(name)
        if not alias:
            raise reading.error(f"invalid [agents.commands.{shown(name)}] section; expected the alias of a command")
        found.update(below(alias, values))
    return found


def _read_templates(reading: Reading, templates: Any) -> Values:
    if not isinstance(templates, Mapping):
        raise reading.error("[agents.templates] must be a table")
    found: Values = {}
    for name in sorted(templates):
        values = _read_override(reading, _TEMPLATES, templates[name], dotted("agents.templates", name))
        if not values:
            continue
        selector = name.strip()
        if not selector:
            raise reading.error(f"invalid [agents.templates.{dotted('', name)}] section; expected a template selector")
        refuse_dotted(reading, selector, "[agents.templates]")
        found.update(below(selector, values))
    return found


def _read_override(reading: Reading, path: str, table: Any, key: str) -> Values:
    """What one override table sets; the parts of its key that were chosen are not yet in the addresses."""
    if not isinstance(table, Mapping):
        Spot(reading, key, key).ignore(table, "a table")
        return {}
    section = root_section().find(path)
    refuse_former(reading, table, key, FALLBACK, MODEL, REASONING)
    found = read_agent(reading, table, f"{path}.agent", key)
    refuse_former(reading, table, key, BACKEND)
    found.update(read_part(reading, section.parts["documentation"], table, key))
    found.update(_read_prompts(reading, f"{path}.prompts", table.get("prompts", {}), f"{key}.prompts"))
    reading.warn_of_unknown(table, section.known, key)
    return found


def _read_prompts(reading: Reading, path: str, prompts: Any, key: str) -> Values:
    if not isinstance(prompts, Mapping):
        Spot(reading, key, key).ignore(prompts, "a table")
        return {}
    found: Values = {}
    for name in sorted(prompts):
        kind = prompt_kind(reading, name, key)
        prompt = PROMPT.read(prompts[name], Spot(reading, f"{path}.{kind}", dotted(key, kind)))
        if prompt is not None:
            found[(f"{path}.{kind}", ())] = prompt
    return found
