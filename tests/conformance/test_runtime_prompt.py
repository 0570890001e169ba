"""prompt.resolve: sources, placeholders, aliases, errors (06 sections 7.1 and 8)."""

import pytest

from driver import Repo, custom, node

SHELL = "cap.env.shell.prompt.resolve"


def prompt(node_id: str, args: dict, uses: str = "prompt.resolve", key: str = "main", **more) -> dict:
    return node(node_id, uses, args, produces={"succeeded": [custom("prompt_text", key)]}, **more)


def resolved(repo: Repo, *nodes: dict, name: str = "ask", key: str = "main", env: dict | None = None, extra: tuple = (), **top) -> str:
    repo.follow(repo.template(*nodes, **top), *extra, env=env).ok()
    return repo.payload("prompt_text", key, repo.job(name))["text"]


def refused(repo: Repo, *nodes: dict, name: str = "ask", env: dict | None = None) -> str:
    """Runs the nodes; the stderr log of the prompt node, which must have failed with exit code 1."""
    repo.follow(repo.template(*nodes), env=env).fails(1)
    job = repo.job(name)
    record = repo.record(job)
    assert (record["status"], record["exit_code"], record["metadata"]["workflow_node_outcome"]) == ("failed", 1, "failed")
    assert record["finished_at"]
    assert not (repo.jobs_dir / "artifacts" / "custom" / b"prompt_text".hex()).exists()
    start = f"[workflow-node] start node={name} "
    repo.wait(lambda: len(repo.log(job, "stderr").splitlines()) > 2)
    assert start in repo.log(job, "stderr")
    return repo.log(job, "stderr")


def test_payload_of_an_inline_prompt(repo: Repo) -> None:
    """06 §7.1: text untrimmed; payload keys; result"""
    text = "  Ünïcode  line\n\nlast  "
    assert resolved(repo, prompt("ask", {"prompt_text": text})) == text
    job = repo.job("ask")
    payload = repo.payload("prompt_text", "main", job)
    assert set(payload) == {"type_id", "key", "text", "written_at"} and payload["key"] == "main"
    result = repo.output(job)["result"]
    ref = f".vizier/jobs/artifacts/data/{b'prompt_text'.hex()}/{b'main'.hex()}/{job}.json"
    assert result["summary"] == "prompt resolved" and result["payload_refs"] == [ref]
    assert result["artifacts_written"] == ["custom:operation_output:ask", "custom:prompt_text:main"]
    refs = repo.record(job)["metadata"]["workflow_payload_refs"]
    assert refs == sorted(refs) and ref in refs and len(refs) == 2


def test_file_source_is_verbatim(repo: Repo) -> None:
    """06 §7.1 source 2"""
    repo.write("prompts/p.md", "line one\n\n  two\n\n")
    assert resolved(repo, prompt("ask", {"prompt_file": "prompts/p.md"})) == "line one\n\n  two\n\n"


def test_text_wins_over_file(repo: Repo) -> None:
    """06 §7.1 sources 1 and 2; a blank text does not count"""
    repo.write("p.md", "from file")
    both = {"prompt_text": "from text", "prompt_file": "p.md"}
    blank = {"prompt_text": "  ", "prompt_file": "p.md"}
    repo.follow(repo.template(prompt("a", both, key="ka"), prompt("b", blank, key="kb"))).ok()
    assert repo.payload("prompt_text", "ka", repo.job("a"))["text"] == "from text"
    assert repo.payload("prompt_text", "kb", repo.job("b"))["text"] == "from file"


@pytest.mark.parametrize("arg", ["command", "script"])
def test_shell_source_is_the_output_rendered(repo: Repo, arg: str) -> None:
    """06 §7.1 sources 3 and 4, step 3: placeholders of the output are expanded too, stderr is dropped"""
    body = "echo noise >&2; printf 'on {{ place }} now\\n'"
    assert resolved(repo, prompt("ask", {arg: body, "place": "stage"}, SHELL)) == "on stage now\n"
    assert "noise" not in repo.log(repo.job("ask"), "stderr")


def test_file_wins_over_the_shell_of_a_shell_prompt(repo: Repo) -> None:
    """06 §7.1 source order"""
    repo.write("p.md", "file text")
    assert resolved(repo, prompt("ask", {"command": "touch ran; echo shell", "prompt_file": "p.md"}, SHELL)) == "file text"
    assert not repo.exists("ran")


@pytest.mark.parametrize("arg", ["command", "script"])
def test_failing_prompt_shell(repo: Repo, arg: str) -> None:
    """06 §7.1 sources 3 and 4"""
    err = refused(repo, prompt("ask", {arg: "echo half; echo why >&2; exit 5"}, SHELL))
    assert f"prompt.resolve {arg} failed (exit 5): why" in err


