"""What a worker's arguments say: which job, and under which configuration its run was started (decision D14)."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from vizier_core.config import Settings, load_settings
from vizier_core.errors import VizierError


class WorkerArguments(NamedTuple):
    """What a worker's command line says."""

    job_id: str
    config_file: Path | None
    token: str | None


def parse_worker_arguments(arguments: Sequence[str]) -> WorkerArguments:
    """Reads the arguments of a worker: those of its job record and what the launcher has added.

    Raises:
        VizierError: they are none.
    """
    values: dict[str, str] = {}
    words = iter(arguments)
    if next(words, None) != "__workflow-node":
        raise VizierError("expected `__workflow-node --job-id <JOB_ID>`")
    for word in words:
        if word in {"--job-id", "--config-file", "--start-token"}:
            values[word] = next(words, "")
    if not values.get("--job-id"):
        raise VizierError("a worker needs --job-id <JOB_ID>")
    config_file = values.get("--config-file")
    return WorkerArguments(values["--job-id"], Path(config_file) if config_file else None, values.get("--start-token"))


def worker_settings(root: Path, child_args: Sequence[str]) -> Settings:
    """The settings that a job's worker uses: those of the configuration file its run was given (decision D14)."""
    return load_settings(root, parse_worker_arguments(child_args).config_file)
