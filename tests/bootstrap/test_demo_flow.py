"""demo/report.hcl is a valid flow; ./demo.sh itself is run by scripts/try-minimal-root.sh."""

from pathlib import Path

from vizier_hcl import evaluate
from vizier_kernel.template import compile_workflow, compose, decode_template, expand, preflight

FLOW = Path(__file__).parents[2] / "demo" / "report.hcl"


def load(path: str, _importer: str = ""):
    return decode_template(evaluate(Path(path).read_bytes(), display_path=path).value, origin=path)


def test_demo_flow_compiles_without_a_warning_and_runs_in_the_order_it_draws():
    composed = compose(load(str(FLOW)), load)
    expanded = expand(composed, {})
    preflight(expanded, "report.hcl")
    nodes = compile_workflow(expanded, run_id="run_1").nodes
    assert composed.warnings == ()
    after = {node.id: [job_id.rpartition("-")[2] for job_id in node.schedule.after] for node in nodes}
    assert after == {
        "survey": [],
        "kinds": ["survey"],
        "history": ["survey"],
        "assemble": ["history", "kinds"],
        "check": ["assemble"],
        "link": ["assemble"],
        "commit": ["check", "link"],
        "done": ["commit"],
    }
    scripts = {node.id: node.args.get("script", "") for node in nodes}
    assert [node_id for node_id, script in scripts.items() if "${" in script] == []
    assert "printf '\\nSee also" in scripts["link"]