def test_environment_is_the_last_source(repo: Repo) -> None:
    """06 §7.1 source 6"""
    assert resolved(repo, prompt("ask", {"who": "me"}), env={"VIZIER_WORKFLOW_PROMPT_TEXT": "env for {{who}}"}) == "env for me"


@pytest.mark.parametrize("env", [None, {"VIZIER_WORKFLOW_PROMPT_TEXT": "  "}], ids=["unset", "blank"])
def test_no_source_is_an_error(repo: Repo, env: dict | None) -> None:
    """06 §7.1"""
    assert "prompt.resolve missing prompt_text source" in refused(repo, prompt("ask", {}), env=env)


def test_missing_prompt_file_fails_the_node(repo: Repo) -> None:
    """06 §3.5, vector 26"""
    err = refused(repo, prompt("ask", {"prompt_file": "gone/prompt.md"}))
    assert any(part in err for part in ("prompt.md", "prompt.resolve", "No such file or directory"))


@pytest.mark.better("WS-06-36")
def test_missing_prompt_file_is_named(repo: Repo) -> None:
    """06 §3.5, §17 no. 36"""
    err = refused(repo, prompt("ask", {"prompt_file": "gone/prompt.md"}))
    assert "gone/prompt.md" in err


def test_variables_own_args_other_nodes_and_files(repo: Repo) -> None:
    """06 §8.1, §8.2 and its example"""
    repo.write("notes/goal.txt", "faster\n")
    ask = prompt("ask", {"prompt_text": "Plan {{persist.slug}} on {{ base }}:{{file: notes/goal.txt }}|{{ask.base}}|{{base}}", "base": "main"})
    other = node("persist", "command.run", {"script": ":", "slug": "tidy"})
    assert resolved(repo, ask, other) == "Plan tidy on main:faster\n|main|main"


def test_execution_root_variable(repo: Repo) -> None:
    """06 §8.2: absolute, unless an own arg has that name"""
    root = str(repo.path.resolve())
    assert resolved(repo, prompt("ask", {"prompt_text": "<{{execution_root}}>"})) == f"<{root}>"
    repo.follow(repo.template(prompt("own", {"prompt_text": "<{{execution_root}}>", "execution_root": "mine"}))).ok()
    assert repo.payload("prompt_text", "main", repo.job("own"))["text"] == "<mine>"


def test_inserted_values_are_not_rescanned(repo: Repo) -> None:
    """06 §8.1"""
    repo.write("f.txt", "{{not.a.key}}")
    assert resolved(repo, prompt("ask", {"prompt_text": "{{a}}/{{file:f.txt}}", "a": "{{b}}", "b": "x"})) == "{{b}}/{{not.a.key}}"


def test_lone_closing_braces_are_text(repo: Repo) -> None:
    """06 §8.1: only the opening braces start a placeholder"""
    assert resolved(repo, prompt("ask", {"prompt_text": "a }} {b} {{ v }}}} c", "v": "1"})) == "a }} {b} 1}} c"


def test_absolute_file_placeholder(repo: Repo) -> None:
    """06 §8.2 rule 1"""
    outside = repo.home / "about.md"
    outside.write_text("abs\n")
    repo.write("inside.md", "rel\n")
    assert resolved(repo, prompt("ask", {"prompt_text": "{{file:inside.md}}{{file:" + str(repo.path / "inside.md") + "}}"})) == "rel\nrel\n"


@pytest.mark.parametrize(
    ("text", "phrase"),
    [
        ("start {{name", "unclosed placeholder"),
        ("{{ }}", "empty placeholder"),
        ("{{nothing.here}}", "{{nothing.here}}"),
        ("{{file:  }}", "requires a non-empty path"),
        ("{{file:none/at/all.md}}", "could not read placeholder file"),
    ],
)
def test_placeholder_errors(repo: Repo, text: str, phrase: str) -> None:
    """06 §8.1 table"""
    err = refused(repo, prompt("ask", {"prompt_text": text, "name": "n"}))
    assert phrase in err
    if "nothing" in text:
        assert "unresolved placeholder" in err
    if "none/at/all" in text:
        assert "none/at/all.md" in err


