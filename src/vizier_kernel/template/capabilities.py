"""The capabilities that a node's `uses` may name (spec 04 §12), and which of them fits a node (spec 04 §13.2)."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

import msgspec

from vizier_kernel.suggest import did_you_mean
from vizier_kernel.template.model import NodeBase
from vizier_kernel.workflow import NodeKind


class ExecutorClass(StrEnum):
    """Who performs an operation."""

    ENVIRONMENT_BUILTIN = "environment_builtin"
    ENVIRONMENT_SHELL = "environment_shell"
    AGENT = "agent"


class Operation(StrEnum):
    """What an executor node does."""

    PROMPT_RESOLVE = "prompt.resolve"
    AGENT_INVOKE = "agent.invoke"
    WORKTREE_PREPARE = "worktree.prepare"
    WORKTREE_CLEANUP = "worktree.cleanup"
    PLAN_PERSIST = "plan.persist"
    GIT_STAGE = "git.stage"
    GIT_COMMIT = "git.commit"
    GIT_STAGE_COMMIT = "git.stage_commit"
    GIT_INTEGRATE_PLAN_BRANCH = "git.integrate_plan_branch"
    GIT_SAVE_WORKTREE_PATCH = "git.save_worktree_patch"
    PATCH_PIPELINE_PREPARE = "patch.pipeline_prepare"
    PATCH_EXECUTE_PIPELINE = "patch.execute_pipeline"
    PATCH_PIPELINE_FINALIZE = "patch.pipeline_finalize"
    BUILD_MATERIALIZE_STEP = "build.materialize_step"
    MERGE_SENTINEL_WRITE = "merge.sentinel.write"
    MERGE_SENTINEL_CLEAR = "merge.sentinel.clear"
    COMMAND_RUN = "command.run"
    CICD_RUN = "cicd.run"


class ControlPolicy(StrEnum):
    """What a control node decides."""

    STOP_CONDITION = "gate.stop_condition"
    CONFLICT_RESOLUTION = "gate.conflict_resolution"
    CICD = "gate.cicd"
    APPROVAL = "gate.approval"
    TERMINAL = "terminal"


class Executor(msgspec.Struct, frozen=True):
    """A capability that does something."""

    executor_class: ExecutorClass
    operation: Operation


class Control(msgspec.Struct, frozen=True):
    """A capability that decides where to go on."""

    policy: ControlPolicy
    #: Whether locks are inferred for a node that declares none (spec 04 §16).
    infers_locks: bool = True


Capability = Executor | Control

_BUILTIN: Final = tuple(
    operation
    for operation in Operation
    if operation not in {Operation.AGENT_INVOKE, Operation.COMMAND_RUN, Operation.CICD_RUN}
)
_SHELL: Final = (Operation.PROMPT_RESOLVE, Operation.COMMAND_RUN, Operation.CICD_RUN)
_LOCK_FREE: Final = frozenset({ControlPolicy.APPROVAL, ControlPolicy.TERMINAL})

#: Everything that `uses` may name; there is no other way to spell a capability.
CAPABILITIES: Final[Mapping[str, Capability]] = {
    **{f"cap.env.builtin.{op}": Executor(ExecutorClass.ENVIRONMENT_BUILTIN, op) for op in _BUILTIN},
    **{f"cap.env.shell.{op}": Executor(ExecutorClass.ENVIRONMENT_SHELL, op) for op in _SHELL},
    "cap.agent.invoke": Executor(ExecutorClass.AGENT, Operation.AGENT_INVOKE),
    **{f"control.{policy}": Control(policy, policy not in _LOCK_FREE) for policy in ControlPolicy},
}

#: The class of the executors that a node of each kind may use; gates use controls.
CLASS_OF_KIND: Final[Mapping[NodeKind, ExecutorClass]] = {
    NodeKind.BUILTIN: ExecutorClass.ENVIRONMENT_BUILTIN,
    NodeKind.AGENT: ExecutorClass.AGENT,
    NodeKind.SHELL: ExecutorClass.ENVIRONMENT_SHELL,
    NodeKind.CUSTOM: ExecutorClass.ENVIRONMENT_SHELL,
}

#: Operations that need at least one of these arguments, in the order in which messages list them (spec 04 §12.3).
ANY_OF: Final[Mapping[Operation, tuple[str, ...]]] = {
    Operation.WORKTREE_PREPARE: ("branch", "slug", "plan"),
    Operation.GIT_INTEGRATE_PLAN_BRANCH: ("branch", "source_branch", "plan_branch", "slug", "plan"),
}


class MisfitError(ValueError):
    """A node and its `uses` do not go together; the message is the end of a sentence about the node."""


def look_up(uses: str) -> Capability | None:
    """The capability of this name; blanks around it do not count."""
    return CAPABILITIES.get(uses.strip())


def classify(node: NodeBase) -> Capability:
    """The capability of a node.

    Raises:
        MisfitError: there is none, or the node's kind or arguments do not fit it.
    """
    uses = node.uses.strip()
    if not uses:
        raise MisfitError("must declare an explicit canonical uses id")
    capability = CAPABILITIES.get(uses)
    if capability is None:
        raise MisfitError(
            f"uses unknown label `{uses}`; expected one of cap.env.builtin.<operation>, cap.env.shell.<operation>, "
            f"cap.agent.invoke, control.gate.<policy>, control.terminal{did_you_mean(uses, CAPABILITIES)}"
        )
    if isinstance(capability, Executor):
        _check_executor(node, capability)
    else:
        _check_control(node, capability)
    return capability


def _check_executor(node: NodeBase, executor: Executor) -> None:
    if node.kind is NodeKind.GATE:
        raise MisfitError(f"is a gate node and cannot declare executor operation `{executor.operation}`")
    required = CLASS_OF_KIND[node.kind]
    if executor.executor_class is not required:
        raise MisfitError(
            f"declares `{node.uses.strip()}` of executor class `{executor.executor_class}`, "
            f"but its kind {node.kind.capitalize()} requires class `{required}`"
        )


def _check_control(node: NodeBase, control: Control) -> None:
    if node.kind is not NodeKind.GATE:
        raise MisfitError(
            f"declares control policy `{control.policy}`, but its kind {node.kind.capitalize()} is not gate"
        )
    if node.arg("command", "script") is not None:
        raise MisfitError(f"declares control policy `{control.policy}` and also sets command/script args")
