"""Run manifests (spec 02 §9)."""

import json
from pathlib import Path

import pytest

from vizier_core.errors import InvalidIdError, MalformedFileError, ManifestError
from vizier_core.jobs.manifest import manifest_text, read_manifest
from vizier_core.jobs.store import JobStore

from .flows import RUN, manifest, put_manifest
from .schemas import problems

EXAMPLE = Path(__file__).parent / "examples" / "run-manifest.json"


def put(store: JobStore, text: str) -> Path:
    path = store.manifest_path(RUN)
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    return path


def test_what_is_written_is_read_back_and_as_the_schema_says(store: JobStore) -> None:
    run = put_manifest(store, manifest({"b": {"failed": ["a"]}, "a": {"succeeded": ["b"]}}))
    assert read_manifest(store, RUN) == run
    assert problems("run-manifest", json.loads(store.manifest_path(RUN).read_bytes())) == []


def test_nodes_and_arguments_ascend() -> None:
    plain = json.loads(manifest_text(manifest({"b": {}, "a": {}, "B": {}})))
    assert list(plain["nodes"]) == ["B", "a", "b"]


def test_a_missing_manifest_is_named(store: JobStore) -> None:
    with pytest.raises(ManifestError, match=f"manifest not found: {store.manifest_path(RUN)}"):
        read_manifest(store, RUN)


@pytest.mark.parametrize("run_id", ["", "..", "../run_1", "a/b", "a\0b"])
def test_ws_02_09_r11_a_run_id_that_leads_elsewhere_is_refused(store: JobStore, run_id: str) -> None:
    with pytest.raises(InvalidIdError, match="invalid run id"):
        read_manifest(store, run_id)


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("", "line 1 column 1"),
        ("{}", "missing required field `run_id`"),
        (EXAMPLE.read_text().replace('"gate"', '"cake"'), "cake"),
        (EXAMPLE.read_text().replace('"args": {}', '"args": {"n": 1}'), "args"),
        (EXAMPLE.read_text().replace('"retry_job"', '"restart"'), "restart"),
        (EXAMPLE.read_text().replace('"budget": 2', '"budget": 2, "budget": 3'), "duplicate key `budget`"),
    ],
)
def test_a_manifest_that_cannot_be_read_is_named_with_what_is_wrong(store: JobStore, text: str, cause: str) -> None:
    path = put(store, text)
    with pytest.raises(MalformedFileError) as raised:
        read_manifest(store, RUN)
    assert cause in raised.value.cause
    assert str(path) in str(raised.value)


def test_a_manifest_that_changed_is_read_again(store: JobStore) -> None:
    put_manifest(store, manifest({"a": {}}))
    assert list(read_manifest(store, RUN).nodes) == ["a"]
    put_manifest(store, manifest({"a": {}, "b": {}}))
    assert list(read_manifest(store, RUN).nodes) == ["a", "b"]
    store.manifest_path(RUN).unlink()
    with pytest.raises(ManifestError):
        read_manifest(store, RUN)


def test_the_smallest_node_has_defaults(store: JobStore) -> None:
    node = {
        "node_id": "a",
        "job_id": "j",
        "uses": "u",
        "kind": "shell",
        "args": {"x": " ", "y": " value "},
        "retry": {},
        "routes": {},
    }
    top = dict.fromkeys(("template_selector", "template_id", "template_version", "policy_snapshot_hash"), "t")
    put(store, json.dumps({"run_id": RUN, **top, "nodes": {"a": node}}))
    found = read_manifest(store, RUN)
    assert (found.ephemeral, found.ephemeral_baseline, found.job_ids) == (False, None, ["j"])
    only = found.nodes["a"]
    assert (only.name, only.gates, only.retry.budget, only.routes.all()) == (None, (), 0, ())
    assert (only.arg("x"), only.arg("x", "y"), only.arg("z"), only.label) == (None, "value", None, "unknown")
