"""The flow that a command line names and what it gives for it; `run` and `audit` begin alike (spec 04 §1)."""

from vizier_cli.cli.app import App
from vizier_core.flow.prepare import GivenFlow, give_inputs, load_flow
from vizier_kernel.suggest import nearest


def read_flow(app: App) -> GivenFlow:
    """Reads the flow and its inputs; tells the operator what is doubtful about them.

    Raises:
        TemplateSourceError: there is no such flow, or one of its files cannot be read or parsed.
        FlowError: the files do not fit together, or an input is wrong.
    """
    arguments = app.arguments
    flow = load_flow(app.flows, arguments.positional("FLOW") or "")
    app.warn_all(flow.warnings)
    options = [option.name for option in arguments.command.options]
    given = give_inputs(flow, arguments.all_values("set"), arguments.positionals.get("INPUT", []), options)
    app.warn_all(given.warnings)
    _suggest_options(app, given)
    return given


def _suggest_options(app: App, given: GivenFlow) -> None:
    """A mistyped option of `run` looks like a parameter that the flow does not have (WS-08-04)."""
    options = [option.name for option in app.arguments.command.options]
    for name in sorted(given.overrides.keys() - given.flow.inputs.params):
        meant = nearest(name.replace("_", "-"), options)
        if meant:
            app.warn(f"if `--{name.replace('_', '-')}` was to be an option: it is `--{meant}`")
