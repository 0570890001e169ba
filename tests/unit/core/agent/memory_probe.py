"""Run by test_run.py: an agent talks without end; prints how much it said and how much memory that took, in bytes."""

import json
import resource
import sys
from pathlib import Path

from vizier_core.agent.run import AgentReply, AgentRequest, run_agent


def peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


class Count:
    """Receives text and keeps only its length."""

    def __init__(self) -> None:
        self.characters = 0

    def __call__(self, text: str) -> None:
        self.characters += len(text)


def main() -> None:
    directory, body, *filter_body = sys.argv[1:]
    request = AgentRequest(
        argv=("sh", "-c", body),
        progress_filter=("sh", "-c", *filter_body) if filter_body else (),
        prompt="",
        cwd=Path(directory),
        scratch=Path(directory),
    )
    before, reply, progress = peak(), Count(), Count()
    result = run_agent(request, progress=progress, reply=reply, warn=print)
    assert isinstance(result, AgentReply), result
    figures = {"reply": reply.characters, "progress": progress.characters, "memory": peak() - before}
    print(json.dumps({**figures, "kept": len(result.text.text), "lines": sum(map(len, result.stderr_lines))}))


if __name__ == "__main__":
    main()
