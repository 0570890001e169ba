"""The end of an agent is the end of everything that it has started (WS-07-16, WS-06-27, rulings R85 and D19)."""

import os
import shlex
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.agents import AgentRepository
from support.flows import command, template
from support.processes import state
from support.repository import VIZIER

pytestmark = pytest.mark.slow  # they wait for graces and limits


@pytest.fixture(params=["auto", "exec"])
def agents(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[AgentRepository]:
    made = AgentRepository(tmp_path, request.param)
    yield made
    made.close()


#: Seconds that `jobs cancel` leaves to those that do not end when asked, and what a slow machine adds.
GRACE, SLOW = 2.0, 20.0

#: Forks twice, ignores TERM, and holds the output of the agent open.
STUBBORN = (
    "trap '' TERM\n"
    "(sh -c 'echo $$ > grandchild; exec sleep 300' & echo $! > shell)\n"
    "echo $$ > agent\n"
    "while :; do sleep 300; done"
)
#: Leaves its session and loses its parent as well.
DAEMON = (
    "setsid sh -c 'trap \"\" TERM; echo $$ > daemon; while :; do sleep 300; done' > /dev/null 2>&1 < /dev/null &\n"
    "while [ ! -s daemon ]; do sleep 0.01; done"
)


def start(agents: AgentRepository, *names: str) -> list[int]:
    """Queues the flow; the process ids that the agent has noted in these files."""
    assert agents.vizier("run", "flow.json").code == 0
    return [agents.pid(name) for name in names]


def wait_until_gone(agents: AgentRepository, pids: list[int]) -> None:
    agents.wait(lambda: all(state(pid) is None for pid in pids), f"the end of {pids}")


def test_ws_07_16_a_cancelled_agent_that_ignores_term_forks_twice_and_holds_its_output_open_is_gone(
    agents: AgentRepository,
) -> None:
    agents.configure(STUBBORN)
    pids = start(agents, "agent", "grandchild")
    began = time.monotonic()
    assert agents.vizier("jobs", "cancel", agents.job("agent")).code == 0
    # It is gone when the command is back, not some time later.
    assert [state(pid) for pid in pids] == [None, None]
    assert time.monotonic() - began < GRACE + SLOW
    assert agents.status("agent") == "cancelled"
    agents.wait_until_quiet()


def test_ws_07_16_a_cancelled_agent_ends_with_its_daemons(agents: AgentRepository) -> None:
    """Ruling R85: the worker has adopted what has left its session, so it is found."""
    agents.configure(f"({DAEMON})\nexec sleep 300")
    (daemon,) = start(agents, "daemon")
    assert agents.vizier("jobs", "cancel", agents.job("agent")).code == 0
    assert state(daemon) is None


def test_ws_07_16_an_agent_that_takes_too_long_ends_with_its_daemons(agents: AgentRepository) -> None:
    # The time is up when everything is there.
    agents.configure(f"({DAEMON})\n{STUBBORN}", timeout=2)
    done = agents.vizier("run", "flow.json", "--follow")
    pids = [agents.pid(name) for name in ("agent", "grandchild", "daemon")]
    assert (done.code, agents.record(agents.job("agent"))["exit_code"]) == (1, 124)
    assert [state(pid) for pid in pids] == [None, None, None]
    assert agents.output("agent")["result"]["summary"] == "agent.invoke timed out after 2s"
    assert "jobs.agent_timeout_seconds" in agents.log("agent")
    agents.wait_until_quiet()


def test_ws_06_27_a_worker_that_is_asked_to_end_takes_its_agent_with_it(agents: AgentRepository) -> None:
    agents.configure(STUBBORN)
    pids = start(agents, "agent", "grandchild")
    os.kill(agents.record(agents.job("agent"))["pid"], signal.SIGTERM)
    wait_until_gone(agents, pids)
    agents.wait_until_quiet()


def test_d19_an_agent_whose_worker_was_killed_is_ended_before_its_job_is_declared_failed(
    agents: AgentRepository,
) -> None:
    agents.configure(STUBBORN)
    pids = start(agents, "agent", "grandchild")
    os.kill(agents.record(agents.job("agent"))["pid"], signal.SIGKILL)
    # Any command that ticks finds it.
    assert agents.vizier("run", agents.write("other.json", template(command("other", "true"))).name).code == 0
    assert agents.status("agent") == "failed"
    assert [state(pid) for pid in pids] == [None, None]


def test_d19_cancelling_finds_the_agent_of_a_worker_that_was_killed(agents: AgentRepository) -> None:
    agents.configure(f"setsid sleep 300 & echo $! > other\n{STUBBORN}")
    pids = start(agents, "agent", "grandchild", "other")
    os.kill(agents.record(agents.job("agent"))["pid"], signal.SIGKILL)
    # Either cancels the job, or finds out that it has failed: nobody is left in both cases.
    agents.vizier("jobs", "cancel", agents.job("agent"))
    assert agents.status("agent") in {"cancelled", "failed"}
    assert [state(pid) for pid in pids] == [None, None, None]


def test_jobs_that_an_agent_queues_are_of_their_own_right(agents: AgentRepository) -> None:
    """Whoever cancels the agent's job does not cancel those."""
    agents.write("other.json", template(command("other", "echo $$ > other; sleep 300")))
    agents.configure(f"{shlex.join(VIZIER)} run other.json\nexec sleep 300")
    (other,) = start(agents, "other")
    assert agents.vizier("jobs", "cancel", agents.job("agent")).code == 0
    assert state(other) is not None
    assert agents.status("other") == "running"
    assert agents.vizier("jobs", "cancel", agents.job("other")).code == 0
    assert state(other) is None
