"""`agent.invoke`: a coding agent does what a prompt says (spec 06 §7.2)."""

from typing import Any, Final

from vizier_core.agent.errors import AgentError, AgentTimeoutError, seconds_text
from vizier_core.agent.run import AgentFailure, AgentReply
from vizier_core.errors import OperationRefusedError
from vizier_core.jobs.codec import Document
from vizier_core.jobs.operations.node import Handler, NodeResult, RunningNode, failed, succeeded, write_stderr
from vizier_core.jobs.operations.node_agent import NodeAgent, ask_agent, choose_agent
from vizier_core.jobs.published import latest_payload, payload_text, write_payload
from vizier_core.timestamp import Timestamp
from vizier_kernel.artifacts import OPERATION_OUTPUT, PROMPT_TEXT, Artifact, ArtifactKind

#: Exit code of a node whose agent took too long.
_TIMED_OUT: Final = 124


def invoke_agent(running: RunningNode) -> NodeResult:
    """Gives the prompt that the node needs to the agent that its job has; publishes the reply.

    Raises:
        OperationRefusedError: there is no prompt, or no directory to work in.
        OSError: the reply cannot be stored.
    """
    prompt, prompt_ref = _prompt(running)
    try:
        agent = choose_agent(running)
    except AgentError as error:
        return _told(failed(f"agent.invoke could not resolve agent settings: {error}"))
    try:
        answer = ask_agent(running, agent, prompt)
    except AgentTimeoutError as error:
        write_stderr(f"{error}; the setting jobs.agent_timeout_seconds says how long it may take\n")
        return failed(
            f"agent.invoke timed out after {seconds_text(error.seconds)}",
            _TIMED_OUT,
            metadata=agent.metadata(None),
            stdout=error.text,
            stderr_lines=error.stderr_lines,
        )
    except AgentError as error:
        return _told(failed(f"agent.invoke failed: {error}", metadata=agent.metadata(None)))
    if isinstance(answer, AgentFailure):
        return failed(f"agent.invoke failed (exit {answer.exit_code})", answer.exit_code, **_recorded(agent, answer))
    return _publish(running, agent, answer, prompt_ref)


def _prompt(running: RunningNode) -> tuple[str, str]:
    """The prompt, and where it is stored; of several, that of the node's own run (WS-06-32, WS-02-01)."""
    needed = (need.artifact for need in running.record.scheduling.dependencies)
    artifact = next((artifact for artifact in needed if _is_custom(artifact, PROMPT_TEXT)), None)
    if artifact is None:
        raise OperationRefusedError("agent.invoke requires a custom:prompt_text dependency")
    found = latest_payload(running.store, artifact, running.manifest.job_ids)
    if found is None:
        raise OperationRefusedError(f"agent.invoke could not find prompt payload for {artifact.label}")
    payload, path = found
    text = payload_text(payload)
    if text is None:
        raise OperationRefusedError(f"prompt payload missing text field: {path}")
    return text, running.store.relative(path)


def _publish(running: RunningNode, agent: NodeAgent, reply: AgentReply, prompt_ref: str) -> NodeResult:
    """Stores the reply under every name that the node has declared for it."""
    if not reply.text.text.strip():
        running.tell(f"agent {agent.settings.label} ended well, but without a reply")
    content: Document = {
        "text": reply.text.text,
        "stderr": list(reply.stderr_lines),
        "exit_code": 0,
        "duration_ms": reply.duration_ms,
    }
    if reply.text.truncated_from is not None:
        content["text_truncated"] = {"characters": reply.text.truncated_from}
        running.tell(
            f"the reply has {reply.text.truncated_from} characters: its middle is missing in what later nodes get, "
            "the log has all of it"
        )
    made = dict.fromkeys(a for a in running.node.artifacts_by_outcome.succeeded if _is_custom(a))
    artifacts = tuple(artifact for artifact in made if artifact.first != OPERATION_OUTPUT)
    refs = [prompt_ref]
    for artifact in artifacts:
        named = {"type_id": artifact.first, "key": artifact.second, "written_at": Timestamp.now().offset_form()}
        refs.append(write_payload(running.store, artifact, running.record.id, {**content, **named}))
    return succeeded(
        "agent.invoke completed via configured runner",
        artifacts=artifacts,
        payload_refs=tuple(refs),
        **_recorded(agent, reply),
    )


def _recorded(agent: NodeAgent, answer: AgentReply | AgentFailure) -> dict[str, Any]:
    """What a node tells about an agent that has ended, whether well or not (WS-06-30)."""
    code = answer.exit_code if isinstance(answer, AgentFailure) else 0
    return {
        "stdout": answer.text,
        "stderr_lines": answer.stderr_lines,
        "metadata": agent.metadata(code),
        "usage": answer.usage,
    }


def _told(result: NodeResult) -> NodeResult:
    """A failure that the agent itself cannot have told."""
    write_stderr(f"{result.summary}\n")
    return result


def _is_custom(artifact: Artifact, type_id: str | None = None) -> bool:
    return artifact.kind is ArtifactKind.CUSTOM and type_id in {None, artifact.first}


HANDLERS: Final[dict[str, Handler]] = {"agent.invoke": invoke_agent}
