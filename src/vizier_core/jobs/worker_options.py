"""What a worker has to know of the command that started its run: part of the job's record (decision D14).

::

    __workflow-node --job-id wf-run_1-plan --config-file /etc/team.toml --quiet

The launcher of a new program adds what only that process needs to know: the start token, and where vizier lies.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

from vizier_core.errors import VizierError
from vizier_core.verbosity import Verbosity

#: The option that hands the start token to the worker.
TOKEN_OPTION: Final = "--start-token"
#: The option that tells a worker in which directory `vizier` lies: agents are looked for beside it (spec 07 §5.4).
PROGRAM_OPTION: Final = "--program-directory"
_VALUED: Final = frozenset({"--job-id", "--config-file", TOKEN_OPTION, PROGRAM_OPTION})
_LEVELS: Final = {"--quiet": Verbosity.QUIET, "--verbose": Verbosity.INFO, "--debug": Verbosity.DEBUG}


class WorkerArguments(NamedTuple):
    """What a worker's command line says."""

    job_id: str
    #: The configuration file that the run was started with, absolute; None for those of the project.
    config_file: Path | None = None
    verbosity: Verbosity = Verbosity.NORMAL
    token: str | None = None
    program_directory: Path | None = None


def worker_options(config_file: Path | None, verbosity: Verbosity, *, no_session: bool) -> tuple[str, ...]:
    """The arguments that a job's record has for its worker, after those that name the job.

    Args:
        config_file: the configuration file that the operator named, absolute.
        verbosity: how much the operator wants to read.
        no_session: whether session logs are unwanted; nothing writes any at present.
    """
    level = next((option for option, value in _LEVELS.items() if value is verbosity), None)
    return (
        *(("--config-file", str(config_file)) if config_file else ()),
        *((level,) if level else ()),
        *(("--no-session",) if no_session else ()),
    )


def parse_worker_arguments(arguments: Sequence[str]) -> WorkerArguments:
    """Reads the arguments of a worker: those of its job record and what the launcher has added.

    Options that a later version may have added are passed over.

    Raises:
        VizierError: they are none.
    """
    values: dict[str, str] = {}
    verbosity = Verbosity.NORMAL
    words = iter(arguments)
    if next(words, None) != "__workflow-node":
        raise VizierError("expected `__workflow-node --job-id <JOB_ID>`")
    for word in words:
        if word in _VALUED:
            values[word] = next(words, "")
        verbosity = _LEVELS.get(word, verbosity)
    if not values.get("--job-id"):
        raise VizierError("a worker needs --job-id <JOB_ID>")
    config_file, program = values.get("--config-file"), values.get(PROGRAM_OPTION)
    return WorkerArguments(
        values["--job-id"],
        Path(config_file) if config_file else None,
        verbosity,
        values.get(TOKEN_OPTION),
        Path(program) if program else None,
    )
