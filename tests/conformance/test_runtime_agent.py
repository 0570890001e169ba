"""agent.invoke: prompt look-up, streams, payloads, metadata, failures (06 section 7.2)."""

import json

import pytest

from driver import Repo, custom, node

PROMPT = custom("prompt_text", "main")


def agent(repo: Repo, body: str, label: str = "helper") -> str:
    """An agent that is a shell script; its path."""
    script = repo.home / "agent.sh"
    script.write_text(f"#!/bin/sh\n{body}\n")
    script.chmod(0o755)
    (repo.home / "agent.toml").write_text(f'[agent]\nlabel = "{label}"\ncommand = ["{script}"]\n')
    repo.env["VIZIER_CONFIG_FILE"] = str(repo.home / "agent.toml")
    repo.env["VIZIER_DISABLE_STDBUF"] = "1"
    return str(script)


def ask(text: str = "Do it", **more) -> dict:
    return node("ask", "prompt.resolve", {"prompt_text": text}, produces={"succeeded": [PROMPT]}, **more)


def invoke(*made: dict, **more) -> dict:
    return node("talk", "cap.agent.invoke", needs=[PROMPT], produces={"succeeded": list(made)}, **more)


def run(repo: Repo, *nodes: dict, code: int = 0) -> dict:
    """Follows the nodes; the operation output of the agent node."""
    assert (repo.conclude if code else repo.follow)(repo.template(*nodes)).code == code
    return repo.output(repo.job("talk"))


def test_agent_reads_the_prompt_and_answers(repo: Repo) -> None:
    """06 §7.2 steps 4 and 5: stdin is exactly the prompt, stdout is the assistant text"""
    agent(repo, "cat > $HOME/seen; echo answer; echo '  why ' >&2")
    out = run(repo, ask("line one\n\nünï no newline"), invoke())
    job = repo.job("talk")
    assert (repo.home / "seen").read_text() == "line one\n\nünï no newline"
    assert repo.log(job) == out["stdout_text"] == "answer\n" and "why" in out["stderr_lines"] and "why" in repo.log(job, "stderr")
    assert out["result"]["summary"] == "agent.invoke completed via configured runner"
    prompt = f".vizier/jobs/artifacts/data/{b'prompt_text'.hex()}/{b'main'.hex()}/{repo.job('ask')}.json"
    assert out["result"]["payload_refs"] == [prompt] and out["result"]["artifacts_written"] == ["custom:operation_output:talk"]


def test_agent_payloads(repo: Repo) -> None:
    """06 §7.2 step 5: one payload per distinct declared custom artifact"""
    agent(repo, "cat > /dev/null; printf 'the plan\\nmore\\n'; echo note >&2")
    out = run(repo, ask(), invoke(custom("plan_text", "k:1"), custom("notes", "n"), custom("plan_text", "k:1")))
    job = repo.job("talk")
    payload = repo.payload("plan_text", "k:1", job)
    assert set(payload) == {"type_id", "key", "text", "stderr", "exit_code", "duration_ms", "written_at"}
    assert (payload["type_id"], payload["key"], payload["text"], payload["stderr"], payload["exit_code"]) == ("plan_text", "k:1", "the plan\nmore\n", ["note"], 0)
    assert repo.payload("notes", "n", job)["text"] == "the plan\nmore\n"
    assert out["result"]["artifacts_written"] == ["custom:notes:n", "custom:operation_output:talk", "custom:plan_text:k:1"]
    assert len(out["result"]["payload_refs"]) == 3


def test_agent_metadata(repo: Repo) -> None:
    """06 §7.2 step 5, §12.2"""
    path = agent(repo, "cat > /dev/null; echo ok")
    run(repo, ask(), invoke())
    meta = repo.record(repo.job("talk"))["metadata"]
    assert (meta["agent_label"], meta["agent_command"], meta["agent_exit_code"]) == ("helper", [path], 0)
    for key in ("selector", "label", "command"):
        assert meta[f"agent_{key}"] == meta[f"config_agent_{key}"]
    assert meta["agent_backend"] == meta["config_backend"]


def test_agent_failure(repo: Repo) -> None:
    """06 §7.2 steps 4 and 6: its code; no payload; captured lines kept

    Mended: that there is no agent metadata contradicted WS-06-30, which wins (see the last test).
    """
    agent(repo, "cat > /dev/null; echo half an answer; echo broken >&2; exit 3")
    out = run(repo, ask(), invoke(custom("plan_text", "k")), code=1)
    job = repo.job("talk")
    record = repo.record(job)
    assert (record["status"], record["exit_code"], out["result"]["summary"]) == ("failed", 3, "agent.invoke failed (exit 3)")
    assert "broken" in out["stderr_lines"]
    assert not (repo.jobs_dir / "artifacts" / "data" / b"plan_text".hex()).exists()
    assert not (repo.jobs_dir / "artifacts" / "custom" / b"plan_text".hex()).exists()


