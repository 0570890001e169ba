"""Opens the jobs of a project: puts together what operations on jobs work with."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from vizier_core.config import Settings
from vizier_core.jobs.context import JobsContext
from vizier_core.verbosity import Verbosity

if TYPE_CHECKING:
    from vizier_core.jobs.lifecycle import OwnJob


def open_project(
    root: Path,
    settings: Settings | None = None,
    warn: Callable[[str], None] | None = None,
    *,
    verbosity: Verbosity = Verbosity.NORMAL,
    progress: Callable[[str], None] | None = None,
    program: Path | None = None,
) -> JobsContext:
    """The jobs of a project.

    Args:
        root: the project root, see :func:`vizier_core.project.find_project_root`.
        settings: the project's configuration; the defaults if omitted.
        warn: receives lines for the operator; they are dropped if omitted.
        verbosity: what is said at all.
        progress: receives lines for somebody who waits for long work to end; they are dropped if omitted.
        program: the directory of the program `vizier`; that of the running one if omitted.
    """
    return JobsContext(
        root,
        settings or Settings(),
        warn or _drop,
        _work,
        verbosity=verbosity,
        progress=progress or _drop,
        program=program,
    )


def _drop(_line: str) -> None:
    """Receives a line for nobody."""


def _work(context: JobsContext, job: "OwnJob") -> NoReturn:
    from vizier_core.jobs.workflow_runtime import worker_main  # noqa: PLC0415 - views start no workers

    worker_main(context, job)
