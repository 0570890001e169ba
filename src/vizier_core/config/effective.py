"""Layers merged into the effective configuration, and that as typed values (spec 07 §2.4)."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final, NamedTuple

from vizier_core.config.agents import AgentOverride, AgentRuntime, AgentTables, Documentation, PromptKind
from vizier_core.config.display import DisplaySettings, JobsDisplay, JobsShowDisplay, PlanListDisplay
from vizier_core.config.keys import KEYS, OVERRIDE_TABLES
from vizier_core.config.layers import Layer
from vizier_core.config.runtime import LIVE_RUNTIME_KEYS
from vizier_core.config.sections import Address
from vizier_core.config.settings import GitSettings, Settings
from vizier_core.jobs.settings import JobSettings

_DEFAULTS: Final = {key.path: key.default for key in KEYS}


class Setting(NamedTuple):
    """A value and the file that it comes from."""

    value: Any
    source: Path


class Effective:
    """What layers say together: the last one that has something to say about a setting decides.

    A setting is what cannot be set in part: a list is one, but every alias, every label and every field of an agent is
    a setting of its own.

    Args:
        layers: the layers, the strongest last.
    """

    def __init__(self, layers: Iterable[Layer]) -> None:
        self.settings: dict[Address, Setting] = {}
        for layer in layers:
            source = layer.files[0]
            self.settings.update({address: Setting(value, source) for address, value in layer.values.items()})

    def value(self, path: str, *chosen: str) -> Any:
        """The value of a key, or its default."""
        setting = self.settings.get((path, chosen))
        return _DEFAULTS[path] if setting is None else setting.value

    def values(self, path: str) -> dict[str, Any]:
        """The values of a key by the part of it that the operator chose."""
        return {names[0]: setting.value for (found, names), setting in self.settings.items() if found == path}

    def chosen(self, table: str) -> list[str]:
        """What the operator chose for the last part of the key of a table."""
        return sorted({names[0] for path, names in self.settings if path.startswith(f"{table}.")})


def make_settings(effective: Effective) -> Settings:
    """The configuration as typed values."""
    value = effective.value
    return Settings(
        commands=effective.values("commands.<alias>"),
        global_workflows=value("workflow.global_workflows.enabled"),
        global_workflow_directory=value("workflow.global_workflows.dir"),
        release_script=value("release.gate.script"),
        jobs=JobSettings(
            lock_timeout=value("jobs.lock_timeout_seconds"),
            max_route_attempts=value("jobs.max_route_attempts"),
            launcher=value("jobs.launcher"),
            cancel_cleanup_worktree=value("jobs.cancel.cleanup_worktree"),
        ),
        git=GitSettings(hooks=value("git.hooks"), sign=value("git.sign")),
        display=_display(effective),
        agents=_agents(effective),
    )


def _display(effective: Effective) -> DisplaySettings:
    value, values = effective.value, effective.values
    return DisplaySettings(
        list=PlanListDisplay(
            format=value("display.lists.list.format"),
            header_fields=value("display.lists.list.header_fields"),
            entry_fields=value("display.lists.list.entry_fields"),
            job_fields=value("display.lists.list.job_fields"),
            command_fields=value("display.lists.list.command_fields"),
            summary_max_length=value("display.lists.list.summary_max_len"),
            summary_single_line=value("display.lists.list.summary_single_line"),
            labels=values("display.lists.list.labels.<field>"),
        ),
        jobs=JobsDisplay(
            format=value("display.lists.jobs.format"),
            show_succeeded=value("display.lists.jobs.show_succeeded"),
            fields=value("display.lists.jobs.fields"),
            labels=values("display.lists.jobs.labels.<field>"),
        ),
        jobs_show=JobsShowDisplay(
            format=value("display.lists.jobs_show.format"),
            fields=value("display.lists.jobs_show.fields"),
            labels=values("display.lists.jobs_show.labels.<field>"),
        ),
    )


def _agents(effective: Effective) -> AgentTables:
    default, commands, templates = OVERRIDE_TABLES
    return AgentTables(
        root=AgentOverride(selector=effective.value("agent"), runtime=_runtime(effective, "agent")),
        default=_override(effective, default),
        commands={alias: _override(effective, commands, alias) for alias in effective.chosen(commands)},
        templates={selector: _override(effective, templates, selector) for selector in effective.chosen(templates)},
        timeout=effective.value("jobs.agent_timeout_seconds"),
    )


def _override(effective: Effective, table: str, *chosen: str) -> AgentOverride:
    def toggle(name: str) -> bool | None:
        found: bool | None = effective.value(f"{table}.documentation.{name}", *chosen)
        return found

    prompts = {kind: effective.value(f"{table}.prompts.{kind}", *chosen) for kind in PromptKind}
    return AgentOverride(
        selector=effective.value(f"{table}.agent", *chosen),
        runtime=_runtime(effective, f"{table}.agent", *chosen),
        documentation=Documentation(
            use_prompt=toggle("enabled"),
            include_snapshot=toggle("include_snapshot"),
            include_narrative_docs=toggle("include_narrative_docs"),
        ),
        prompts={kind: prompt for kind, prompt in prompts.items() if prompt is not None},
    )


def _runtime(effective: Effective, table: str, *chosen: str) -> AgentRuntime:
    return AgentRuntime(**{name: effective.value(f"{table}.{name}", *chosen) for name in LIVE_RUNTIME_KEYS})
