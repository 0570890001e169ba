"""The agent of a node, for every operation that asks one (spec 07 §§5, 6).

::

    agent = choose_agent(running)
    answer = ask_agent(running, agent, "Fix the parser")
"""

import msgspec

from vizier_core.agent.errors import AgentError
from vizier_core.agent.progress import progress_line
from vizier_core.agent.run import AgentFailure, AgentReply, AgentRequest, run_agent
from vizier_core.agent.settings import AgentSettings, agent_identity, resolve_agent
from vizier_core.agent.shims import agent_shim, filter_shim, shim_directories
from vizier_core.agent.termination import ending_tidily
from vizier_core.config.agents import PromptKind
from vizier_core.jobs.model import JobMetadata
from vizier_core.jobs.operations.node import RunningNode, write_stdout
from vizier_core.verbosity import Verbosity

__all__ = ["AgentError", "AgentFailure", "AgentReply", "NodeAgent", "ask_agent", "choose_agent"]


class NodeAgent(msgspec.Struct, frozen=True, kw_only=True):
    """An agent that was chosen for a node and can be asked."""

    settings: AgentSettings
    argv: tuple[str, ...]
    #: Empty for none.
    progress_filter: tuple[str, ...]
    #: The command alias of the job, which progress lines name.
    alias: str | None

    def metadata(self, exit_code: int | None) -> JobMetadata:
        """What a job's record says about its agent (spec 07 §5.5); an agent that was ended has no exit code."""
        settings = self.settings
        return JobMetadata(
            agent_selector=settings.selector,
            agent_backend=settings.backend.value,
            agent_label=settings.label,
            agent_command=self.argv,
            config_agent_selector=settings.selector,
            config_backend=settings.backend.value,
            config_agent_label=settings.label,
            config_agent_command=self.argv,
            agent_exit_code=exit_code,
        )


def choose_agent(running: RunningNode, kind: PromptKind | None = None) -> NodeAgent:
    """Finds the agent that the configuration has for a node, and its program (spec 07 §§5.1-5.4).

    Args:
        running: the node.
        kind: the prompt that it will get, if that is one of those that may name their own agent.

    Raises:
        AgentError: there is none; the message says where it was looked for.
    """
    configuration = running.context.settings
    identity = agent_identity(running.record.meta, configuration.commands)
    settings = resolve_agent(configuration.agents, identity, kind)
    directories = shim_directories(running.store.root, running.context.program)
    command, progress_filter = settings.command, settings.progress_filter
    if progress_filter is None:
        shim = filter_shim(settings.label, directories)
        progress_filter = (str(shim),) if shim else ()
    return NodeAgent(
        settings=settings,
        argv=command if command is not None else (str(agent_shim(settings.label, directories)),),
        progress_filter=progress_filter,
        alias=identity.alias,
    )


def ask_agent(running: RunningNode, agent: NodeAgent, prompt: str) -> AgentReply | AgentFailure:
    """Runs an agent in the execution root of a node; what it says appears in the job's logs while it works.

    Its reply goes to stdout, on success; its progress goes to stderr, unless the operator wants only errors.

    Args:
        running: the node.
        agent: from :func:`choose_agent`.
        prompt: what it reads, to the byte.

    Raises:
        AgentTimeoutError: it took too long, and was ended with everything that it had started.
        AgentError: it could not be run.
    """
    settings = agent.settings
    for line in settings.warnings:
        running.tell(line)
    running.tell(f"agent {settings.label}: {' '.join(agent.argv)}", Verbosity.INFO)
    request = AgentRequest(
        argv=agent.argv,
        progress_filter=agent.progress_filter,
        prompt=prompt,
        cwd=running.execution_root,
        scratch=running.store.job_directory(running.record.id),
        timeout=settings.timeout,
    )
    with ending_tidily():
        return run_agent(
            request,
            progress=lambda line: running.tell(progress_line(settings.label, agent.alias, line)),
            reply=write_stdout,
            warn=running.tell,
        )
