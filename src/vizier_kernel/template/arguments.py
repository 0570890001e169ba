"""Rules about what executor nodes are given, need and make (spec 04 §13.3: V6, V7, and `git.commit` of V8)."""

from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from vizier_kernel.artifacts import Artifact, ArtifactKind
from vizier_kernel.template.capabilities import ANY_OF, Executor, ExecutorClass, Operation
from vizier_kernel.template.graph import WorkflowGraph
from vizier_kernel.template.model import ExpandedNode

#: Type of the custom artifacts that carry prompts.
PROMPT_TYPE: Final = "prompt_text"

_BUILD_KEYS: Final = ("build_id", "step_key", "slug", "branch", "target")
_CALL: Final = "read_payload("


def check_any_of(graph: WorkflowGraph, node: ExpandedNode, executor: Executor) -> None:
    """V6: one of several arguments must be there."""
    keys = ANY_OF.get(executor.operation, ())
    if keys and node.arg(*keys) is None:
        listed = ", ".join(f"args.{key}" for key in keys)
        raise graph.executor_error(node, executor.operation, f"requires at least one non-empty argument: {listed}")


def check_arguments(graph: WorkflowGraph, node: ExpandedNode, executor: Executor) -> None:
    """V7: the rules of the node's operation."""
    rule = _RULES.get(executor.operation)
    if rule is not None:
        rule(graph, node, executor)


def payload_selector(node: ExpandedNode) -> str | None:
    """What the commit message of a node is read from; None if the message is plain text or missing.

    The message is the first that is not blank, as at run time (ruling R36).
    """
    message = node.arg("message", "commit_message") or ""
    if not (message.startswith(_CALL) and message.endswith(")")):
        return None
    return message[len(_CALL) : -1].strip() or None


def check_commit_message(graph: WorkflowGraph, node: ExpandedNode, executor: Executor) -> None:
    """V8 for `git.commit`: a message that is read from an artifact needs exactly one such artifact."""
    selector = payload_selector(node)
    if selector is None:
        return
    wanted_type, exact, wanted_key = selector.partition(":")
    labels = {
        artifact.label
        for artifact in node.needs
        if artifact.kind is ArtifactKind.CUSTOM
        and (
            (artifact.first, artifact.second) == (wanted_type, wanted_key)
            if exact
            else selector in {artifact.first, artifact.second}
        )
    }
    call = f"read_payload({selector})"
    if not labels:
        raise graph.contract_error(
            node, executor.operation, f"has `{call}`, but no matching custom dependency in needs"
        )
    if len(labels) > 1:
        listed = ", ".join(sorted(labels))
        raise graph.contract_error(node, executor.operation, f"has `{call}`, which is ambiguous: {listed}")


def _is_prompt(artifact: Artifact) -> bool:
    return artifact.kind is ArtifactKind.CUSTOM and artifact.first == PROMPT_TYPE


def _forbid_command(graph: WorkflowGraph, node: ExpandedNode, executor: Executor) -> None:
    if node.arg("command", "script") is not None:
        raise graph.executor_error(node, executor.operation, "must not declare args.command or args.script")


def _check_agent(graph: WorkflowGraph, node: ExpandedNode, executor: Executor) -> None:
    _forbid_command(graph, node, executor)
    if len(node.needs) != 1 or not _is_prompt(node.needs[0]):
        detail = f"requires exactly one prompt artifact dependency (custom {PROMPT_TYPE}) in needs"
        raise graph.executor_error(node, executor.operation, detail)


def _check_prompt(graph: WorkflowGraph, node: ExpandedNode, executor: Executor) -> None:
    if executor.executor_class is ExecutorClass.ENVIRONMENT_BUILTIN:
        _forbid_command(graph, node, executor)
    elif (node.arg("command") is None) == (node.arg("script") is None):
        detail = "requires exactly one of args.command or args.script"
        raise graph.executor_error(node, executor.operation, detail)
    made = set(node.produces.all())
    if len(made) != 1 or not all(map(_is_prompt, made)):
        detail = f"must produce exactly one prompt artifact (custom {PROMPT_TYPE}) over all outcomes"
        raise graph.executor_error(node, executor.operation, detail)


def _check_command(graph: WorkflowGraph, node: ExpandedNode, executor: Executor) -> None:
    if node.arg("command", "script") is None:
        raise graph.contract_error(node, executor.operation, "requires args.command or args.script")


def _check_cicd(graph: WorkflowGraph, node: ExpandedNode, executor: Executor) -> None:
    if node.arg("command", "script") is None and not any(gate.script.strip() for gate in node.cicd_gates()):
        detail = "requires args.command/args.script or a non-empty cicd gate script"
        raise graph.contract_error(node, executor.operation, detail)


def _check_plan(graph: WorkflowGraph, node: ExpandedNode, executor: Executor) -> None:
    if node.arg("spec_text", "spec_file") is None:
        raise graph.contract_error(node, executor.operation, "requires spec_text or spec_file")
    source = node.args.get("spec_source", "inline")
    match source.strip().lower():
        case "inline" | "stdin":
            return
        case "file":
            if node.arg("spec_file") is None:
                raise graph.contract_error(node, executor.operation, "has spec_source=file but no spec_file")
        case _:
            detail = f"has unsupported spec_source `{source}`, expected inline, stdin or file"
            raise graph.contract_error(node, executor.operation, detail)


def _check_files(graph: WorkflowGraph, node: ExpandedNode, executor: Executor) -> None:
    payload = node.arg("files_json")
    if payload is None:
        raise graph.contract_error(node, executor.operation, "requires files_json")
    try:
        files = msgspec.json.decode(payload, type=list[str])
    except msgspec.DecodeError as error:
        detail = f"has invalid files_json payload, expected a JSON list of strings: {error}"
        raise graph.contract_error(node, executor.operation, detail) from None
    if not files:
        raise graph.contract_error(node, executor.operation, "requires at least one entry in files_json")


def _check_build(graph: WorkflowGraph, node: ExpandedNode, executor: Executor) -> None:
    missing = [key for key in _BUILD_KEYS if node.arg(key) is None]
    if 0 < len(missing) < len(_BUILD_KEYS):
        detail = f"is missing required keys: {', '.join(f'args.{key}' for key in missing)}"
        raise graph.contract_error(node, executor.operation, detail)


_RULES: Final[Mapping[Operation, Callable[[WorkflowGraph, ExpandedNode, Executor], None]]] = {
    Operation.AGENT_INVOKE: _check_agent,
    Operation.PROMPT_RESOLVE: _check_prompt,
    Operation.COMMAND_RUN: _check_command,
    Operation.CICD_RUN: _check_cicd,
    Operation.PLAN_PERSIST: _check_plan,
    Operation.GIT_STAGE: _check_files,
    Operation.PATCH_PIPELINE_PREPARE: _check_files,
    Operation.PATCH_EXECUTE_PIPELINE: _check_files,
    Operation.BUILD_MATERIALIZE_STEP: _check_build,
}
