"""docs/user/agents.md says what the program does: its examples are run, its table of failures is provoked."""

import json
import re
from pathlib import Path
from typing import Final

import pytest

from support.agents import AgentRepository
from vizier_core.config.keys import KEYS
from vizier_core.jobs.ops import CANCEL_GRACE

PAGE: Final = (Path(__file__).parents[2] / "docs" / "user" / "agents.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


AGENT, FILTER = blocks("sh")


@pytest.mark.parametrize("text", blocks("toml"))
def test_every_example_of_a_configuration_is_understood_whole(agents: AgentRepository, text: str) -> None:
    agents.write(".vizier/config.toml", text)
    agents.write(".vizier/prompts/conflict.md", "Resolve.\n")
    done = agents.vizier("config", "show")
    assert (done.code, done.err) == (0, "")


def test_every_key_is_in_an_example() -> None:
    """Once is enough: the tables of commands and templates have the same ones."""
    examples = "\n".join(blocks("toml"))
    relevant = [key.path for key in KEYS if key.path == "agent" or key.path.startswith(("agent.", "agents.default"))]
    names = {path.rpartition(".")[2] for path in (*relevant, "jobs.agent_timeout_seconds")}
    former = {"output", "enable_script_wrapper", "documentation", "commit", "implementation_plan", "review"}
    assert {name for name in names if not re.search(rf"\b{name}\b", PAGE)} == set()
    assert {name for name in names - former if not re.search(rf"^(\[.*\.)?{name}\b", examples, re.MULTILINE)} == set()


def test_the_agent_of_the_page_works(agents: AgentRepository) -> None:
    agents.configure(AGENT)
    assert agents.vizier("run", "flow.json", "--follow").code == 0
    assert agents.output("agent")["stdout_text"] == "I have noted the request in REQUESTS.md.\n"
    assert agents.read("REQUESTS.md") == "hello\n"
    assert "[mine] agent — working on: hello" in agents.log("agent")


def test_the_filter_of_the_page_works(agents: AgentRepository) -> None:
    agents.configure("echo thinking; echo say one; echo say two", progress_filter=FILTER)
    assert agents.vizier("run", "flow.json", "--follow").code == 0
    assert agents.output("agent")["stdout_text"] == "one\ntwo\n"
    assert "[mine] agent — thinking" in agents.log("agent")


def test_the_report_of_the_page_is_understood(agents: AgentRepository) -> None:
    (report,) = blocks("text")
    agents.configure(f"cat >&2 <<'REPORT'\n{report}REPORT\necho done")
    done = agents.vizier("run", "flow.json", "--follow", "--format", "json")
    assert done.json()["usage"].items() >= json.loads(report.partition(": ")[2])["usage"].items()


def test_the_grace_of_a_cancelled_job() -> None:
    assert (re.search(r"TERM\), and (.* later)", PAGE)[1], 2) == ("two seconds later", CANCEL_GRACE)


#: What provokes each line of the table: the agent, its filter, further configuration.
FAILURES: Final[dict[str, tuple[str, str | None, str]]] = {
    "no bundled agent shim named": ("", None, '[agents.default]\nagent = "nobody"'),
    "agent command not found at": ("", None, '[agent]\ncommand = "/nowhere/agent"'),
    "is not executable": ("", None, '[agent]\ncommand = "./README.md"'),
    "agent.invoke failed (exit N)": ("exit 3", None, ""),
    "the agent was ended by SIGKILL": ("kill -9 $$", None, ""),
    "agent.invoke timed out after": ("sleep 300", None, ""),
    "ended well, but without a reply": ("true", None, ""),
    "the progress filter printed no reply": ("echo words", "cat > /dev/null", ""),
    "but its progress filter exited": ("echo words", "cat > /dev/null; exit 4", ""),
    "has left processes behind": ("sleep 300 > /dev/null 2>&1 & echo words", None, ""),
    "its middle is missing in what later nodes get": ("yes | head -c 9000000", None, ""),
    "unresolved placeholder": ("true", None, ""),
    "VIZIER_MOCK_AGENT is set: no agent is started": ("true", None, ""),
}
#: Takes a minute; tests/unit/core/agent/test_run.py does it with less patience.
PROVOKED_ELSEWHERE: Final = {"did not end within"}


def test_every_failure_of_the_table_is_provoked_here() -> None:
    (table,) = re.findall(r"^\| You read .*?\n\n", PAGE, re.MULTILINE | re.DOTALL)
    told = [row.split("|")[1].strip(" `") for row in table.strip().splitlines()[2:]]
    assert set(told) == {*FAILURES, *PROVOKED_ELSEWHERE}


@pytest.mark.parametrize(("phrase", "how"), FAILURES.items(), ids=FAILURES)
def test_the_operator_reads_what_the_table_says(
    agents: AgentRepository, phrase: str, how: tuple[str, str | None, str]
) -> None:
    body, progress_filter, configuration = how
    if body:
        agents.configure(body, progress_filter, timeout=0.5 if "timed out" in phrase else None)
    else:
        agents.write(".vizier/config.toml", configuration)
    env = {"VIZIER_MOCK_AGENT": "1"} if "MOCK" in phrase else {}
    if "placeholder" in phrase:
        agents.write("flow.json", agents.read("flow.json").replace("hello", "hello {{nobody}}"))
    agents.vizier("run", "flow.json", "--follow", env=env)
    node = "ask" if "placeholder" in phrase else "agent"
    shown = agents.output(node)["result"]["summary"] + agents.vizier("jobs", "tail", agents.job(node)).out
    told = shown + agents.log(node)
    assert phrase.replace("N)", "3)") in told
