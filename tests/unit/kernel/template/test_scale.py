"""Large flows take time in proportion to their size."""

import time

import pytest

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


def seconds(size: int) -> float:
    """The best of three times to take a composed flow of this size through all steps."""
    tree = chain(size)
    root = {"id": "template.root", "version": "v1", "imports": [{"name": "stage", "path": "p"}]}
    best = float("inf")
    for _ in range(3):
        start = time.perf_counter()
        expanded = expand(compose(load(root, "/root"), lambda _path, _from: load(tree, "/part")), {"word": "x"})
        preflight(expanded, "flow")
        report = audit_workflow(compile_workflow(expanded, run_id="run_1"))
        best = min(best, time.perf_counter() - start)
        assert report.node_count == size
    return best


@pytest.mark.bench
def test_ws_04_10_four_times_the_nodes_take_about_four_times_the_time() -> None:
    assert seconds(2000) < 8 * seconds(500)