def test_composed_aliases_prefer_the_own_stage(repo: Repo) -> None:
    """06 §8.3 vector: a local alias of the own stage beats a foreign suffix; a unique suffix works from anywhere"""
    stage = {"id": "template.stage", "version": "v1", "artifact_contracts": [{"id": "prompt_text"}]}
    repo.template(
        prompt("resolve_prompt", {"prompt_text": "{{persist_plan.title}}/{{persist_meta.title}}/{{dd_two__persist_plan.title}}"}),
        node("persist_plan", "command.run", {"script": ":", "title": "run"}), path=".vizier/w/one.json", **stage)
    repo.template(node("persist_plan", "command.run", {"script": ":", "title": "other"}), path=".vizier/w/two.json", **stage)
    repo.template(node("persist_meta", "command.run", {"script": ":", "title": "shared"}), path=".vizier/w/three.json", **stage)
    names = {"dd_one": "one", "dd_two": "two", "dd_three": "three"}
    flow = repo.template(imports=[{"name": n, "path": f"w/{f}.json"} for n, f in names.items()])
    repo.follow(flow).ok()
    assert repo.payload("prompt_text", "main", repo.job("dd_one__resolve_prompt"))["text"] == "run/shared/other"


def test_ambiguous_suffix_is_not_an_alias(repo: Repo) -> None:
    """06 §8.3: a suffix that occurs twice does not count"""
    nodes = [node(f"{s}__save", "command.run", {"script": ":", "v": s}) for s in ("a", "b")]
    assert "unresolved placeholder" in refused(repo, prompt("ask", {"prompt_text": "{{save.v}}"}), *nodes)


def test_values_are_those_of_enqueue_time(repo: Repo) -> None:
    """06 §8.2: params are expanded before, run-time output is not seen"""
    ask = prompt("ask", {"prompt_text": "{{first.script}} {{topic}}", "topic": "${t}"}, after=["first"])
    assert resolved(repo, node("first", "command.run", {"script": "echo ${t}"}), ask, params={"t": "x"}, extra=("--set", "t=bees")) == "echo bees bees"


def test_missing_narrative_is_na_in_an_ephemeral_run(repo: Repo) -> None:
    """06 §8.4, vector 27"""
    check = node("look", "command.run", {"script": "cat .vizier/jobs/artifacts/data/*/6d61696e/*.json > ../seen.json; cat .vizier/jobs/*ask/stderr.log > ../err.log"}, after=["ask"])
    flow = repo.template(prompt("ask", {"prompt_text": "ctx {{file:./.vizier/narrative/snapshot.md}}"}), check)
    repo.follow(flow, "--ephemeral").ok()
    assert '"text": "ctx N/A"' in (repo.path.parent / "seen.json").read_text()
    assert "substituting N/A for ephemeral run" in (repo.path.parent / "err.log").read_text()


def test_other_missing_files_stay_errors_in_an_ephemeral_run(repo: Repo) -> None:
    """06 §8.4: only .vizier/narrative/ and only ephemeral runs"""
    repo.follow(repo.template(prompt("ask", {"prompt_text": "{{file:docs/gone.md}}"})), "--ephemeral").fails(1)
    repo.follow(repo.template(prompt("normal", {"prompt_text": "{{file:.vizier/narrative/snapshot.md}}"}))).fails(1)
    assert repo.status(repo.job("normal")) == "failed"


@pytest.mark.better("WS-06-03")
def test_prompt_error_is_a_failed_result_with_output_and_routes(repo: Repo) -> None:
    """06 §17 no. 3, D10: complete line, operation output, failed routes

    Mended: both nodes took the lock `repo_serial`, so the target still waited when its route was looked at, and an active
    target is skipped (01 §9.3). Now it has run before.
    """
    ask = prompt("ask", {"command": "while [ ! -e go ]; do sleep 0.05; done; echo '{{unknown}}'"}, SHELL, on={"failed": ["rescue"]})
    repo.enqueue(repo.template(ask, node("rescue", "command.run", {"script": "echo ran >> rescue.log"}, locks=[{"key": "own", "mode": "shared"}])))
    job, rescue = repo.job("ask"), repo.job("rescue")
    repo.wait_status(rescue, "succeeded")
    repo.write("go", "")
    repo.wait_status(job, "failed")
    repo.wait(lambda: repo.record(rescue)["metadata"]["workflow_node_attempt"] >= 2, timeout=8)
    repo.wait_status(rescue, "succeeded")
    assert "unresolved placeholder" in repo.output(job)["result"]["summary"]
    assert "complete node=ask " in repo.log(job, "stderr")


@pytest.mark.better("WS-06-03")
def test_prompt_error_lets_waiting_jobs_go_on(repo: Repo) -> None:
    """06 §17 no. 3: the failed worker ticks, so that dependents end without another command"""
    repo.enqueue(repo.template(prompt("ask", {"prompt_text": "{{unknown}}"}), node("next", "command.run", {"script": ":"}, after=["ask"])))
    repo.wait_status(repo.job("ask"), "failed")
    repo.wait(lambda: repo.status(repo.job("next")) == "blocked_by_dependency", timeout=8)
