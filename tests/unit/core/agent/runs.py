"""Runs agents that are shell scripts, and keeps what the runner tells."""

from pathlib import Path
from typing import Any

from vizier_core.agent.run import AgentFailure, AgentReply, AgentRequest, run_agent


class Run:
    """One call of the runner.

    Attributes:
        result: what it returned.
        progress: the lines it told while the agent worked.
        reply: the answer that it passed on.
        warnings: its own remarks.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.result: AgentReply | AgentFailure | None = None
        self.progress: list[str] = []
        self.reply = ""
        self.warnings: list[str] = []

    def agent(self, *argv: str | Path, progress_filter: tuple[str | Path, ...] = (), **more: Any) -> "Run":
        """Runs a program."""
        request = AgentRequest(
            argv=tuple(map(str, argv)),
            progress_filter=tuple(map(str, progress_filter)),
            cwd=more.pop("cwd", self.directory),
            scratch=self.directory,
            prompt=more.pop("prompt", "hello"),
            **more,
        )
        self.result = run_agent(request, progress=self.progress.append, reply=self._take, warn=self.warnings.append)
        return self

    def script(self, body: str, filter_body: str | None = None, **more: Any) -> "Run":
        """Runs shell text, perhaps with shell text as the filter."""
        progress_filter = () if filter_body is None else ("sh", "-c", filter_body)
        return self.agent("sh", "-c", body, progress_filter=progress_filter, **more)

    @property
    def answer(self) -> AgentReply:
        """The result, which must be an answer."""
        assert isinstance(self.result, AgentReply), self.result
        return self.result

    @property
    def failure(self) -> AgentFailure:
        """The result, which must be a failure."""
        assert isinstance(self.result, AgentFailure), self.result
        return self.result

    def _take(self, text: str) -> None:
        self.reply += text
