"""Recorded runs of codex, claude and gemini as nodes of a run, from the configuration to the sum of what they cost."""

import os
from pathlib import Path
from typing import Any

import pytest

from support.agents import AgentRepository
from support.repository import Finished

RECORDED = Path(__file__).parent / "recorded"
REPLIES = {
    "codex": "Fixed the parser.\n\n- quotes are kept\n- tests pass\n",
    "claude": "Fixed the parser.\n\n- quotes are kept\n\nAll tests pass.\n",
    "gemini": "Fixed the parser.\n\n- quotes are kept\n",
}
USAGES: dict[str, dict[str, Any]] = {
    "codex": {"input_tokens": 24763, "cached_input_tokens": 24448, "output_tokens": 122, "total_tokens": 24885},
    "claude": {"cost_usd": 0.0421, "output_tokens": 27},
    "gemini": {"input_tokens": 1500, "output_tokens": 30, "total_tokens": 1530},
}
REASONS = {
    "codex": "You have hit your usage limit.",
    "claude": "Invalid API key",
    "gemini": "Reached max session turns",
}


def follow(agents: AgentRepository, label: str, scenario: str) -> Finished:
    agents.write(".vizier/config.toml", f'agent = "{label}"\n')
    env = {"PATH": f"{RECORDED / 'bin'}:{os.environ['PATH']}", "RECORDED_SCENARIO": scenario}
    return agents.vizier("run", "flow.json", "--follow", "--format", "json", env=env)


@pytest.mark.parametrize("label", REPLIES)
def test_success(agents: AgentRepository, label: str) -> None:
    done = follow(agents, label, "success")
    assert done.code == 0, agents.situation()
    assert agents.log("agent", "stdout") == agents.output("agent")["stdout_text"] == REPLIES[label]
    assert done.json()["usage"].items() >= USAGES[label].items()
    metadata = agents.record(agents.job("agent"))["metadata"]
    assert metadata["agent_usage"] == done.json()["usage"]
    backend = "gemini" if label == "gemini" else "agent"
    assert (metadata["agent_selector"], metadata["agent_backend"], metadata["agent_label"]) == (label, backend, label)
    assert agents.log("agent").count(f"[{label}] agent — ") > 3


@pytest.mark.parametrize("label", REASONS)
def test_ws_07_13_failure(agents: AgentRepository, label: str) -> None:
    """Whether the vendor's program says so by its exit code or only in its events."""
    assert follow(agents, label, "failure").code == 1
    assert agents.output("agent")["result"]["summary"] == "agent.invoke failed (exit 1)"
    assert f"{label} failed: {REASONS[label]}" in agents.log("agent")
    assert agents.status("last") == "blocked_by_dependency"


@pytest.mark.parametrize("label", REPLIES)
def test_ws_07_10_junk_between_the_events_ends_nothing(agents: AgentRepository, label: str) -> None:
    assert follow(agents, label, "junk").code == 0
    assert "{" not in agents.output("agent")["stdout_text"]


@pytest.mark.parametrize("label", REPLIES)
def test_ws_07_13_events_are_never_taken_for_the_reply(agents: AgentRepository, label: str) -> None:
    assert follow(agents, label, "silent").code == 0
    assert not agents.output("agent")["stdout_text"]
    assert f"agent {label} ended well, but without a reply" in agents.log("agent")
