"""Configuration: which files, how they merge, what they mean (spec 07 §§2-3).

::

    settings = load_settings(root, explicit, tell=info, warn=warn)
    settings.display.jobs.format

`keys.KEYS` is the one list of keys. Reading, defaults, suggestions for unknown keys and `vizier config show` follow it.
"""

from vizier_core.config.agents import (
    AgentOverride,
    AgentRuntime,
    AgentTables,
    Documentation,
    PromptKind,
    PromptOverride,
)
from vizier_core.config.display import (
    DisplaySettings,
    JobsDisplay,
    JobsShowDisplay,
    PlanListDisplay,
    ViewFormat,
    field_key,
)
from vizier_core.config.load import load_settings
from vizier_core.config.locate import ConfigFile, base_config_directory, locate_config_files
from vizier_core.config.settings import GitSettings, Settings

__all__ = [
    "AgentOverride",
    "AgentRuntime",
    "AgentTables",
    "ConfigFile",
    "DisplaySettings",
    "Documentation",
    "GitSettings",
    "JobsDisplay",
    "JobsShowDisplay",
    "PlanListDisplay",
    "PromptKind",
    "PromptOverride",
    "Settings",
    "ViewFormat",
    "base_config_directory",
    "field_key",
    "load_settings",
    "locate_config_files",
]
