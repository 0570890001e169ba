"""Run by test_endings.py: an agent is run by a process that leads a session, as a worker does.

Prints what the runner raised, and which processes of the session are left.
"""

import json
import os
import sys
import time
from pathlib import Path

from vizier_core.agent import run
from vizier_core.agent.errors import AgentError
from vizier_core.agent.run import AgentRequest
from vizier_core.family import session_family
from vizier_core.process import inspect


class Clock:
    """The time as the runner sees it; it is over when the agent is ready."""

    def __init__(self) -> None:
        self.later = 0.0

    def jump(self, line: str) -> None:
        self.later = 1000.0 * (line == "ready")

    def monotonic(self) -> float:
        return time.monotonic() + self.later


def main() -> None:
    assert os.getsid(0) == os.getpid()
    directory = Path(sys.argv[1])
    request = AgentRequest(
        argv=("sh", str(directory / "agent.sh")), prompt="", cwd=directory, scratch=directory, timeout=500, grace=0.2
    )
    clock = Clock()
    run.time = clock
    error = ""
    try:
        run.run_agent(request, progress=clock.jump, reply=lambda text: None, warn=lambda line: None)
    except AgentError as caught:
        error = str(caught)
    own = inspect(os.getpid())
    assert own is not None
    left = [info.pid for info in session_family(os.getpid(), own.start_ticks).living()]
    print(json.dumps({"error": error, "left": left}))


if __name__ == "__main__":
    main()
