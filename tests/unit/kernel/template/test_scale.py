"""Large flows take time in proportion to their size."""

import sys
from types import FrameType
from typing import Any

from vizier_kernel.template import audit_workflow, compile_workflow, compose, expand, preflight

from .trees import Tree, custom, load, node


def chain(size: int) -> Tree:
    """A flow in which every node has needs, products, gates, placeholders, two predecessors and a successor."""
    return {
        "id": "template.large",
        "version": "v1",
        "params": {"word": "w", "branch": "b"},
        "artifact_contracts": [{"id": "report", "schema": {"type": "object", "required": ["key"]}}],
        "nodes": [
            node(
                f"n{i}",
                args={"script": f"echo ${{word}} {i}", "branch": "${branch}"},
                after=(f"n{i - 2}",) if i >= 2 else (),
                on={"succeeded": [f"n{i + 1}"] if i + 1 < size else []},
                needs=[custom("report", f"k{i - 1}")],
                produces={"succeeded": [custom("report", f"k{i}")]},
                gates=[{"kind": "script", "script": "${word}"}],
                retry={"mode": "on_failure", "budget": "3"},
            )
            for i in range(size)
        ],
    }


def steps(size: int) -> int:
    """How many lines of code run while a composed flow of this size goes through all steps."""
    count = 0

    def trace(_frame: FrameType, event: str, _value: object) -> Any:
        nonlocal count
        count += event == "line"
        return trace

    tree = chain(size)
    root = {"id": "template.root", "version": "v1", "imports": [{"name": "stage", "path": "p"}]}
    tracer_before = sys.gettrace()
    sys.settrace(trace)
    try:
        expanded = expand(compose(load(root, "/root"), lambda _path, _from: load(tree, "/part")), {"word": "x"})
        preflight(expanded, "flow")
        report = audit_workflow(compile_workflow(expanded, run_id="run_1"))
    finally:
        sys.settrace(tracer_before)
    assert report.node_count == size
    return count


def test_ws_04_10_twice_the_nodes_take_twice_the_steps() -> None:
    assert steps(400) < 2.2 * steps(200)
