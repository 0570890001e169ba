"""Rules about how gates and the operations around them are wired (spec 04 §13.4)."""

from typing import Any

import pytest

from .trees import BUILTIN, OUTCOMES, Tree, compiled, node, refusal, shell, template

SCRIPT = {"kind": "script", "script": "true"}
CICD = {"kind": "cicd", "script": "true"}
AUTO = CICD | {"auto_resolve": True}
UNTIL = {"mode": "until_gate", "budget": 2}
RESOLVE = {"kind": "custom", "id": "conflict_resolution", "args": {"auto_resolve": "true"}}


def commit(node_id: str = "save", **more: Any) -> Tree:
    return node(node_id, BUILTIN + "git.commit", {"message": "m"}, **more)


def stage_commit(**more: Any) -> Tree:
    return node("save", BUILTIN + "git.stage_commit", **more)


def stop(node_id: str = "stop", **more: Any) -> Tree:
    return node(node_id, "control.gate.stop_condition", **more)


def integrate(node_id: str = "merge", **more: Any) -> Tree:
    return node(node_id, BUILTIN + "git.integrate_plan_branch", {"branch": "b"}, **more)


def conflict(node_id: str = "fix", args: dict[str, str] | None = None, **more: Any) -> Tree:
    return node(node_id, "control.gate.conflict_resolution", args, **more)


def ci(node_id: str = "ci", **more: Any) -> Tree:
    return node(node_id, "control.gate.cicd", **{"gates": [CICD], **more})


def to(*targets: str, **more: list[str]) -> Tree:
    return {"succeeded": list(targets), **more}


@pytest.mark.parametrize(
    "nodes",
    [
        [commit(on=to("stop")), stop()],
        [commit(on=to("stop")), stop(gates=[SCRIPT])],
        [commit(on=to("stop")), stop(gates=[SCRIPT], retry=UNTIL, on={"failed": ["save"]})],
        [commit(on=to("stop")), stop(retry=UNTIL)],
        [stage_commit()],
        [stage_commit(gates=[SCRIPT], on=to("stop")), stop()],
        [stage_commit(on=to("stop")), stop(gates=[SCRIPT], retry=UNTIL, on={"failed": ["x", "save"]}), shell("x")],
        [stage_commit(on=to("ask", "x")), node("ask", "control.gate.approval", gates=[SCRIPT]), shell("x")],
        [
            stage_commit(on=to("approve_gate_stop_condition")),
            node("approve_gate_stop_condition", "control.gate.approval"),
        ],
        [integrate()],
        [integrate(on={"blocked": ["fix"]}), conflict()],
        [integrate(on={"blocked": ["fix", "x"]}), conflict(), shell("x")],
        [integrate(on={"blocked": ["fix"]}), conflict(args={"auto_resolve": "off"}, gates=[RESOLVE])],
        [integrate(on={"blocked": ["fix"]}), conflict(args={"auto_resolve": "ON"}, on=to("merge"))],
        [integrate(on={"blocked": ["fix"]}), conflict(args={"auto_resolve": "maybe"}, gates=[RESOLVE], on=to("merge"))],
        [integrate(on={"blocked": ["ask"]}), node("ask", "control.gate.approval", gates=[RESOLVE])],
        [integrate(on=to("ci")), ci()],
        [integrate(gates=[CICD], on=to("ci")), ci()],
        [integrate(on=to("ask")), node("ask", "control.gate.approval", gates=[CICD])],
        [integrate(on=to("ci")), ci(gates=[AUTO], on={"failed": ["ci"]})],
        [shell("start", on=to("ci")), ci(gates=[AUTO], on={"failed": ["start"]})],
        [ci(args={"auto_resolve": "true"})],
        [node("ask", "control.gate.approval", on=to("end", failed=["ask"])), node("end", "control.terminal")],
    ],
)
def test_what_is_accepted(nodes: list[Tree]) -> None:
    assert len(compiled(template(*nodes)).nodes) == len(nodes)


