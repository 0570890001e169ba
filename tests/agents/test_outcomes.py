"""Whatever an agent does, the node ends in a defined state and the operator is told (spec 06 §7.2, 07 §6)."""

import json

import pytest

from support.agents import AgentRepository
from support.repository import Finished

FAILED = {
    "an exit status": ("echo half done; echo why >&2; exit 3", 3, "agent.invoke failed (exit 3)", "why"),
    "a signal": ("kill -9 $$", -1, "agent.invoke failed (exit -1)", "the agent was ended by SIGKILL"),
    "no program": ("exec /nowhere/codex", 127, "agent.invoke failed (exit 127)", "/nowhere/codex"),
}


def follow(agents: AgentRepository) -> Finished:
    return agents.vizier("run", "flow.json", "--follow", "--format", "json")


def reply(agents: AgentRepository) -> str:
    """What a successful agent has said, as the next nodes get it."""
    done = follow(agents)
    assert done.code == 0, agents.situation()
    return str(agents.output("agent")["stdout_text"] or "")


@pytest.mark.parametrize(("body", "code", "summary", "told"), FAILED.values(), ids=FAILED)
def test_an_agent_that_fails(agents: AgentRepository, body: str, code: int, summary: str, told: str) -> None:
    agents.configure(body)
    assert follow(agents).code == 1
    record, output = agents.record(agents.job("agent")), agents.output("agent")
    assert (record["exit_code"], output["exit_code"], output["result"]["summary"]) == (code, code, summary)
    assert (record["metadata"]["agent_label"], record["metadata"]["agent_exit_code"]) == ("mine", code)
    assert told in agents.log("agent")
    assert agents.status("last") == "blocked_by_dependency"


def test_ws_06_30_what_a_failed_agent_has_said_is_kept(agents: AgentRepository) -> None:
    agents.configure("echo half done; echo why >&2; exit 3")
    assert follow(agents).code == 1
    output = agents.output("agent")
    assert (output["stdout_text"], "why" in output["stderr_lines"]) == ("half done\n", True)


def test_an_agent_that_is_not_there(agents: AgentRepository) -> None:
    agents.configure("true")
    (agents.base / "agent.sh").unlink()
    assert follow(agents).code == 1
    summary = agents.output("agent")["result"]["summary"]
    assert summary == f"agent.invoke failed: agent command not found at {agents.base / 'agent.sh'}"
    assert summary in agents.log("agent")


@pytest.mark.parametrize("body", ["true", "echo; echo '  '"], ids=["nothing", "blanks"])
def test_an_agent_that_says_nothing_has_succeeded_and_the_operator_is_told(agents: AgentRepository, body: str) -> None:
    agents.configure(body)
    assert reply(agents).strip() == ""
    assert "agent mine ended well, but without a reply" in agents.log("agent")


def test_ws_07_15_binary_junk_is_a_reply_with_replacement_characters(agents: AgentRepository) -> None:
    agents.configure(r"printf 'a\377\000\033[31m\200b\n'; printf '\376\375 oh\n' >&2")
    assert reply(agents) == "a\ufffd\0\x1b[31m\ufffdb\n"
    assert agents.log("agent", "stdout") == "a\ufffd\0\x1b[31m\ufffdb\n"
    assert "\ufffd\ufffd oh" in agents.output("agent")["stderr_lines"]


def test_ws_07_16_an_agent_that_leaves_its_output_open_has_ended_and_what_it_left_is_named(
    agents: AgentRepository,
) -> None:
    agents.configure("sleep 300 & echo $! > left; echo done")
    assert reply(agents) == "done\n"
    told = (
        f"the agent has ended, but has left processes behind, which hold its output open: {agents.pid('left')} (sleep"
    )
    assert told in agents.log("agent")


def test_ws_07_17_the_log_has_all_of_a_long_reply_and_later_nodes_its_ends(agents: AgentRepository) -> None:
    """Ruling R70."""
    agents.configure("echo first; yes middle | head -n 3000000; echo last")
    text = reply(agents)
    total = len("first\nlast\n") + 3_000_000 * len("middle\n")
    assert (text[:6], text[-5:], len(text) < total / 2) == ("first\n", "last\n", True)
    assert (agents.jobs_root / agents.job("agent") / "stdout.log").stat().st_size == total
    assert f"the reply has {total} characters" in agents.log("agent")


