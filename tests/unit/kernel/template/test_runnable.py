"""What fails runs and their checks, but not audits."""

import pytest

from vizier_kernel.template import TemplateError, compile_workflow

from .trees import Tree, custom, expanded, shell, template

LIMIT = 127


def test_ws_04_01_r52_pinned_head_fails_runs_and_checks_but_not_audits() -> None:
    made = expanded(template(shell("first"), shell("n", preconditions=[{"kind": "pinned_head"}])))
    for run_id in (None, "run_1"):
        with pytest.raises(TemplateError) as caught:
            compile_workflow(made, run_id=run_id)
        assert "node `n` uses unsupported scheduler precondition `pinned_head`" in str(caught.value)
    assert compile_workflow(made, runnable=False).nodes[1].schedule.preconditions[0].label == "pinned_head"


@pytest.mark.parametrize(
    ("bad", "problem"),
    [
        (shell("n" * 300), "node id that is too long: 300 bytes, at most 127"),
        (shell("é" * 64), "node id that is too long: 128 bytes"),
        (shell("n", needs=[custom("report", "k" * 128)]), "type or key is too long: 128 bytes, at most 127"),
        (shell("n", produces={"failed": [custom("t" * 128, "k")]}), "type or key is too long: 128 bytes"),
        (shell("n", "echo \0"), "node `n` has a NUL character in args.script"),
        (shell("n", gates=[{"kind": "script", "script": "a\0b"}]), "a NUL character in gates[0].script"),
        (shell("n", gates=[{"kind": "cicd", "script": "\0"}]), "a NUL character in gates[0].script"),
    ],
    ids=["id", "bytes", "needed", "produced", "argument", "script gate", "cicd gate"],
)
def test_ws_02_15_what_no_file_or_command_can_be_named_is_refused_before_it_runs(bad: Tree, problem: str) -> None:
    made = expanded(template(bad))
    with pytest.raises(TemplateError) as caught:
        compile_workflow(made)
    assert problem in str(caught.value)
    assert compile_workflow(made, runnable=False).nodes[0].id == bad["id"]


def test_ws_02_15_the_longest_names_are_fine() -> None:
    long = shell("n" * LIMIT, needs=[custom("t" * LIMIT, "é" * (LIMIT // 2))])
    assert compile_workflow(expanded(template(long)), run_id="run_1").nodes[0].id == "n" * LIMIT
