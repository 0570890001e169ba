"""Which `uses` exist and which nodes they fit (spec 04 §12, §13.2)."""

import pytest

from vizier_kernel.template import CAPABILITIES, Control, ControlPolicy, Executor, ExecutorClass, Operation

from .trees import node, only, refusal, shell, template

BUILTINS = [
    "prompt.resolve",
    "worktree.prepare",
    "worktree.cleanup",
    "plan.persist",
    "git.stage",
    "git.commit",
    "git.stage_commit",
    "git.integrate_plan_branch",
    "git.save_worktree_patch",
    "patch.pipeline_prepare",
    "patch.execute_pipeline",
    "patch.pipeline_finalize",
    "build.materialize_step",
    "merge.sentinel.write",
    "merge.sentinel.clear",
]
SHELLS = ["prompt.resolve", "command.run", "cicd.run"]
CONTROLS = ["gate.stop_condition", "gate.conflict_resolution", "gate.cicd", "gate.approval", "terminal"]


def test_the_table_is_the_one_of_the_chapter() -> None:
    assert set(CAPABILITIES) == {
        *(f"cap.env.builtin.{name}" for name in BUILTINS),
        *(f"cap.env.shell.{name}" for name in SHELLS),
        *(f"control.{name}" for name in CONTROLS),
        "cap.agent.invoke",
    }
    assert CAPABILITIES["cap.env.shell.prompt.resolve"] == Executor(
        ExecutorClass.ENVIRONMENT_SHELL, Operation.PROMPT_RESOLVE
    )
    assert CAPABILITIES["cap.agent.invoke"] == Executor(ExecutorClass.AGENT, Operation.AGENT_INVOKE)
    lock_free = {name for name, found in CAPABILITIES.items() if isinstance(found, Control) and not found.infers_locks}
    assert lock_free == {"control.terminal", "control.gate.approval"}


def test_compiled_nodes_know_their_class_operation_and_policy() -> None:
    run = only(template(shell("n")))
    assert (run.executor_class, run.operation, run.policy) == (
        ExecutorClass.ENVIRONMENT_SHELL,
        Operation.COMMAND_RUN,
        None,
    )
    end = only(template(node("n", "control.terminal")))
    assert (end.executor_class, end.operation, end.policy) == (None, None, ControlPolicy.TERMINAL)


@pytest.mark.parametrize("kind", ["shell", "custom"])
def test_shell_operations_fit_two_kinds(kind: str) -> None:
    assert only(template(shell("n") | {"kind": kind})).kind == kind


@pytest.mark.parametrize(
    "uses",
    [
        "vizier.command.run",
        "cap.gate.approval",
        "cap.env.shell.command",
        "cap.env.builtin.command.run",
        "cap.env.shell.git.commit",
        "cap.agent.review",
        "control.gate",
        "CAP.agent.invoke",
        "cap.env.builtin.",
    ],
)
def test_unknown_labels(uses: str) -> None:
    message = refusal(shell("n") | {"uses": f" {uses} "})
    assert message.startswith(
        f"template template.t@v1 node `n` uses unknown label `{uses}`; expected one of cap.env.builtin."
    )


def test_unknown_labels_come_with_the_likely_one() -> None:
    message = refusal(shell("n") | {"uses": "cap.env.shell.comand.run"})
    assert "; did you mean `cap.env.shell.command.run`?\n" in message


def test_blank_uses() -> None:
    assert "node `n` must declare an explicit canonical uses id" in refusal(shell("n") | {"uses": "  "})


def test_uses_is_trimmed_to_look_it_up_and_kept_as_written() -> None:
    assert only(template(shell("n") | {"uses": " cap.env.shell.command.run "})).uses == " cap.env.shell.command.run "


@pytest.mark.parametrize(
    ("uses", "kind", "declared", "required"),
    [
        ("cap.env.shell.command.run", "builtin", "environment_shell", "environment_builtin"),
        ("cap.env.builtin.git.commit", "shell", "environment_builtin", "environment_shell"),
        ("cap.env.builtin.git.commit", "custom", "environment_builtin", "environment_shell"),
        ("cap.agent.invoke", "builtin", "agent", "environment_builtin"),
        ("cap.env.shell.command.run", "agent", "environment_shell", "agent"),
    ],
)
def test_executors_on_the_wrong_kind(uses: str, kind: str, declared: str, required: str) -> None:
    message = refusal(shell("n") | {"uses": uses, "kind": kind})
    assert f"`{declared}`" in message
    assert f"kind {kind.capitalize()} requires class `{required}`" in message


def test_executor_on_a_gate() -> None:
    message = refusal(shell("n") | {"kind": "gate"})
    assert "node `n` is a gate node and cannot declare executor operation `command.run`" in message


@pytest.mark.parametrize("kind", ["builtin", "agent", "shell", "custom"])
def test_control_on_another_kind(kind: str) -> None:
    message = refusal(node("n", "control.terminal") | {"kind": kind})
    assert f"control policy `terminal`, but its kind {kind.capitalize()} is not gate" in message


@pytest.mark.parametrize("arg", ["command", "script"])
def test_control_with_a_command(arg: str) -> None:
    message = refusal(node("n", "control.gate.approval", {arg: "true"}))
    assert "control policy `gate.approval` and also sets command/script args" in message
    assert only(template(node("n", "control.gate.approval", {arg: " "}))).id == "n"