def test_an_agent_that_closes_its_input_unread(agents: AgentRepository) -> None:
    """Its prompt is longer than any pipe."""
    flow = json.loads(agents.read("flow.json"))
    flow["nodes"][0]["args"]["prompt_text"] = "word " * 100_000
    agents.write("flow.json", json.dumps(flow))
    agents.configure("exec < /dev/null; sleep 0.2; echo done")
    assert reply(agents) == "done\n"


def test_an_agent_that_closes_its_output_and_works_on(agents: AgentRepository) -> None:
    agents.configure("echo early; exec > /dev/null 2>&1; sleep 0.5; touch late")
    assert reply(agents) == "early\n"
    assert (agents.path / "late").exists()


def test_an_agent_whose_directory_it_removes_itself(agents: AgentRepository) -> None:
    """It fails like any other, and the records are all there."""
    agents.configure('mkdir ../own; cd ../own; rmdir ../own; echo "$(pwd)"; ls > /dev/null; exit 5')
    assert follow(agents).code == 1
    assert agents.output("agent")["exit_code"] == 5


@pytest.mark.parametrize("filter_body", ["head -n 1", "cat > /dev/null; echo '  '; exit 0", "exec cat"])
def test_filters_that_shorten_the_reply(agents: AgentRepository, filter_body: str) -> None:
    agents.configure("for i in $(seq 2000); do echo line $i; done", progress_filter=filter_body)
    expected = {"head -n 1": "line 1\n", "exec cat": "".join(f"line {i}\n" for i in range(1, 2001))}
    assert reply(agents) == expected.get(filter_body, "  \n")


def test_ws_07_14_a_filter_that_fails_fails_the_node_and_says_so(agents: AgentRepository) -> None:
    agents.configure("seq 100000", progress_filter="read -r line; echo broken >&2; exit 7")
    assert follow(agents).code == 1
    output = agents.output("agent")
    assert (output["exit_code"], "broken" in output["stderr_lines"]) == (7, True)
    assert "the agent exited 0, but its progress filter exited 7" in agents.log("agent")


# usage


REPORT = 'vizier-report: {"usage": {"input_tokens": %d, "output_tokens": %d, "cost_usd": %s}}'


def test_usage_is_stored_shown_and_summed(agents: AgentRepository) -> None:
    flow = json.loads(agents.read("flow.json"))
    ask, first, last = flow["nodes"]
    second = {**first, "id": "second", "after": [{"node_id": "agent"}]}
    del second["produces"]
    last["after"] = [{"node_id": "second"}]
    agents.write("flow.json", json.dumps({**flow, "nodes": [ask, first, second, last]}))
    agents.configure(f"echo '{REPORT % (1200, 80, 0.25)}' >&2; echo done")
    done = follow(agents)
    usage = {"input_tokens": 1200, "output_tokens": 80, "total_tokens": 1280, "cost_usd": 0.25}
    assert done.json()["usage"] == {name: 2 * figure for name, figure in usage.items()}
    assert agents.record(agents.job("agent"))["metadata"]["agent_usage"] == usage
    assert agents.output("agent")["usage"] == usage
    shown = agents.vizier("jobs", "show", agents.job("agent")).out
    assert "1,280 (input 1,200, output 80)" in shown
    assert "$0.2500" in shown
    raw = agents.vizier("jobs", "show", agents.job("agent"), "--format", "json").json()
    assert (raw["agent_tokens"], raw["agent_cost"]) == ("1,280 (input 1,200, output 80)", "$0.2500")


def test_the_text_summary_of_a_run_names_its_cost(agents: AgentRepository) -> None:
    agents.configure(f"echo '{REPORT % (10, 5, 0.5)}' >&2; exit 1")
    done = agents.vizier("run", "flow.json", "--follow")
    assert done.code == 1
    assert "Agent tokens" in done.out
    assert "15 (input 10, output 5)" in done.out
    assert "$0.5000" in done.out


def test_who_tells_nothing_costs_nothing_that_is_known(agents: AgentRepository) -> None:
    agents.configure("echo done")
    assert follow(agents).json()["usage"] is None
    assert "Agent tokens" not in agents.vizier("jobs", "show", agents.job("agent")).out
