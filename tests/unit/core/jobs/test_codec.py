"""JSON documents to typed values and back: nothing is lost, nothing doubtful is accepted (spec 02 §§3-11, R75)."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vizier_core.errors import MalformedFileError
from vizier_core.jobs.codec import from_document, parse_document, pretty, rewritten, to_plain
from vizier_core.jobs.manifest import RunManifest, manifest_text
from vizier_core.jobs.model import OUTCOME_FIELDS, JobRecord
from vizier_core.jobs.store import decode_record
from vizier_core.timestamp import Timestamp
from vizier_kernel.artifacts import Artifact, ArtifactKind

from ..records import document, text_of
from .schemas import anything, documents, problems, texts

EXAMPLES = Path(__file__).parent / "examples"
PATH = Path("/project/.vizier/jobs/job-min/job.json")


def example(name: str) -> bytes:
    return (EXAMPLES / f"{name}.json").read_bytes()


def path_of(record: dict[str, Any]) -> Path:
    return PATH.parents[1] / record["id"] / "job.json"


def decoded(record: dict[str, Any]) -> JobRecord:
    return decode_record(record, path_of(record))


def written(record: JobRecord, source: dict[str, Any] | None = None) -> Any:
    """What is written for a record that was read from `source`."""
    return json.loads(pretty(to_plain(record) if source is None else rewritten(source, decoded(source), record)))


# The examples of the specification


@pytest.mark.parametrize("path", sorted(EXAMPLES.iterdir()), ids=lambda path: path.stem)
def test_every_example_is_laid_out_as_all_files_are(path: Path) -> None:
    data = path.read_bytes()
    assert pretty(parse_document(data, path)) == data


def test_a_finished_job_round_trips_byte_for_byte() -> None:
    data = example("job-finished")
    record = decoded(json.loads(data))
    assert pretty(to_plain(record)) == data
    assert pretty(rewritten(json.loads(data), record, record)) == data


def test_a_schedule_with_every_part_round_trips_byte_for_byte() -> None:
    record = decoded(document(schedule=json.loads(example("schedule-complete"))))
    assert pretty(to_plain(record)["schedule"]) == example("schedule-complete")


def test_an_outcome_round_trips_byte_for_byte() -> None:
    record = decoded(json.loads(example("outcome")))
    plain = to_plain(record)
    assert pretty({name: plain[name] for name in OUTCOME_FIELDS}) == example("outcome")


def test_a_manifest_round_trips_byte_for_byte() -> None:
    data = example("run-manifest")
    assert manifest_text(from_document(json.loads(data), RunManifest, PATH)) == data


def test_the_smallest_record_is_accepted_and_written_with_all_its_keys() -> None:
    record = decoded(json.loads(example("job-smallest")))
    assert (record.child_args, record.schedule, record.metadata) == ((), None, None)
    assert written(record) == {
        **json.loads(example("job-smallest")),
        **dict.fromkeys(("started_at", "finished_at", "pid", "exit_code", "session_path", "outcome_path")),
        **dict.fromkeys(("metadata", "config_snapshot", "schedule")),
        "child_args": [],
    }


def test_a_schedule_of_nothing_is_written_with_what_is_always_written() -> None:
    schedule = written(decoded(document(schedule={})))["schedule"]
    assert schedule == {
        **{key: [] for key in ("after", "dependencies", "locks", "artifacts", "preconditions", "waited_on")},
        **dict.fromkeys(("pinned_head", "wait_reason")),
    }


# The schemas


@given(documents("job-read"))
def test_everything_the_schema_accepts_is_accepted_and_written_as_the_schema_says(record: Any) -> None:
    meta = record.get("metadata") or {}
    if meta.get("workflow_node_outcome") not in {None, "succeeded", "failed", "blocked", "cancelled"}:
        meta["workflow_node_outcome"] = None  # what others say is the matter of a test of its own
    record["id"] = "job-a"
    assert problems("job-read", record) == []
    document_written = written(decoded(record))
    assert problems("job", document_written) == []
    assert decoded(document_written) == decoded(record)


@given(documents("run-manifest-read"))
def test_every_manifest_the_schema_accepts_is_accepted_and_written_as_the_schema_says(manifest: Any) -> None:
    manifest["policy_snapshot_hash"] = "0" * 64
    typed = from_document(manifest, RunManifest, PATH)
    text = json.loads(manifest_text(typed))
    assert problems("run-manifest", text) == []
    assert from_document(text, RunManifest, PATH) == typed


def test_an_outcome_that_we_do_not_know_is_no_reason_to_lose_the_record() -> None:
    decoded(document(metadata={"workflow_node_outcome": "timed_out"}))


def test_the_schemas_are_not_toothless() -> None:
    assert problems("job", document())
    assert problems("job-read", document(status="asleep"))


# What makes a document malformed


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("", "line 1 column 1"),
        ("{", "line 1 column 2"),
        ("{} {}", "Extra data at line 1 column 4"),
        ("[]", "expected a JSON object"),
        ("null", "expected a JSON object"),
        ('{"id": 1,}', "line 1 column 10"),
        ('{"id": "a", "id": "b"}', "duplicate key `id`"),
        ('{"a": {"b": [{"c": 1, "c": 1}]}}', "duplicate key `c`"),
        ('{"a": NaN}', "`NaN` is not JSON"),
        ('{"a": -Infinity}', "`-Infinity` is not JSON"),
        ("\ufeff{}", "BOM"),
        ("{'id': 1}", "line 1 column 2"),
    ],
)
def test_what_is_no_json_object_is_malformed(text: str, cause: str) -> None:
    with pytest.raises(MalformedFileError) as raised:
        parse_document(text.encode(), PATH)
    assert cause in raised.value.cause
    assert str(PATH) in str(raised.value)


def test_bytes_that_are_no_utf_8_are_malformed() -> None:
    with pytest.raises(MalformedFileError, match="not valid UTF-8 at byte 7"):
        parse_document(b'{"id": \xff}', PATH)


@pytest.mark.parametrize("opening", ["[", '{"a":'])
@pytest.mark.parametrize("depth", [1_000, 100_000])
def test_any_depth_is_an_error_not_a_crash(opening: str, depth: int) -> None:
    with pytest.raises(MalformedFileError):
        parse_document((opening * depth).encode(), PATH)


MALFORMED: dict[str, tuple[dict[str, Any], list[str]]] = {
    "label": ({"status": "asleep"}, ["asleep", "`status`"]),
    "label inside": ({"schedule": {"waited_on": ["luck"]}}, ["luck", "schedule.waited_on[0]"]),
    "number for text": ({"stdout_path": 1}, ["`str`", "`int`", "`stdout_path`"]),
    "text for list": ({"command": "vizier run"}, ["`array`", "`command`"]),
    "number in list": ({"command": ["vizier", 1]}, ["`command[1]`"]),
    "float for number": ({"pid": 1.0}, ["`int | null`", "`pid`"]),
    "boolean for number": ({"exit_code": True}, ["`exit_code`"]),
    "pid too large": ({"pid": 2**32}, ["`pid`"]),
    "pid too small": ({"pid": -1}, ["`pid`"]),
    "exit code too large": ({"exit_code": 2**31}, ["`exit_code`"]),
    "attempt too large": ({"metadata": {"workflow_node_attempt": 2**32}}, ["metadata.workflow_node_attempt"]),
    "time": ({"started_at": "yesterday"}, ["yesterday", "`started_at`"]),
    "time as number": ({"started_at": 1}, ["`started_at`"]),
    "null for required": ({"id": None}, ["`id`"]),
    "null for list": ({"child_args": None}, ["`child_args`"]),
    "schedule": ({"schedule": []}, ["`schedule`"]),
    "policy label": (
        {"schedule": {"after": [{"job_id": "x", "policy": "luck"}]}},
        ["luck", "schedule.after[0].policy"],
    ),
    "after without id": ({"schedule": {"after": [{}]}}, ["`job_id`", "schedule.after[0]"]),
    "lock mode": ({"schedule": {"locks": [{"key": "k", "mode": "both"}]}}, ["both", "schedule.locks[0].mode"]),
    "null policy": ({"schedule": {"dependency_policy": None}}, ["schedule.dependency_policy"]),
    "precondition": ({"schedule": {"preconditions": [{"kind": "pinned_head"}]}}, ["pinned_head", "preconditions[0]"]),
    "precondition without kind": ({"schedule": {"preconditions": [{}]}}, ["`kind`", "preconditions[0]"]),
    "approval without state": (
        {"schedule": {"approval": {"requested_at": "2026-03-04T09:15:02Z"}}},
        ["`state`", "schedule.approval"],
    ),
    "artifact tag": ({"schedule": {"artifacts": [{"cake": {}}]}}, ["cake", "schedule.artifacts[0]"]),
    "artifact of two kinds": (
        {"schedule": {"artifacts": [{"custom": {}, "target_branch": {}}]}},
        ["custom, target_branch", "schedule.artifacts[0]"],
    ),
    "artifact of no kind": ({"schedule": {"artifacts": [{}]}}, ["none", "schedule.artifacts[0]"]),
    "artifact field": (
        {"schedule": {"dependencies": [{"artifact": {"custom": {"type_id": "t"}}}]}},
        ["`key`", "schedule.dependencies[0].artifact"],
    ),
    "artifact value": (
        {"schedule": {"artifacts": [{"target_branch": {"name": None}}]}},
        ["`name` must be a string, got null", "schedule.artifacts[0]"],
    ),
    "artifact body": ({"schedule": {"artifacts": [{"custom": "t"}]}}, ["an object, got a string", "artifacts[0]"]),
    "cleanup state": ({"metadata": {"ephemeral_cleanup_state": "soon"}}, ["soon", "metadata.ephemeral_cleanup_state"]),
}


@pytest.mark.parametrize(("wrong", "named"), MALFORMED.values(), ids=MALFORMED)
def test_what_does_not_fit_is_malformed_and_named(wrong: dict[str, Any], named: list[str]) -> None:
    with pytest.raises(MalformedFileError) as raised:
        decode_record({**document(), **wrong}, path_of(document()))
    for part in named:
        assert part in raised.value.cause


@pytest.mark.parametrize("key", ["id", "status", "command", "created_at", "stdout_path", "stderr_path"])
def test_a_missing_key_is_named(key: str) -> None:
    record = document()
    del record[key]
    with pytest.raises(MalformedFileError, match=f"missing required field `{key}`"):
        decode_record(record, path_of(document()))


@pytest.mark.parametrize(
    "key",
    [
        *("after", "dependencies", "locks", "artifacts", "preconditions", "waited_on"),
        *("dependency_policy", "pinned_head", "approval", "wait_reason"),
    ],
)
def test_null_is_absence_for_objects_and_an_error_for_lists_and_the_policy(key: str) -> None:
    record = document(schedule={key: None})
    if key in {"pinned_head", "approval", "wait_reason"}:
        assert decoded(record) == decoded(document(schedule={}))
    else:
        with pytest.raises(MalformedFileError, match=f"schedule.{key}"):
            decoded(record)


def test_ws_02_08_a_record_in_the_directory_of_another_id_is_malformed() -> None:
    with pytest.raises(MalformedFileError, match=r"its id is `job-b`, expected the name of its directory"):
        decode_record(document("job-b"), PATH)


# Rewriting keeps what it does not know


def every_object(value: Any) -> list[dict[str, Any]]:
    """The objects in a record that may have further keys: not the one-key wrappers of artifacts, not plain maps."""
    if isinstance(value, list):
        return [found for item in value for found in every_object(item)]
    if not isinstance(value, dict):
        return []
    inside = [found for key, item in value.items() if key != "args" for found in every_object(item)]
    return inside if set(value) & {kind.tag for kind in ArtifactKind} else [value, *inside]


COMPLETE = {
    **json.loads(example("job-finished")),
    "config_snapshot": {"any": [{"thing": None}]},
    "schedule": json.loads(example("schedule-complete")),
}


@st.composite
def records_with_unknown_keys(draw: st.DrawFn) -> dict[str, Any]:
    record: dict[str, Any] = json.loads(json.dumps(COMPLETE))
    objects = every_object(record)
    for number in range(draw(st.integers(1, 6))):
        chosen = draw(st.sampled_from(objects))
        place = draw(st.integers(0, len(chosen)))
        items = list(chosen.items())
        items.insert(place, (f"unknown {number}{draw(texts)}", draw(anything)))
        chosen.clear()
        chosen.update(items)
    return record


@given(records_with_unknown_keys())
def test_ws_02_06_unknown_keys_survive_in_their_places_at_every_depth(source: dict[str, Any]) -> None:
    record = decoded(source)
    assert text_of(written(record, source)) == text_of(source)
    ended = record.evolve(exit_code=7).with_metadata(plan="p").with_schedule(waited_on=())
    expected = {**source, "exit_code": 7}
    expected["metadata"] = {**source["metadata"], "plan": "p"}
    expected["schedule"] = {**source["schedule"], "waited_on": []}
    assert text_of(written(ended, source)) == text_of(expected)


@given(records_with_unknown_keys())
def test_ws_01_35_unknown_keys_survive_a_rewind_of_the_record(source: dict[str, Any]) -> None:
    """Keys that are left out while they have no value go; everything unknown beside them stays."""
    fresh = decoded(source).with_schedule(approval=None, wait_reason=None).evolve(outcome_path=None)
    result = written(fresh, source)
    assert "approval" not in result["schedule"]
    for key, value in [*source.items(), *source["metadata"].items(), *source["schedule"].items()]:
        if key.startswith("unknown"):
            assert value in [result.get(key), result["metadata"].get(key), result["schedule"].get(key)]


def test_legacy_keys_survive() -> None:
    source = document(metadata={"workflow_capability_id": "cap.old", "plan": "p"})
    assert written(decoded(source), source)["metadata"]["workflow_capability_id"] == "cap.old"


def test_keys_that_were_missing_are_added_where_the_tables_have_them() -> None:
    source = json.loads(example("job-smallest"))
    keys = list(written(decoded(source), {"extra": 1, **source}))
    assert keys == ["extra", *json.loads(example("job-finished"))]


def test_a_record_that_was_written_by_hand_gets_the_order_of_the_tables() -> None:
    source = {"first": 0, **dict(reversed(json.loads(example("job-finished")).items())), "last": 1}
    source["schedule"] = {"x": 1, **dict(reversed(source["schedule"].items()))}
    source["metadata"] = dict(reversed(source["metadata"].items()))
    result = written(decoded(source).evolve(exit_code=7), source)
    expected = json.loads(example("job-finished"))
    # What is not known stays behind the key that it stood behind: the last of the file was `id`.
    assert list(result) == ["first", "id", "last", *list(expected)[1:]]
    assert list(result["metadata"]) == list(expected["metadata"])
    assert list(result["schedule"]) == ["x", *expected["schedule"]]


def test_entries_of_lists_keep_their_unknown_keys_when_others_come_and_go() -> None:
    locks = [{"key": name, "mode": "shared", "note": name} for name in "abc"]
    source = document(schedule={"locks": locks})
    record = decoded(source)
    kept = record.with_schedule(locks=record.scheduling.locks[1:])
    assert written(kept, source)["schedule"]["locks"] == locks[1:]


@pytest.mark.parametrize(
    "preconditions",
    [
        [{"kind": "branch_exists", "branch": "main"}, {"kind": "branch_exists"}],
        [{"kind": "custom", "id": "i", "args": {"branch": "b"}}, {"kind": "custom", "id": "i", "args": {}}],
    ],
)
def test_a_rewrite_does_not_change_what_an_entry_of_a_list_says(preconditions: list[dict[str, Any]]) -> None:
    source = document(schedule={"preconditions": preconditions})
    assert written(decoded(source), source)["schedule"]["preconditions"] == preconditions


@pytest.mark.parametrize(
    ("key", "entries"),
    [
        ("locks", [{"key": "k", "mode": "shared", "x": 1}, {"key": "k", "mode": "shared", "x": 2}]),
        ("after", [{"job_id": "a", "x": 1}]),
        ("preconditions", [{"kind": "custom", "id": "i", "x": 1}]),
    ],
    ids=["twins", "default left out", "default map left out"],
)
def test_unknown_keys_of_list_entries_survive(key: str, entries: list[dict[str, Any]]) -> None:
    source = document(schedule={key: entries})
    result = written(decoded(source), source)["schedule"][key]
    assert [entry.get("x") for entry in result] == [entry["x"] for entry in entries]


def test_unknown_keys_beside_a_default_policy_survive() -> None:
    source = document(schedule={"dependency_policy": {"missing_producer": "block", "x": 1}})
    assert written(decoded(source), source)["schedule"]["dependency_policy"]["x"] == 1


def test_a_number_too_large_for_a_float_does_not_make_the_record_unreadable() -> None:
    text = text_of(document()).removesuffix("}") + ', "unknown": 1e999}'
    try:
        source = parse_document(text.encode(), PATH)
    except MalformedFileError:
        return  # refusing it at once is as good
    parse_document(pretty(rewritten(source, decoded(source), decoded(source))), PATH)


@pytest.mark.parametrize(("text", "good"), [("\ud800", False), ("caf\udce9", True)])
def test_ws_01_17_an_artifact_that_nothing_can_be_named_after_is_malformed(text: str, good: bool) -> None:
    source = document(schedule={"artifacts": [{"custom": {"type_id": "t", "key": text}}]})
    if good:
        assert decoded(source).scheduling.artifacts[0].second == text
    else:
        with pytest.raises(MalformedFileError, match="half of a character pair"):
            decoded(source)


def test_a_lone_surrogate_survives_as_the_escape_it_was() -> None:
    text = text_of(document()).removesuffix("}") + ', "unknown": "\\ud83d"}'
    source = parse_document(text.encode(), PATH)
    # As ASCII, because the report of a failure cannot hold the character itself.
    assert ascii(written(decoded(source), source)["unknown"]) == ascii("\ud83d")


def test_a_value_as_deep_as_the_parser_accepts_can_be_written_again() -> None:
    depth = 900
    text = text_of(document()).removesuffix("}") + f', "config_snapshot": {"[" * depth}{"]" * depth}}}'
    try:
        source = parse_document(text.encode(), PATH)
    except MalformedFileError:
        return  # refusing it at once is as good
    pretty(rewritten(source, decoded(source), decoded(source)))


# Text


def test_text_is_raw_utf_8_without_a_line_end() -> None:
    assert pretty({"ü": "→\t", "e": [], "o": {}}) == '{\n  "ü": "→\\t",\n  "e": [],\n  "o": {}\n}'.encode()


def test_an_argument_that_is_no_utf_8_does_not_make_the_file_invalid() -> None:
    parse_document(pretty({"command": ["caf\udce9"]}), PATH)


@given(st.builds(Artifact, st.sampled_from(ArtifactKind), texts, texts))
def test_artifacts_are_objects_with_one_key(artifact: Artifact) -> None:
    artifact = Artifact.from_plain(to_plain(artifact))
    assert list(to_plain(artifact)) == [artifact.kind.tag]
    assert Artifact.from_plain(to_plain(artifact)) == artifact


def test_times_are_written_in_record_form() -> None:
    assert to_plain({"at": [Timestamp.parse("2026-03-04 10:15:02.5+01:00")]}) == {"at": ["2026-03-04T09:15:02.500Z"]}


def test_times_are_put_into_record_form_by_every_rewrite() -> None:
    """Unlike everything else that has not changed, which stays as it was written (spec 02 §3.2)."""
    source = document(created_at="2026-03-04 10:15:02.5+01:00", summary=None)
    again = json.loads(pretty(rewritten(source, decoded(source), decoded(source))))
    assert again["created_at"] == "2026-03-04T09:15:02.500Z"
