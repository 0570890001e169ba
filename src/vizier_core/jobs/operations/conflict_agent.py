"""The agent that resolves merge conflicts, for the gate that asks it (spec 07 §4.6).

The gate finds out which merge it is, and looks at what the agent has left behind; here the agent is asked.
"""

import msgspec

from vizier_core.agent.errors import AgentError, AgentTimeoutError, CompanionPromptError, seconds_text
from vizier_core.agent.narrative import load_narrative
from vizier_core.agent.prompts import companion_text, prompt_text
from vizier_core.agent.run import AgentFailure
from vizier_core.agent.settings import PromptContext, agent_identity, prompt_override
from vizier_core.config.agents import PromptKind
from vizier_core.jobs.operations.node import RunningNode
from vizier_core.jobs.operations.node_agent import ask_agent, choose_agent
from vizier_core.usage import Usage
from vizier_kernel.prompt import MergeConflict, Narrative, merge_conflict_prompt, with_companion

_KIND = PromptKind.MERGE_CONFLICT


class ConflictAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What came of asking."""

    #: Why the agent has not done it, for the operator; None if it says that it has.
    problem: str | None = None
    usage: Usage | None = None


def resolve_conflict(running: RunningNode, conflict: MergeConflict) -> ConflictAnswer:
    """Asks the agent of a node to resolve the conflicts in its execution root; never raises because of the agent.

    Whether it has done so is for the caller to see: neither its words nor its exit code prove anything.

    Args:
        running: the node; its arguments `prompt_text` and `prompt_file` are put in front of the prompt.
        conflict: the merge.
    """
    try:
        agent = choose_agent(running, _KIND)
    except AgentError as error:
        return ConflictAnswer(problem=f"auto-resolve agent settings unavailable: {error}")
    try:
        prompt = _prompt(running, conflict, agent.settings.context)
    except CompanionPromptError as error:
        return ConflictAnswer(problem=f"unable to load merge-conflict companion prompt: {error}")
    except AgentError as error:
        return ConflictAnswer(problem=f"unable to build merge-conflict prompt: {error}")
    try:
        answer = ask_agent(running, agent, prompt)
    except AgentTimeoutError as error:
        seconds = seconds_text(error.seconds)
        return ConflictAnswer(problem=f"merge-conflict auto-resolve agent timed out after {seconds}")
    except AgentError as error:
        return ConflictAnswer(problem=f"merge-conflict auto-resolve agent failed: {error}")
    if isinstance(answer, AgentFailure):
        problem = f"merge-conflict auto-resolve agent exited {answer.exit_code}"
        return ConflictAnswer(problem=problem, usage=answer.usage)
    return ConflictAnswer(usage=answer.usage)


def _prompt(running: RunningNode, conflict: MergeConflict, context: PromptContext) -> str:
    execution_root, project_root = running.execution_root, running.store.root
    configuration = running.context.settings
    identity = agent_identity(running.record.meta, configuration.commands)
    configured = prompt_override(configuration.agents, identity, _KIND)
    text = prompt_text(_KIND, configured, execution_root, project_root).text
    args = running.node.args
    companion = companion_text(args.get("prompt_text"), args.get("prompt_file"), execution_root)
    narrative = Narrative()
    if context.include_snapshot or context.include_narrative_docs:
        narrative = load_narrative(
            execution_root,
            project_root,
            snapshot=context.include_snapshot,
            documents=context.include_narrative_docs,
        )
    return merge_conflict_prompt(with_companion(companion, text), conflict, narrative)
