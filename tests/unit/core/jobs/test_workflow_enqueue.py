"""Enqueuing runs: what is written, what a run may wait for, and that a refusal leaves nothing (spec 01 §7.3, D5)."""

import json
from pathlib import Path
from typing import Any

import pytest

from vizier_core.errors import EnqueueError
from vizier_core.jobs.context import JobsContext
from vizier_core.jobs.workflow_enqueue import EnqueuedRun, RunRequest, enqueue_workflow_runs, resolve_after
from vizier_kernel.template import CompiledWorkflow, TemplateError, compile_workflow, compose, decode_template, expand

from ..records import after, document, on_disk, put, put_text
from .fakes import FakeLauncher
from .flows import manifest, put_manifest
from .schemas import problems


@pytest.fixture(autouse=True)
def launcher(context: JobsContext) -> FakeLauncher:
    context.launcher = FakeLauncher()
    return context.launcher


def node(node_id: str, *, after: tuple[str, ...] = (), **more: Any) -> dict[str, Any]:
    return {
        "id": node_id,
        "kind": "shell",
        "uses": "cap.env.shell.command.run",
        "args": {"script": "true"},
        "after": [{"node_id": before} for before in after],
        **more,
    }


def workflow(*nodes: dict[str, Any], run_id: str = "run_1") -> CompiledWorkflow:
    def no_import(*_: object) -> Any:
        raise TemplateError("no imports here")

    tree = {"id": "template.flow", "version": "v1", "nodes": list(nodes)}
    return compile_workflow(expand(compose(decode_template(tree, origin="flow.json"), no_import), {}), run_id=run_id)


def enqueue(context: JobsContext, *nodes: dict[str, Any], run_id: str = "run_1", **request: Any) -> EnqueuedRun:
    wanted = RunRequest(run_id=run_id, workflow=workflow(*nodes, run_id=run_id), selector="file:flow.hcl", **request)
    (run,) = enqueue_workflow_runs(context, [wanted])
    return run


def files(context: JobsContext) -> list[str]:
    return sorted(str(path.relative_to(context.store.jobs_root)) for path in context.store.jobs_root.rglob("*"))


def test_a_run_and_its_first_tick(context: JobsContext, launcher: FakeLauncher) -> None:
    run = enqueue(context, node("a"), node("b", after=("a",)), command=("vizier", "run", "flow"), alias="draft")
    assert run == EnqueuedRun("run_1", ["wf-run_1-a", "wf-run_1-b"], ["wf-run_1-a"])
    assert launcher.started == ["wf-run_1-a"]
    first, second = (on_disk(context.store, job_id) for job_id in run.job_ids)
    for record in (first, second):
        assert problems("job", record) == []
        assert record["command"] == ["vizier", "run", "flow"]
        meta = record["metadata"]
        assert (meta["command_alias"], meta["workflow_run_id"], meta["workflow_node_attempt"]) == ("draft", "run_1", 1)
        assert meta["workflow_template_selector"] == "file:flow.hcl"
        assert "ephemeral_run" not in meta
    assert first["created_at"] < second["created_at"]
    assert (first["status"], second["status"]) == ("running", "waiting_on_deps")
    assert second["schedule"]["after"] == [{"job_id": "wf-run_1-a", "policy": "success"}]
    assert problems("run-manifest", json.loads(context.store.manifest_path("run_1").read_bytes())) == []


def test_without_a_command_line_the_workers_own_is_recorded(context: JobsContext) -> None:
    enqueue(context, node("a"), worker_options=("--config-file", "/c.toml"))
    record = on_disk(context.store, "wf-run_1-a")
    arguments = ["__workflow-node", "--job-id", "wf-run_1-a", "--config-file", "/c.toml"]
    assert record["child_args"] == arguments
    assert record["command"] == ["vizier", *arguments]


