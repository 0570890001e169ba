"""What can go wrong with an agent, one type per cause; the texts are the contract of spec 07 §§5.3, 6.2, 6.4."""

from collections.abc import Sequence
from pathlib import Path

from vizier_core.command import Output
from vizier_core.errors import VizierError


class AgentError(VizierError):
    """An agent that could not be found, started or waited for."""


class InvalidLabelError(AgentError):
    """An agent label that is no single path component (WS-07-09)."""

    def __init__(self, label: str) -> None:
        super().__init__(
            f"invalid agent label `{label}`: expected a single name without `/`, `..` or control characters; "
            "set `agent.label` to the name of a shim directory, or `agent.command` to the program to run"
        )


class ShimNotFoundError(AgentError):
    """No `agent.sh` for a label in any shim directory (spec 07 §5.3 step 5)."""

    def __init__(self, label: str, directories: Sequence[Path]) -> None:
        looked = "looked in " + ", ".join(map(str, directories)) if directories else "no shim directories detected"
        super().__init__(
            f"no bundled agent shim named `{label}` ({looked}); "
            f"put {label}/agent.sh into such a directory, or set agent.command to the program to run"
        )


class NoAgentCommandError(AgentError):
    """An agent without a program."""

    def __init__(self) -> None:
        super().__init__("agent command was not provided")


class AgentNotFoundError(AgentError):
    """The agent's program is not there."""

    def __init__(self, program: str, hint: str = "") -> None:
        super().__init__(f"agent command not found at {program}{hint}")


class AgentNotStartedError(AgentError):
    """The agent's program is there but cannot be started."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"failed spawning agent command: {reason}")


class FilterNotStartedError(AgentError):
    """The progress filter cannot be started; the agent was not left running."""

    def __init__(self, program: str, reason: str) -> None:
        super().__init__(f"failed to spawn progress filter {program}: {reason}")


class FilterStuckError(AgentError):
    """The progress filter neither ended nor did anything after the agent had ended; it was ended."""

    def __init__(self, program: str, seconds: float) -> None:
        super().__init__(
            f"progress filter {program} did not end within {seconds_text(seconds)} after the agent; "
            "a filter must read its input to the end and then exit"
        )


class AgentTimeoutError(AgentError):
    """The agent ran longer than it may; it was ended with everything it had started.

    Attributes:
        seconds: how long it may run.
        text: what was on its way to become the reply.
        stderr_lines: what agent and filter had said on stderr.
    """

    def __init__(
        self,
        seconds: float,
        survivors: Sequence[int] = (),
        text: Output | None = None,
        stderr_lines: tuple[str, ...] = (),
    ) -> None:
        left = f"; processes {', '.join(map(str, survivors))} could not be ended" if survivors else ""
        super().__init__(f"agent command exceeded timeout after {seconds_text(seconds)}{left}")
        self.seconds = seconds
        self.text = text
        self.stderr_lines = stderr_lines


class PromptContextError(AgentError):
    """Narrative documents that cannot be listed (spec 07 §4.5)."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"I/O error: cannot read {path}: {reason}")


class CompanionPromptError(AgentError):
    """The file with what a node adds to a prompt cannot be read (spec 07 §4.6 step 6)."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"cannot read {path}: {reason}")


class PlaceholderFileError(AgentError):
    """A file that a prompt's placeholder names and that cannot be read (spec 06 §8.1)."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"could not read placeholder file {path}: {reason}")


def seconds_text(seconds: float) -> str:
    """A duration as messages show it, for example `43200s` or `0.5s`."""
    return f"{int(seconds) if seconds == int(seconds) else round(seconds, 3)}s"
