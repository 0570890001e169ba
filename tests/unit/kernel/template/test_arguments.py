"""Rules about what executor nodes are given, need and make (spec 04 §13.3)."""

from typing import Any

import pytest

from .trees import BUILTIN, Tree, compiled, custom, node, refusal, template

PROMPT = custom("prompt_text", "main")
AGENT = "cap.agent.invoke"
SHELL_PROMPT = "cap.env.shell.prompt.resolve"
CICD = "cap.env.shell.cicd.run"


def builtin(operation: str, args: dict[str, str] | None = None, **more: Any) -> Tree:
    return node("n", BUILTIN + operation, args, **more)


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (node("n"), "contract `command.run` node `n` requires args.command or args.script"),
        (node("n", args={"command": " ", "script": "\n"}), "requires args.command or args.script"),
        (
            node("n", CICD),
            "contract `cicd.run` node `n` requires args.command/args.script or a non-empty cicd gate script",
        ),
        (
            node("n", CICD, gates=[{"kind": "cicd", "script": " "}]),
            "requires args.command/args.script or a non-empty cicd gate script",
        ),
        (
            node("n", AGENT, {"command": "x"}, needs=[PROMPT]),
            "executor `agent.invoke` node `n` must not declare args.command or args.script",
        ),
        (node("n", AGENT), "executor `agent.invoke` node `n` requires exactly one prompt artifact dependency"),
        (node("n", AGENT, needs=[custom("note", "main")]), "requires exactly one prompt artifact dependency"),
        (node("n", AGENT, needs=[PROMPT, custom("note", "x")]), "requires exactly one prompt artifact dependency"),
        (
            node("n", AGENT, needs=[PROMPT, custom("prompt_text", "x")]),
            "requires exactly one prompt artifact dependency",
        ),
        (
            builtin("prompt.resolve", {"script": "x"}, produces={"failed": [PROMPT]}),
            "executor `prompt.resolve` node `n` must not declare args.command or args.script",
        ),
        (builtin("prompt.resolve"), "executor `prompt.resolve` node `n` must produce exactly one prompt artifact"),
        (
            builtin("prompt.resolve", produces={"succeeded": [custom("note", "x")]}),
            "must produce exactly one prompt artifact",
        ),
        (
            builtin("prompt.resolve", produces={"succeeded": [PROMPT], "failed": [custom("prompt_text", "x")]}),
            "must produce exactly one prompt artifact",
        ),
        (
            node("n", SHELL_PROMPT, produces={"succeeded": [PROMPT]}),
            "executor `prompt.resolve` node `n` requires exactly one of args.command or args.script",
        ),
        (
            node("n", SHELL_PROMPT, {"command": "a", "script": "b"}, produces={"succeeded": [PROMPT]}),
            "requires exactly one of args.command or args.script",
        ),
        (node("n", SHELL_PROMPT, {"command": "a"}), "must produce exactly one prompt artifact"),
        (builtin("plan.persist"), "contract `plan.persist` node `n` requires spec_text or spec_file"),
        (builtin("plan.persist", {"spec_source": "file", "spec_text": "t"}), "has spec_source=file but no spec_file"),
        (builtin("plan.persist", {"spec_source": "URL", "spec_text": "t"}), "has unsupported spec_source `URL`"),
        (builtin("git.stage"), "contract `git.stage` node `n` requires files_json"),
        (builtin("git.stage", {"files_json": " "}), "requires files_json"),
        (builtin("git.stage", {"files_json": "."}), "has invalid files_json payload"),
        (builtin("git.stage", {"files_json": '{"a": 1}'}), "has invalid files_json payload"),
        (builtin("git.stage", {"files_json": "[" * 100_000}), "has invalid files_json payload"),
        (builtin("git.stage", {"files_json": "[]"}), "requires at least one entry in files_json"),
        (
            builtin("patch.pipeline_prepare", {"files_json": "[1]"}),
            "contract `patch.pipeline_prepare` node `n` has invalid files_json payload",
        ),
        (builtin("patch.execute_pipeline"), "contract `patch.execute_pipeline` node `n` requires files_json"),
        (
            builtin("build.materialize_step", {"slug": "s", "branch": "b", "target": " "}),
            "node `n` is missing required keys: args.build_id, args.step_key, args.target",
        ),
    ],
)
def test_what_is_refused(bad: Tree, message: str) -> None:
    assert message in refusal(bad)