def test_the_enqueuing_command_s_wishes_are_in_the_first_version_of_the_records(
    context: JobsContext, launcher: FakeLauncher, monkeypatch: pytest.MonkeyPatch
) -> None:
    """WS-08-02: no tick of anybody can see a root without its gates."""
    monkeypatch.setenv("VIZIER_APPROVAL_ACTOR", "ana")
    put(context.store, document("other", "running", pid=7))
    enqueue(context, node("a"), node("b", after=("a",)), after=("other", "other"), approval=True)
    root, follower = (on_disk(context.store, f"wf-run_1-{name}") for name in "ab")
    assert root["schedule"]["after"] == after("other")
    assert (root["schedule"]["approval"]["state"], root["schedule"]["approval"]["requested_by"]) == ("pending", "ana")
    assert "approval" not in follower["schedule"]
    assert launcher.started == []


def test_approval_can_be_taken_from_roots_only(context: JobsContext) -> None:
    gate = {"gates": [{"kind": "approval", "required": True}]}
    enqueue(context, node("a", **gate), node("b", after=("a",), **gate), approval=False)
    assert "approval" not in on_disk(context.store, "wf-run_1-a")["schedule"]
    assert on_disk(context.store, "wf-run_1-b")["schedule"]["approval"]["required"] is True


# What a run may wait for


def test_references_are_trimmed_and_each_counts_once(context: JobsContext) -> None:
    for job_id in ("job-a", "job-b"):
        put(context.store, document(job_id))
    assert resolve_after(context, [" job-b ", "job-a", "job-b"]) == ["job-b", "job-a"]


def test_a_run_stands_for_its_last_jobs(context: JobsContext) -> None:
    nodes = {"a": {"succeeded": ["b"]}, "c": {}, "b": {"failed": ["a"]}}
    put_manifest(context.store, manifest(nodes))
    for job_id in nodes:
        put(context.store, document(job_id))
    assert resolve_after(context, ["c", "run: run_1 "]) == ["c", "b"]


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        (" ", "unknown --after job id: <empty>"),
        ("ghost", "unknown --after job id: ghost"),
        ("../x", "unknown --after job id: ../x"),
        ("garbled", "cannot read job record for --after garbled: "),
        ("run_2", "use `run:run_2` to wait for a run"),
        ("run:", "invalid --after reference `run:`"),
        ("run:../x", "invalid --after reference `run:../x`"),
        ("run:run_2", "--after run:run_2: manifest not found at "),
        ("run:broken", "--after run:broken: unable to parse manifest "),
        ("run:listed", "--after run:listed: unable to parse manifest "),
        ("run:nameless", "--after run:nameless: sink node `a` has an empty job_id"),
        ("run:twins", "--after run:twins: duplicate sink job_id `j`"),
        ("run:endless", "--after run:endless: run endless has no success-terminal sink nodes"),
        ("run:stale", "unknown --after job id: gone"),
    ],
)
def test_ws_01_04_ws_08_01_a_reference_that_cannot_be_resolved_leaves_nothing_behind(
    context: JobsContext, reference: str, message: str
) -> None:
    put_text(context.store, "garbled", "{")
    (context.store.jobs_root / "runs").mkdir()
    for run_id, text in {
        "broken": "{",
        "listed": '{"nodes": []}',
        "nameless": '{"nodes": {"a": {}}}',
        "twins": '{"nodes": {"a": {"job_id": "j"}, "b": {"job_id": "j"}}}',
        "endless": '{"nodes": {"a": {"job_id": "j", "routes": {"succeeded": [1]}}}}',
        "stale": '{"nodes": {"a": {"job_id": "gone"}}}',
    }.items():
        context.store.manifest_path(run_id).write_text(text)
    before = files(context)
    with pytest.raises(EnqueueError) as raised:
        enqueue(context, node("a"), after=(reference,))
    assert message in str(raised.value)
    assert files(context) == before


def test_a_run_does_not_wait_for_itself(context: JobsContext) -> None:
    put(context.store, document("wf-run_1-a"))
    with pytest.raises(EnqueueError, match="invalid --after self dependency: wf-run_1-a"):
        enqueue(context, node("a"), after=("wf-run_1-a",))


