"""`vizier run FLOW --help`: what the flow takes (spec 08 §5.4). Writes nothing."""

from vizier_cli.cli.app import App
from vizier_cli.cli.early import early_flags
from vizier_cli.cli.flow_help import flow_help
from vizier_cli.cli.pager import show_help
from vizier_core.flow.prepare import load_flow


def run(app: App) -> int:
    """Shows the help of the flow that was named."""
    flow = load_flow(app.flows, app.arguments.positional("FLOW") or "")
    text = flow_help(flow.source.label, flow.source.selector, flow.inputs, app.arguments.command)
    show_help(text, early_flags(app.argv[1:]))
    return 0
