"""The effective configuration as typed values; what no file says has its default (spec 07 §2.5)."""

from pathlib import Path

import msgspec

from vizier_core.config.agents import AgentTables
from vizier_core.config.display import DisplaySettings
from vizier_core.config.locate import base_config_directory
from vizier_core.jobs.settings import JobSettings


class GitSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What git may do beside its work: off, as commits of a background job ask nobody (decision D18)."""

    #: Run the repository's hooks.
    hooks: bool = False
    #: Sign commits and tags as git is configured to.
    sign: bool = False


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What a project is configured to do."""

    #: Aliases, normalised, and the selectors they stand for.
    commands: dict[str, str] = {}
    global_workflows: bool = True
    #: Directory of global workflows; None for the default one.
    global_workflow_directory: Path | None = None
    #: Shell text that `vizier release` runs: `[release.gate] script`.
    release_script: str | None = None
    jobs: JobSettings = JobSettings()
    git: GitSettings = GitSettings()
    display: DisplaySettings = DisplaySettings()
    agents: AgentTables = AgentTables()

    @property
    def workflow_directory(self) -> Path | None:
        """The directory outside projects whose templates may be used; None if there is none."""
        if not self.global_workflows:
            return None
        if self.global_workflow_directory is not None:
            return self.global_workflow_directory
        base = base_config_directory()
        return base / "vizier" / "workflows" if base else None