def test_ws_01_25_a_job_that_exists_is_not_overwritten(context: JobsContext) -> None:
    before = put(context.store, document("wf-run_1-a", "succeeded")).read_bytes()
    with pytest.raises(EnqueueError, match="job wf-run_1-a exists already"):
        enqueue(context, node("a"))
    assert context.store.record_path("wf-run_1-a").read_bytes() == before


def test_a_cycle_of_old_jobs_is_shown(context: JobsContext) -> None:
    for job_id, before in (("a", "b"), ("b", "c"), ("c", "b")):
        put(context.store, document(job_id, schedule={"after": after(before)}))
    with pytest.raises(EnqueueError, match="invalid --after cycle: b -> c -> b"):
        enqueue(context, node("a"), after=("a",))


def test_names_in_records_and_manifests_are_trimmed(context: JobsContext) -> None:
    for job_id, before in (("a", " b "), ("b", "a")):
        put(context.store, document(job_id, schedule={"after": after(before)}))
    with pytest.raises(EnqueueError, match="invalid --after cycle: a -> b -> a"):
        enqueue(context, node("a"), after=("a",))
    put(context.store, document("done", "succeeded"))
    (context.store.jobs_root / "runs").mkdir(exist_ok=True)
    context.store.manifest_path("run_0").write_text('{"nodes": {"a": {"job_id": " done "}}}')
    context.index.refresh(complete=True)
    assert resolve_after(context, ["run:run_0"]) == ["done"]


def test_ws_01_23_a_cycle_that_the_run_does_not_reach_is_none_of_its_business(context: JobsContext) -> None:
    for job_id, before in (("a", "b"), ("b", "a")):
        put(context.store, document(job_id, schedule={"after": after(before)}))
    put(context.store, document("fine", schedule={"after": after("done", "ghost")}))
    put(context.store, document("done", "succeeded"))
    enqueue(context, node("a"), after=("fine", "done"))


def test_a_diamond_is_no_cycle(context: JobsContext) -> None:
    for job_id, before in (("top", ()), ("left", ("top",)), ("right", ("top",)), ("bottom", ("left", "right"))):
        put(context.store, document(job_id, schedule={"after": after(*before)}))
    enqueue(context, node("a"), after=("bottom", "left"))


def test_a_long_chain_is_searched_without_recursion(context: JobsContext) -> None:
    for number in range(1500):
        put(
            context.store,
            document(f"j{number}", "succeeded", schedule={"after": after(f"j{number - 1}") if number else []}),
        )
    enqueue(context, node("a"), after=("j1499",))


def test_several_runs_are_ticked_once_in_their_order(context: JobsContext, launcher: FakeLauncher) -> None:
    requests = [
        RunRequest(run_id=run_id, workflow=workflow(node("a"), run_id=run_id), selector="s", after=before)
        for run_id, before in (("run_1", ()), ("run_2", ("run:run_1",)))
    ]
    first, second = enqueue_workflow_runs(context, requests)
    assert on_disk(context.store, second.job_ids[0])["schedule"]["after"] == after(*first.job_ids)
    assert launcher.started == first.job_ids


def test_an_unsupported_precondition_is_refused_before_anything_is_written(context: JobsContext) -> None:
    """WS-08-03: also when the node that has it is not the first."""
    before = files(context)
    pinned = node("b", preconditions=[{"kind": "pinned_head"}])
    with pytest.raises(
        (EnqueueError, TemplateError), match="unsupported scheduler precondition `pinned_head`"
    ) as raised:
        enqueue(context, node("a"), pinned)
    assert "b" in str(raised.value)
    assert files(context) == before


def test_nothing_lies_outside_of_the_jobs_root(context: JobsContext, root: Path) -> None:
    enqueue(context, node("a"))
    assert sorted(path.name for path in root.iterdir()) == [".git", ".vizier"]
    assert [path.name for path in (root / ".vizier").iterdir()] == ["jobs"]
