"""A throw-away repository whose flow asks one agent, which is a script of the test's own."""

import json
from pathlib import Path
from typing import Any, Final

from support.flows import command, template
from support.repository import Repository

_PROMPT: Final = {"custom": {"type_id": "prompt_text", "key": "p"}}
_REPLY: Final = {"custom": {"type_id": "reply", "key": "r"}}


class AgentRepository(Repository):
    """The agent works in the repository, `flow.json` asks it in the node `agent`."""

    def __init__(self, base: Path, launcher: str | None = None) -> None:
        super().__init__(base, launcher)
        self._launcher = launcher
        self.write(
            "flow.json",
            template(
                _ask("hello"),
                {
                    "id": "agent",
                    "kind": "agent",
                    "uses": "cap.agent.invoke",
                    "after": [{"node_id": "ask"}],
                    "needs": [_PROMPT],
                    "produces": {"succeeded": [_REPLY]},
                },
                command("last", "true", after=["agent"]),
                artifact_contracts=[{"id": "prompt_text"}, {"id": "reply"}],
            ),
        )

    def configure(self, body: str, progress_filter: str | None = None, *, timeout: float | None = None) -> None:
        """Sets the agent.

        Args:
            body: shell script of the agent.
            progress_filter: shell script of the filter.
            timeout: seconds that the agent may run.
        """
        lines = ["[jobs]"]
        if self._launcher is not None:
            lines.append(f'launcher = "{self._launcher}"')
        if timeout is not None:
            lines.append(f"agent_timeout_seconds = {timeout}")
        lines += ["[agents.default.agent]", 'label = "mine"', f"command = {self._script('agent', body)}"]
        if progress_filter is not None:
            lines.append(f"progress_filter = {self._script('filter', progress_filter)}")
        self.write(".vizier/config.toml", "\n".join(lines) + "\n")

    def output(self, node_id: str) -> dict[str, Any]:
        """The operation output of a node."""
        folder = self.jobs_root / "artifacts" / "data" / b"operation_output".hex() / node_id.encode().hex()
        content: dict[str, Any] = json.loads((folder / f"{self.job(node_id)}.json").read_bytes())
        return content

    def pid(self, name: str) -> int:
        """The process id that the agent writes into a file of the repository, as soon as it has done so."""
        return int(self.wait(lambda: self.read(name).strip(), f"the process id in {name}"))

    def _script(self, name: str, body: str) -> str:
        """Writes a script; its command line in TOML."""
        path = self.base / f"{name}.sh"
        path.write_text(f"#!/bin/sh\n{body}\n")
        path.chmod(0o755)
        return json.dumps([str(path)])


def _ask(prompt: str) -> dict[str, Any]:
    return {
        "id": "ask",
        "kind": "builtin",
        "uses": "cap.env.builtin.prompt.resolve",
        "args": {"prompt_text": prompt},
        "produces": {"succeeded": [_PROMPT]},
    }
