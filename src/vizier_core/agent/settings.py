"""Which agent a job gets, and with which prompt: the override tables applied in order (spec 07 §§4.2, 5.1-5.2).

The shim that goes with a label is looked up elsewhere, when the agent is started.
"""

from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Generic, NamedTuple, TypeVar

import msgspec

from vizier_core.agent.errors import InvalidLabelError
from vizier_core.config.agents import (
    DEFAULT_SELECTOR,
    AgentOverride,
    AgentRuntime,
    AgentTables,
    Documentation,
    PromptKind,
)
from vizier_core.files import is_single_component
from vizier_core.jobs.model import JobMetadata
from vizier_kernel.names import command_alias

_T = TypeVar("_T")


class Backend(StrEnum):
    """What records call the kind of an agent; all are run the same way."""

    AGENT = "agent"
    GEMINI = "gemini"


class PromptOrigin(StrEnum):
    """Where the text of a prompt comes from."""

    CONFIG = "scoped-config"
    REPO_FILE = "repo-file"
    DEFAULT = "default"


class AgentIdentity(msgspec.Struct, frozen=True):
    """What a job is to the override tables."""

    #: Normalised alias of the flow; without one only the root and `[agents.default]` apply.
    alias: str | None = None
    #: Selector of the flow's template.
    selector: str | None = None


class PromptContext(msgspec.Struct, frozen=True, kw_only=True):
    """What belongs into a prompt."""

    use_prompt: bool = True
    include_snapshot: bool = True
    include_narrative_docs: bool = True


class AgentSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The agent of a job."""

    selector: str
    #: Names the shim and the progress lines; a single path component.
    label: str
    #: The configured command; None for the shim of the label.
    command: tuple[str, ...] | None = None
    #: The configured filter: None for the one of the label's shim, empty for none at all.
    progress_filter: tuple[str, ...] | None = None
    context: PromptContext = PromptContext()
    #: Seconds that the agent may run.
    timeout: float
    #: Lines for the operator: what was kept from a weaker table, though a stronger one names another agent (WS-07-05).
    warnings: tuple[str, ...] = ()

    @property
    def backend(self) -> Backend:
        """What records call the kind of the agent."""
        return Backend.GEMINI if self.selector == Backend.GEMINI else Backend.AGENT


class PromptText(msgspec.Struct, frozen=True):
    """The text of a prompt, verbatim."""

    text: str
    origin: PromptOrigin
    #: The file that it was read from, if it was.
    path: Path | None = None


class _Choice(NamedTuple, Generic[_T]):
    """A value and the place of the step that sets it."""

    value: _T
    place: int


class _Step(NamedTuple):
    """One table to apply."""

    #: What messages call it.
    name: str
    selector: str | None
    runtime: AgentRuntime
    documentation: Documentation = Documentation()


def agent_identity(metadata: JobMetadata, commands: Mapping[str, str]) -> AgentIdentity:
    """What a job is to the override tables (spec 07 §5.1).

    Args:
        metadata: of the job's record.
        commands: the configured aliases and their selectors.
    """
    alias = command_alias(metadata.command_alias or metadata.scope or "")
    if not alias:
        return AgentIdentity()
    selector = (metadata.workflow_template_selector or "").strip()
    return AgentIdentity(alias, selector or commands.get(alias))


def resolve_agent(tables: AgentTables, identity: AgentIdentity, kind: PromptKind | None = None) -> AgentSettings:
    """The agent for a job: every table that applies, field by field, the strongest last (spec 07 §5.2).

    Args:
        tables: the configuration.
        identity: the job.
        kind: the prompt that the agent will get, if it is one of those that may name their own agent.

    Raises:
        InvalidLabelError: the label is no single name, so it cannot name a shim (WS-07-09).
    """
    steps = _steps(tables, identity, kind)
    selector = _strongest(steps, lambda step: step.selector) or _Choice(DEFAULT_SELECTOR, 0)
    label = _strongest(steps, lambda step: step.runtime.label)
    command = _strongest(steps, lambda step: step.runtime.command)
    progress_filter = _strongest(steps, lambda step: step.runtime.progress_filter)
    name = label.value if label else selector.value
    if not is_single_component(name):
        raise InvalidLabelError(name)
    return AgentSettings(
        selector=selector.value,
        label=name,
        command=command.value if command else None,
        progress_filter=progress_filter.value if progress_filter else None,
        context=PromptContext(
            use_prompt=_toggle(steps, lambda toggles: toggles.use_prompt),
            include_snapshot=_toggle(steps, lambda toggles: toggles.include_snapshot),
            include_narrative_docs=_toggle(steps, lambda toggles: toggles.include_narrative_docs),
        ),
        timeout=tables.timeout,
        warnings=tuple(_inherited(steps, selector, label, command)),
    )


def prompt_override(tables: AgentTables, identity: AgentIdentity, kind: PromptKind) -> PromptText | None:
    """The text that the configuration has for a prompt (spec 07 §4.2 steps 1-3); None if it has none.

    Args:
        tables: the configuration.
        identity: the job.
        kind: the prompt.
    """
    for _, table in reversed(_tables(tables, identity)):
        prompt = table.prompts.get(kind)
        if prompt is not None and prompt.text is not None:
            return PromptText(prompt.text, PromptOrigin.CONFIG, prompt.path)
    return None


def _tables(tables: AgentTables, identity: AgentIdentity) -> list[tuple[str, AgentOverride]]:
    """The override tables that apply to a job and their names, the strongest last."""
    found = [("[agents.default]", tables.default)]
    if identity.alias in tables.commands:
        found.append((f"[agents.commands.{identity.alias}]", tables.commands[identity.alias]))
    if identity.alias and identity.selector in tables.templates:
        found.append((f'[agents.templates."{identity.selector}"]', tables.templates[identity.selector]))
    return found


def _steps(tables: AgentTables, identity: AgentIdentity, kind: PromptKind | None) -> list[_Step]:
    found = [("`agent`", tables.root), *_tables(tables, identity)]
    steps = [_Step(name, table.selector, table.runtime, table.documentation) for name, table in found]
    for name, table in found:
        prompt = table.prompts.get(kind) if kind else None
        if prompt is not None:
            steps.append(_Step(f"prompt {kind} of {name}", prompt.selector, prompt.runtime))
    return steps


def _strongest(steps: list[_Step], pick: Callable[[_Step], _T | None]) -> _Choice[_T] | None:
    """What the last step that says anything about a field says."""
    for place in range(len(steps) - 1, -1, -1):
        value = pick(steps[place])
        if value is not None:
            return _Choice(value, place)
    return None


def _toggle(steps: list[_Step], pick: Callable[[Documentation], bool | None]) -> bool:
    found = _strongest(steps, lambda step: pick(step.documentation))
    return found.value if found else True


def _inherited(
    steps: list[_Step], selector: _Choice[str], label: _Choice[str] | None, command: _Choice[tuple[str, ...]] | None
) -> Iterator[str]:
    """What a stronger table's agent keeps of a weaker table: a later selector takes nothing back (WS-07-05)."""
    agent = f"agent `{selector.value}` of {steps[selector.place].name}"
    if label and label.place < selector.place and label.value != selector.value:
        yield f"{agent} keeps the label `{label.value}` of {steps[label.place].name}"
    if command and command.place < selector.place:
        yield f"{agent} runs the command of {steps[command.place].name}: {command.value[0]}"
