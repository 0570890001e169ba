"""What nodes do: one module per family of operations and policies (spec 06 §§7, 9).

Each module has a table `HANDLERS` from the name of an operation or policy to a function that gets the `RunningNode` and
returns a `NodeResult` (both in `node.py`).
"""

from importlib import import_module
from typing import Final

from vizier_core.jobs.operations.node import Handler, NodeResult, RunningNode, failed

_PACKAGE: Final = "vizier_core.jobs.operations"
#: Where each executor operation is; loaded only when a node needs it.
_OPERATIONS: Final = {
    "command.run": "shell",
    "cicd.run": "shell",
    "worktree.prepare": "worktree",
    "worktree.cleanup": "worktree",
    "plan.persist": "plan",
    "git.stage": "git",
    "git.commit": "git",
    "git.stage_commit": "git",
    "git.integrate_plan_branch": "merge",
    "merge.sentinel.write": "sentinels",
    "merge.sentinel.clear": "sentinels",
    "git.save_worktree_patch": "patch",
    "patch.pipeline_prepare": "patch",
    "patch.execute_pipeline": "patch",
    "patch.pipeline_finalize": "patch",
    "build.materialize_step": "build",
    "prompt.resolve": "prompt",
    "agent.invoke": "agent",
}
#: Where each control policy is.
_POLICIES: Final = {
    "terminal": "gates",
    "gate.approval": "gates",
    "gate.stop_condition": "gates",
    "gate.conflict_resolution": "conflict",
    "gate.cicd": "gates",
}


#: Does its work although the directory it was to work in is gone (WS-06-08).
_WORKS_ANYWHERE: Final = frozenset({"worktree.cleanup"})


def run_handler(running: RunningNode) -> NodeResult:
    """Does what a node is for (spec 06 §3.2 step 5).

    Raises:
        Exception: whatever the handler raises; its caller turns that into a failed result (decision D10).
    """
    node = running.node
    if node.executor_operation is not None:
        handler = _handler(_OPERATIONS, node.executor_operation)
        unknown = f"unsupported executor operation `{node.executor_operation}`"
    elif node.control_policy is not None:
        handler = _handler(_POLICIES, node.control_policy)
        unknown = f"unsupported control policy `{node.control_policy}`"
    else:
        handler = None
        unknown = f"workflow node {node.node_id} has no runtime operation/policy"
    if running.node.executor_operation not in _WORKS_ANYWHERE:
        running.execution_root  # noqa: B018 - a node without a valid one does nothing at all (spec 06 §4)
    return failed(unknown) if handler is None else handler(running)


def _handler(families: dict[str, str], name: str) -> Handler | None:
    if name not in families:
        return None
    handlers: dict[str, Handler] = import_module(f"{_PACKAGE}.{families[name]}").HANDLERS
    return handlers[name]
