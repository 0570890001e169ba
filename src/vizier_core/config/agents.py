"""What the configuration says about agents and their prompts (spec 07 §3); `vizier_core.agent.settings` applies it."""

from enum import StrEnum
from pathlib import Path
from typing import Final

import msgspec

#: The agent that is used if nothing names another.
DEFAULT_SELECTOR: Final = "codex"


class PromptKind(StrEnum):
    """What a prompt is for."""

    DOCUMENTATION = "documentation"
    COMMIT = "commit"
    IMPLEMENTATION_PLAN = "implementation_plan"
    REVIEW = "review"
    MERGE_CONFLICT = "merge_conflict"


#: The kinds that some agent gets.
LIVE_PROMPTS: Final = frozenset({PromptKind.MERGE_CONFLICT})


class AgentRuntime(msgspec.Struct, frozen=True, kw_only=True):
    """How an agent is run; None where a table does not say (spec 07 §3.2)."""

    #: Names the shim and the progress lines; lower case.
    label: str | None = None
    #: The program and its arguments.
    command: tuple[str, ...] | None = None
    #: The program that renders progress; empty for none at all, not even the one of the shim.
    progress_filter: tuple[str, ...] | None = None


class Documentation(msgspec.Struct, frozen=True, kw_only=True):
    """What is put into prompts; None where a table does not say (spec 07 §3.4)."""

    use_prompt: bool | None = None
    include_snapshot: bool | None = None
    include_narrative_docs: bool | None = None


class PromptOverride(msgspec.Struct, frozen=True, kw_only=True):
    """What replaces a prompt, and the agent that gets it (spec 07 §3.3)."""

    text: str | None = None
    #: The file that the text was read from, if it was.
    path: Path | None = None
    selector: str | None = None
    runtime: AgentRuntime = AgentRuntime()


class AgentOverride(msgspec.Struct, frozen=True, kw_only=True):
    """One override table: what it sets, and nothing else."""

    #: Name of the agent; lower case.
    selector: str | None = None
    runtime: AgentRuntime = AgentRuntime()
    documentation: Documentation = Documentation()
    prompts: dict[PromptKind, PromptOverride] = {}


class AgentTables(msgspec.Struct, frozen=True, kw_only=True):
    """Every override table, weakest first (spec 07 §3.1)."""

    #: The root key `agent`.
    root: AgentOverride = AgentOverride(selector=DEFAULT_SELECTOR)
    #: `[agents.default]`.
    default: AgentOverride = AgentOverride()
    #: `[agents.commands.<alias>]` by normalised alias.
    commands: dict[str, AgentOverride] = {}
    #: `[agents.templates."<selector>"]` by selector.
    templates: dict[str, AgentOverride] = {}
    #: Seconds that an agent may run: `[jobs] agent_timeout_seconds` (WS-07-16).
    timeout: float = 43200.0