def test_silent_agent_succeeds(repo: Repo) -> None:
    """06 §7.2 end: empty assistant text is a success"""
    agent(repo, "cat > /dev/null")
    out = run(repo, ask(), invoke(custom("plan_text", "k")))
    assert out["stdout_text"] == "" and repo.payload("plan_text", "k", repo.job("talk"))["text"] == ""


def test_agent_that_ignores_its_prompt(repo: Repo) -> None:
    """07 §6.1: a broken pipe while writing is ignored"""
    agent(repo, "exec < /dev/null; echo done")
    assert run(repo, ask("x" * 200_000), invoke())["stdout_text"] == "done\n"


def test_agent_works_in_the_execution_root(repo: Repo) -> None:
    """06 §7.2 step 4, vector 5"""
    agent(repo, "cat > /dev/null; pwd -P; echo x > made.txt")
    prep = node("prep", "worktree.prepare", {"slug": "tidy"}, on={"succeeded": ["ask"]})
    out = run(repo, prep, ask(on={"succeeded": ["talk"]}), invoke())
    path = repo.path / repo.record(repo.job("prep"))["metadata"]["worktree_path"]
    assert out["stdout_text"].strip() == str(path.resolve()) and (path / "made.txt").exists() and not repo.exists("made.txt")


def test_answer_becomes_the_plan(repo: Repo) -> None:
    """06 §7.5 step 6: agent → plan_text → plan.persist"""
    agent(repo, "cat > /dev/null; echo '- step'")
    save = node("save", "plan.persist", {"spec_text": "the spec", "slug": "tidy"}, needs=[custom("plan_text", "k")])
    run(repo, ask(), invoke(custom("plan_text", "k")), save)
    assert repo.read(".vizier/implementation-plans/tidy.md").endswith("## Operator Spec\nthe spec\n\n## Implementation Plan\n- step\n")


def test_missing_shim(repo: Repo) -> None:
    """06 §7.2 step 3: a failed result, so that failed routes apply"""
    (repo.home / "agent.toml").write_text('agent = "no-such-agent"\n')
    repo.env["VIZIER_CONFIG_FILE"] = str(repo.home / "agent.toml")
    out = run(repo, ask(), invoke(), code=1)
    assert out["exit_code"] == 1 and out["result"]["summary"].startswith("agent.invoke could not resolve agent settings: ")
    assert "no bundled agent shim named `no-such-agent`" in out["result"]["summary"]


@pytest.mark.parametrize(("payload", "phrase"), [(None, "agent.invoke could not find prompt payload for custom:prompt_text:main"), ({"x": 1}, "prompt payload missing text field")])
def test_prompt_payload_errors(repo: Repo, payload: dict | None, phrase: str) -> None:
    """06 §7.2 step 2"""
    agent(repo, "touch $HOME/ran")
    place = f"{b'prompt_text'.hex()}/{b'main'.hex()}/earlier.json"
    repo.write(f".vizier/jobs/artifacts/custom/{place}", "{}")
    if payload is not None:
        repo.write(f".vizier/jobs/artifacts/data/{place}", json.dumps(payload))
    repo.conclude(repo.template(invoke())).fails(1)
    job = repo.job("talk")
    repo.wait(lambda: phrase in repo.log(job, "stderr"))
    assert repo.record(job)["exit_code"] == 1 and not (repo.home / "ran").exists()


def test_agent_node_without_a_prompt_dependency(repo: Repo) -> None:
    """06 §7.2 step 1"""
    agent(repo, "touch $HOME/ran")
    repo.write(f".vizier/jobs/artifacts/custom/{b'prompt_text'.hex()}/{b'main'.hex()}/earlier.json", "{}")
    repo.enqueue(repo.template(invoke()), "--require-approval")
    job = repo.job("talk")
    repo.edit(job, lambda record: record["schedule"].update(dependencies=[]))
    repo.vizier("jobs", "approve", job).ok()
    repo.wait_status(job, "failed")
    repo.wait(lambda: "agent.invoke requires a custom:prompt_text dependency" in repo.log(job, "stderr"))
    assert not (repo.home / "ran").exists()


@pytest.mark.better("WS-06-30")
def test_failed_agent_is_recorded(repo: Repo) -> None:
    """06 §17 no. 30: agent metadata and exit code are kept for a failure"""
    agent(repo, "cat > /dev/null; exit 3")
    run(repo, ask(), invoke(), code=1)
    meta = repo.record(repo.job("talk"))["metadata"]
    assert (meta["agent_exit_code"], meta["agent_label"]) == (3, "helper")
