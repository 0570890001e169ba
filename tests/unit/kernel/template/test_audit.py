"""Audit (spec 04 §19)."""

from typing import Any

import pytest

from vizier_kernel.scheduler import Lock, LockMode
from vizier_kernel.template import AuditReport, NodeLocks, UntetheredInput, audit_workflow
from vizier_kernel.workflow import PerOutcome

from . import shipped
from .trees import OUTCOMES, Tree, compiled, custom, node, plan, shell, template


def report(*nodes: Tree, **top: Any) -> AuditReport:
    return audit_workflow(compiled(template(*nodes, **top)))


def test_the_example_of_the_chapter() -> None:
    build = shell(
        "build",
        needs=[plan("plan_doc", "alpha", "draft/alpha")],
        produces={"succeeded": [custom("report", "alpha")], "failed": [custom("report", "beta")]},
        locks=[{"key": "topic:alpha", "mode": "exclusive"}, {"key": "cache", "mode": "shared"}],
    )
    both = ("custom:operation_output:build", "custom:operation_output:done")
    found = report(build, node("done", "control.terminal", after=("build",)), id="template.demo")
    assert found == AuditReport(
        template_id="template.demo",
        template_version="v1",
        node_count=2,
        output_artifacts=(*both, "custom:report:alpha", "custom:report:beta"),
        output_artifacts_by_outcome=PerOutcome(
            (*both, "custom:report:alpha"), (*both, "custom:report:beta"), both, both
        ),
        untethered_inputs=(UntetheredInput("plan_doc:alpha (draft/alpha)", ("build",)),),
        effective_locks=(
            NodeLocks("build", (Lock("cache", LockMode.SHARED), Lock("topic:alpha", LockMode.EXCLUSIVE))),
            NodeLocks("done", ()),
        ),
        failure_handlers=(),
        overruled=(),
    )


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_any_outcome_tethers_an_input(outcome: str) -> None:
    found = report(shell("a", produces={outcome: [custom("x", "k")]}), shell("b", needs=[custom("x", "k")]))
    assert found.untethered_inputs == ()
    assert [o for o, labels in found.output_artifacts_by_outcome.items() if "custom:x:k" in labels] == [outcome]


def test_inputs_are_tethered_by_exact_label() -> None:
    found = report(
        shell("a", produces={"succeeded": [custom("x", "k")]}), shell("b", needs=[custom("x", "K"), custom("y", "k")])
    )
    assert [item.artifact for item in found.untethered_inputs] == ["custom:x:K", "custom:y:k"]


def test_consumers_are_sorted_and_distinct() -> None:
    twice = [custom("x", "k"), custom("x", "k")]
    assert report(shell("z", needs=twice), shell("a", needs=twice)).untethered_inputs == (
        UntetheredInput("custom:x:k", ("a", "z")),
    )


def test_r19_two_spellings_of_a_plan_artifact_are_tethered() -> None:
    found = report(
        shell("a", produces={"succeeded": [plan("plan_doc", "s", "")]}),
        shell("b", needs=[plan("plan_doc", "s", "draft/s")]),
    )
    assert found.untethered_inputs == ()


def test_locks_are_sorted_shared_before_exclusive() -> None:
    locks = [
        {"key": "b", "mode": "exclusive"},
        {"key": "a", "mode": "exclusive"},
        {"key": "b", "mode": "shared"},
        {"key": "b", "mode": "exclusive"},
    ]
    assert report(shell("n", locks=locks)).effective_locks == (
        NodeLocks("n", (Lock("a", LockMode.EXCLUSIVE), Lock("b", LockMode.SHARED), Lock("b", LockMode.EXCLUSIVE))),
    )


def test_nodes_that_only_failures_lead_to_are_named() -> None:
    assert report(shell("a", on={"failed": ["fix"]}), shell("fix")).failure_handlers == ("fix",)


def test_the_shipped_composition_is_tethered() -> None:
    inputs = {"slug": "s", "branch": "draft/s", "target_branch": "main", "spec_text": "x"}
    found = audit_workflow(compiled(shipped.develop(), shipped.FILES, **inputs))
    assert (found.node_count, found.untethered_inputs) == (21, ())