@pytest.mark.parametrize(
    ("nodes", "message"),
    [
        (
            [stage_commit(gates=[SCRIPT, SCRIPT])],
            "contract `git.stage_commit` node `save` defines multiple script gates",
        ),
        ([stage_commit(on=to("x")), shell("x")], "none resolve to a stop-condition gate"),
        ([stage_commit(on=to("x")), shell("x", gates=[SCRIPT])], "none resolve to a stop-condition gate"),
        ([stage_commit(on=to("a", "b")), stop("a"), stop("b")], "has ambiguous stop-condition targets: a, b"),
        (
            [stage_commit(on=to("approve_gate_stop_condition")), shell("approve_gate_stop_condition")],
            "whose kind is not gate",
        ),
        (
            [stage_commit(on=to("ask")), node("ask", "control.gate.approval", gates=[SCRIPT, SCRIPT])],
            "which defines multiple script gates",
        ),
        (
            [stage_commit(on=to("ask")), node("ask", "control.gate.approval", gates=[SCRIPT], retry=UNTIL)],
            "on.failed does not route back to `save`",
        ),
        ([stop()], "contract `gate.stop_condition` node `stop` is not targeted from any git.commit on.succeeded edge"),
        ([shell("a", on=to("stop")), stop()], "is not targeted from any git.commit on.succeeded edge"),
        ([commit(on={"failed": ["stop"]}), stop()], "is not targeted from any git.commit on.succeeded edge"),
        ([commit(on=to("stop")), stop(gates=[SCRIPT, SCRIPT])], "node `stop` defines multiple script gates"),
        (
            [commit("b", on=to("stop")), commit("a", on=to("stop")), stop()],
            "is targeted by multiple commit nodes: b, a",
        ),
        ([commit(on=to("stop")), stop(gates=[SCRIPT], retry=UNTIL)], "on.failed does not route back to `save`"),
        (
            [commit(on=to("stop")), stop(gates=[SCRIPT], retry=UNTIL, on={"failed": ["x"]}), shell("x")],
            "on.failed does not route back to `save`",
        ),
        (
            [integrate(gates=[CICD, CICD])],
            "contract `git.integrate_plan_branch` node `merge` defines multiple cicd gates",
        ),
        (
            [integrate(on={"blocked": ["a", "b"]}), conflict("a"), conflict("b")],
            "has ambiguous conflict-resolution targets: a, b",
        ),
        (
            [integrate(on={"blocked": ["merge_conflict_resolution"]}), shell("merge_conflict_resolution")],
            "conflict-resolution node `merge_conflict_resolution`, whose kind is not gate",
        ),
        (
            [integrate(on={"blocked": ["x"]}), shell("x", gates=[RESOLVE])],
            "conflict-resolution node `x`, whose kind is not gate",
        ),
        ([integrate(on=to("ci", "x")), ci(), shell("x", gates=[CICD])], "has ambiguous cicd gate targets: ci, x"),
        (
            [integrate(on=to("merge_gate_cicd")), shell("merge_gate_cicd")],
            "cicd node `merge_gate_cicd`, whose kind is not gate",
        ),
        (
            [integrate(on=to("merge_gate_cicd")), node("merge_gate_cicd", "control.gate.approval")],
            "must define exactly one cicd gate",
        ),
        (
            [integrate(on=to("ask")), node("ask", "control.gate.approval", gates=[AUTO])],
            "on.failed does not return to the gate",
        ),
        (
            [conflict()],
            "`gate.conflict_resolution` node `fix` is not targeted from any git.integrate_plan_branch on.blocked edge",
        ),
        ([integrate(on={"failed": ["fix"]}), conflict()], "is not targeted from any"),
        (
            [integrate("m1", on={"blocked": ["fix"]}), integrate("m2", on={"blocked": ["fix"]}), conflict()],
            "is targeted by multiple integrate nodes: m1, m2",
        ),
        (
            [integrate(on={"blocked": ["fix"]}), conflict(args={"auto_resolve": "yes"})],
            "on.succeeded does not route back to `merge`",
        ),
        (
            [integrate(on={"blocked": ["fix"]}), conflict(gates=[RESOLVE])],
            "on.succeeded does not route back to `merge`",
        ),
        (
            [integrate(on={"blocked": ["fix"]}), conflict(gates=[RESOLVE, RESOLVE | {"policy": "warn"}])],
            "defines multiple conflict_resolution gates",
        ),
        ([ci(gates=[])], "contract `gate.cicd` node `ci` must define exactly one cicd gate"),
        ([ci(gates=[CICD, CICD])], "must define exactly one cicd gate"),
        ([ci(gates=[AUTO])], "on.failed does not return to the gate"),
        ([ci(gates=[AUTO], on={"failed": ["x"]}), shell("x")], "on.failed does not return to the gate"),
        (
            [node("end", "control.terminal", on={"cancelled": ["x"]}), shell("x")],
            "contract `terminal` node `end` must not declare outgoing routes",
        ),
    ],
)
def test_what_is_refused(nodes: list[Tree], message: str) -> None:
    assert message in refusal(*nodes)


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_inspected_routes_must_lead_somewhere(outcome: str) -> None:
    assert f"node `merge` references unknown on.{outcome} target `gone`" in refusal(integrate(on={outcome: ["gone"]}))


def test_inspected_routes_are_looked_up_before_later_rules() -> None:
    gate = stop(gates=[SCRIPT], retry=UNTIL, on={"failed": ["gone", "save"]})
    later = node("later")
    assert "references unknown on.failed target `gone`" in refusal(commit(on=to("stop")), gate, later)
    assert "requires args.command" in refusal(commit(on=to("stop")), stop(on={"failed": ["gone"]}), later)