@pytest.mark.parametrize(
    "good",
    [
        node("n", CICD, gates=[{"kind": "cicd", "script": "true"}]),
        node("n", CICD, {"command": "true"}),
        node("n", AGENT, {"intent": "free", "script": ""}, needs=[PROMPT]),
        builtin("prompt.resolve", {"command": ""}, produces={"succeeded": [PROMPT], "failed": [PROMPT]}),
        node("n", SHELL_PROMPT, {"command": "x", "script": " "}, produces={"succeeded": [PROMPT]}),
        builtin("plan.persist", {"spec_text": "t", "spec_source": " STDIN "}),
        builtin("plan.persist", {"spec_file": "f", "spec_source": "file"}),
        builtin("plan.persist", {"spec_file": "f"}),
        builtin("git.stage", {"files_json": ' ["."] '}),
        builtin("patch.execute_pipeline", {"files_json": '[""]'}),
        builtin("build.materialize_step", {"other": "x"}),
        builtin("build.materialize_step", dict.fromkeys(("build_id", "step_key", "slug", "branch", "target"), "x")),
        builtin("git.commit"),
        builtin("patch.pipeline_finalize", {"any": "thing"}),
    ],
)
def test_what_is_accepted(good: Tree) -> None:
    assert compiled(template(good)).nodes[0].id == "n"


def test_r33_spec_source() -> None:
    assert "has unsupported spec_source ` `" in refusal(builtin("plan.persist", {"spec_source": " ", "spec_text": "t"}))
    assert "requires spec_text or spec_file" in refusal(
        builtin("plan.persist", {"spec_source": "file", "spec_file": ""})
    )


@pytest.mark.parametrize(
    ("operation", "keys"),
    [
        ("worktree.prepare", ["branch", "slug", "plan"]),
        ("git.integrate_plan_branch", ["branch", "source_branch", "plan_branch", "slug", "plan"]),
    ],
)
def test_v6_one_of_several_arguments(operation: str, keys: list[str]) -> None:
    listed = ", ".join(f"args.{key}" for key in keys)
    message = refusal(builtin(operation, dict.fromkeys(keys, " ")))
    problem = "requires at least one non-empty argument"
    assert message.startswith(f"template template.t@v1 executor `{operation}` node `n` {problem}: {listed}\n")
    for key in keys:
        assert compiled(template(builtin(operation, {key: "x"})))


# messages of git.commit that are read from an artifact (spec 04 §13.4)


def commit(args: dict[str, str], *needs: Tree) -> Tree:
    return builtin("git.commit", args, needs=list(needs))


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (
            commit({"message": "read_payload(msg)"}),
            "contract `git.commit` node `n` has `read_payload(msg)`, but no matching custom dependency",
        ),
        (commit({"message": " read_payload( msg:a ) "}, custom("msg", "b")), "no matching custom dependency"),
        (
            commit({"message": "read_payload(draft_plan:x)"}, custom("plan_text", "draft_plan:x")),
            "no matching custom dependency",
        ),
        (
            commit({"message": "read_payload(msg)"}, {"plan_doc": {"slug": "msg", "branch": "msg"}}),
            "no matching custom dependency",
        ),
        (
            commit({"commit_message": "read_payload(msg)"}, custom("msg", "b"), custom("msg", "a")),
            "is ambiguous: custom:msg:a, custom:msg:b",
        ),
        (commit({"message": "read_payload(a)"}, custom("msg", "a"), custom("note", "a")), "is ambiguous"),
    ],
)
def test_payload_must_match_one_need(bad: Tree, message: str) -> None:
    assert message in refusal(bad)


@pytest.mark.parametrize(
    "good",
    [
        commit({"message": "read_payload(msg)"}, custom("msg", "a")),
        commit({"message": "read_payload(a)"}, custom("msg", "a"), custom("note", "b")),
        commit({"message": "read_payload(msg:a)"}, custom("msg", "a"), custom("msg", "b")),
        commit({"message": "read_payload(plan_text:draft_plan:x)"}, custom("plan_text", "draft_plan:x")),
        commit({"message": "read_payload( )"}),
        commit({"message": "read_payload(x) and more"}),
        commit({"message": "plain", "commit_message": "read_payload(x)"}),
        builtin("git.stage_commit", {"message": "read_payload(x)"}),
    ],
)
def test_payload_accepted(good: Tree) -> None:
    assert compiled(template(good))


def test_ws_04_18_r36_the_first_message_that_is_not_blank_counts() -> None:
    assert "no matching custom dependency" in refusal(commit({"message": " ", "commit_message": "read_payload(x)"}))


def test_ws_04_18_r36_a_repeated_need_is_one_need() -> None:
    assert compiled(template(commit({"message": "read_payload(msg)"}, custom("msg", "a"), custom("msg", "a"))))
