"""What `vizier run` does with and without `--check`: reads what is asked for, prints in the form that is asked for."""

from collections.abc import Sequence

import msgspec

from vizier_cli.actions.flow_inputs import read_flow
from vizier_cli.cli.app import App
from vizier_cli.cli.args import Arguments
from vizier_cli.cli.output import json_text
from vizier_core.flow.batch import Batch, compile_batch, find_batch
from vizier_core.flow.prepare import GivenFlow, prepare_flow
from vizier_kernel.template import CompiledWorkflow


class WantedRuns(msgspec.Struct, frozen=True):
    """A flow, and how often or for what it is to be run."""

    given: GivenFlow
    #: What to run it for; None if it is not a batch.
    batch: Batch | None
    count: int


def read_runs(app: App) -> WantedRuns:
    """Reads the flow, its inputs and the batch; tells the operator what is doubtful about them.

    Raises:
        TemplateSourceError: there is no such flow, or one of its files cannot be read or parsed.
        FlowError: the files do not fit together, an input is wrong, or the directory of the batch is.
    """
    given = read_flow(app)
    directory = app.arguments.value("spec-dir")
    if directory is None:
        return WantedRuns(given, None, int(app.arguments.value("repeat") or 1))
    batch = find_batch(given, app.root, directory)
    return WantedRuns(given, batch, len(batch.items))


def compile_runs(app: App, wanted: WantedRuns, run_ids: Sequence[str | None]) -> list[CompiledWorkflow]:
    """Validates and compiles every run; tells the operator what is doubtful.

    Args:
        app: the program.
        wanted: the runs.
        run_ids: an id for each; None if it is not to be enqueued.

    Raises:
        FlowError: one of them cannot be run.
    """
    if wanted.batch is not None:
        workflows = compile_batch(wanted.given, app.root, wanted.batch, run_ids)
    else:
        prepared = prepare_flow(wanted.given, app.root)
        workflows = [prepared.compile(run_id) for run_id in run_ids]
    app.warn_all(dict.fromkeys(warning for workflow in workflows for warning in workflow.warnings))
    return workflows


def print_result(arguments: Arguments, document: object, text: str) -> None:
    """Prints what has come of it, as JSON or as text."""
    print(json_text(document) if arguments.value("format") == "json" else text)
