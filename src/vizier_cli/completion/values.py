"""Values that only the project knows: jobs, flows, parameters, plans, branches (spec 09 §9.3, WS-09-25).

Whatever goes wrong, there are just no candidates: a shell asks in the middle of a line that is being typed.
"""

import contextlib
import os
import signal
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Final

from vizier_cli.cli.declarations import Completes
from vizier_cli.completion.candidates import Candidate, Wanted
from vizier_core.project import find_project_root

if TYPE_CHECKING:
    from vizier_core.flow.prepare import LoadedFlow
    from vizier_core.flow.resolve import FlowResolver

#: Seconds after which a shell gets what was found until then (WS-09-24), and the variable that names another number.
_PATIENCE: Final = 2.0
_PATIENCE_VARIABLE: Final = "VIZIER_COMPLETION_SECONDS"
#: More than anybody reads.
_MOST: Final = 500
#: Templates lie here, below the project root.
_TEMPLATES: Final = (".vizier", os.path.join(".vizier", "workflows"))


class _TooSlowError(Exception):
    """Time is up."""


def known_values(wanted: Wanted) -> list[Candidate]:
    """The values of a kind that begin with what was typed."""
    found: list[Candidate] = []
    source = _SOURCES.get(wanted.kind)
    if source is not None:
        with contextlib.suppress(Exception), _time_limit(_patience()):
            found.extend(islice((c for c in source(wanted) if c.value.startswith(wanted.typed)), _MOST))
    return found


def _patience() -> float:
    try:
        seconds = float(os.environ.get(_PATIENCE_VARIABLE, ""))
    except ValueError:
        return _PATIENCE
    return seconds if 0 < seconds < float("inf") else _PATIENCE


def _ignore(line: str) -> None:
    """Nobody wants to read warnings now."""


def _root() -> Path:
    return find_project_root(Path.cwd())


def _jobs(wanted: Wanted) -> Iterator[Candidate]:
    from vizier_core.jobs.names import recent_jobs  # noqa: PLC0415 - each kind loads what it needs

    return (Candidate(job.id, job.status) for job in recent_jobs(_root(), wanted.typed))


def _jobs_and_runs(wanted: Wanted) -> Iterator[Candidate]:
    from vizier_core.jobs.names import recent_runs  # noqa: PLC0415 - likewise

    yield from _jobs(wanted)
    yield from (Candidate(f"run:{run_id}", "all of a run") for run_id in recent_runs(_root()))


def _sessions(wanted: Wanted) -> Iterator[Candidate]:
    from vizier_core.jobs.names import recent_sessions  # noqa: PLC0415 - likewise

    return (Candidate(session_id) for session_id in recent_sessions(_root(), wanted.typed))


def _branches(wanted: Wanted) -> Iterator[Candidate]:
    del wanted
    from vizier_core.vcs.git import Git  # noqa: PLC0415 - likewise

    names = Git(_root()).text("for-each-ref", "--format=%(refname:lstrip=2)", "refs/heads").splitlines()
    return (Candidate(name) for name in names)


def _plans(wanted: Wanted) -> Iterator[Candidate]:
    del wanted
    from vizier_core.plan_inventory import pending_plans  # noqa: PLC0415 - likewise

    plans = pending_plans(_root(), None, warn=_ignore, tell=_ignore)
    return (Candidate(plan.slug, plan.summary) for plan in plans)


def _flows(wanted: Wanted) -> Iterator[Candidate]:
    """The aliases of the configuration, and the templates that no alias names."""
    from vizier_core.flow.formats import SUFFIXES  # noqa: PLC0415 - likewise

    root = _root()
    commands = _settings_commands(root, wanted)
    yield from (Candidate(alias, source) for alias, source in sorted(commands.items()))
    named = {source.removeprefix("file:") for source in commands.values()}
    for directory in _TEMPLATES:
        for name in sorted(os.listdir(root / directory) if (root / directory).is_dir() else ()):
            path = os.path.join(directory, name)
            if name.endswith(SUFFIXES) and not name.startswith("config.") and path not in named:
                yield Candidate(path, "template")


def _settings_commands(root: Path, wanted: Wanted) -> dict[str, str]:
    from vizier_core.config import load_settings  # noqa: PLC0415 - likewise

    config_file = Path(wanted.config_file).absolute() if wanted.config_file else None
    return load_settings(root, config_file).commands


def _resolver(wanted: Wanted) -> "FlowResolver":
    from vizier_core.config import load_settings  # noqa: PLC0415 - likewise
    from vizier_core.flow.resolve import FlowResolver  # noqa: PLC0415 - likewise

    root = _root()
    config_file = Path(wanted.config_file).absolute() if wanted.config_file else None
    settings = load_settings(root, config_file)
    return FlowResolver(root, settings.commands, settings.workflow_directory, _ignore)


def _flow(wanted: Wanted) -> "LoadedFlow":
    from vizier_core.flow.prepare import load_flow  # noqa: PLC0415 - likewise

    return load_flow(_resolver(wanted), wanted.flow or "")


def _flags(wanted: Wanted) -> Iterator[Candidate]:
    """A flag for each parameter of the flow."""
    flow = _flow(wanted)
    for flag, param in flow.inputs.named_inputs():
        yield Candidate(f"--{flag}", _described(param, flow.composed.template.params.get(param, "")))


def _parameters(wanted: Wanted) -> Iterator[Candidate]:
    """The parameters of the flow as the beginning of `KEY=VALUE`."""
    params = _flow(wanted).composed.template.params
    return (Candidate(f"{param}=", _described(param, params[param])) for param in sorted(params))


def _described(param: str, default: str) -> str:
    return f"parameter {param}" + (f", default {default}" if default else "")


def _inputs(wanted: Wanted) -> Iterable[Candidate]:
    """Values for a parameter, as far as its name says what it is."""
    inputs = _flow(wanted).inputs
    if isinstance(wanted.place, int):
        param = inputs.positional[wanted.place]
    else:
        flag = wanted.place.replace("-", "_")
        param = inputs.named.get(flag, flag)
    if param in {"slug", "plan"}:
        return _plans(wanted)
    named_alike = ("branch", "source", "target")
    return _branches(wanted) if any(part in param for part in named_alike) else ()


_SOURCES: Final[dict[Completes, Callable[[Wanted], Iterable[Candidate]]]] = {
    Completes.BRANCH: _branches,
    Completes.FLAG: _flags,
    Completes.FLOW: _flows,
    Completes.INPUT: _inputs,
    Completes.JOB: _jobs,
    Completes.JOB_OR_RUN: _jobs_and_runs,
    Completes.PARAMETER: _parameters,
    Completes.PLAN: _plans,
    Completes.SESSION: _sessions,
}


@contextlib.contextmanager
def _time_limit(seconds: float) -> Iterator[None]:
    """Raises in the middle of what takes longer."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise _TooSlowError

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
