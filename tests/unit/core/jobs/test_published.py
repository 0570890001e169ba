"""Markers and payloads of custom artifacts (spec 02 §10, decision D13)."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vizier_core.errors import MalformedFileError
from vizier_core.jobs.published import (
    is_published,
    latest_payload,
    marker_directory,
    payload_path,
    payload_text,
    publish,
    unpublish,
    write_payload,
)
from vizier_core.jobs.store import JobStore
from vizier_kernel.artifacts import Artifact, ArtifactKind

from ..records import text_of
from .schemas import problems

TOKEN = Artifact.custom("prompt_text", "main")
OTHER = Artifact.custom("prompt_text", "other")
BRANCH = Artifact(ArtifactKind.TARGET_BRANCH, "main")


def marker(store: JobStore, job_id: str, artifact: Artifact = TOKEN) -> Path:
    return marker_directory(store, artifact) / f"{job_id}.json"


def published_at(store: JobStore, job_id: str, written_at: str, text: str | None = None) -> None:
    """A marker of that moment, and a payload if there is a text."""
    publish(store, job_id, [], [TOKEN])
    content = {**json.loads(marker(store, job_id).read_text()), "written_at": written_at}
    marker(store, job_id).write_text(text_of(content))
    if text is not None:
        write_payload(store, TOKEN, job_id, {"text": text})


def tree(store: JobStore) -> list[str]:
    """Every file and directory below `artifacts`."""
    base = store.jobs_root / "artifacts"
    return sorted(str(path.relative_to(base)) for path in base.rglob("*"))


# Markers


def test_names_on_disk_are_hexadecimal_so_that_any_text_makes_one(store: JobStore) -> None:
    artifact = Artifact.custom("prompt_text", "a/../b: ü")
    publish(store, "job-a", [], [artifact])
    assert tree(store)[-1] == "custom/70726f6d70745f74657874/612f2e2e2f623a20c3bc/job-a.json"


def test_a_marker_says_who_made_what_when(store: JobStore) -> None:
    publish(store, "job-a", [TOKEN], [TOKEN])
    text = marker(store, "job-a").read_text()
    content = json.loads(text)
    assert text == text_of(content)
    assert list(content) == sorted(content)
    assert problems("artifact-marker", content) == []
    assert (content["job_id"], content["type_id"], content["key"]) == ("job-a", "prompt_text", "main")
    assert content["written_at"].endswith("+00:00")


def test_an_artifact_exists_when_any_job_has_published_it(store: JobStore) -> None:
    assert not is_published(store, TOKEN)
    publish(store, "job-a", [], [TOKEN])
    assert is_published(store, TOKEN)
    assert not is_published(store, OTHER)


@pytest.mark.parametrize(
    "leftover", ["job-a.json.tmp.77.0", "job-a.json~", ".json", " .json", "job-a", "a directory.json", "a link.json"]
)
def test_ws_01_28_what_an_interrupted_write_or_somebody_left_there_is_no_artifact(
    store: JobStore, tmp_path: Path, leftover: str
) -> None:
    place = marker_directory(store, TOKEN)
    place.mkdir(parents=True)
    if leftover.startswith("a directory"):
        (place / leftover).mkdir()
    elif leftover.startswith("a link"):
        (tmp_path / "target").write_text("{}")
        (place / leftover).symlink_to(tmp_path / "target")
    else:
        (place / leftover).write_text("{}")
    assert not is_published(store, TOKEN)
    assert latest_payload(store, TOKEN) is None


def test_only_custom_artifacts_have_markers(store: JobStore) -> None:
    publish(store, "job-a", [BRANCH], [BRANCH])
    assert not (store.jobs_root / "artifacts").exists()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(st.text(max_size=30), st.text(max_size=30))
def test_any_type_and_key_can_be_published_and_taken_back(store: JobStore, type_id: str, key: str) -> None:
    artifact = Artifact.custom(f"t{type_id}", f"k{key}")
    publish(store, "job-a", [], [artifact])
    assert is_published(store, artifact)
    assert not is_published(store, Artifact.custom(f"t{type_id}", f"k{key}x"))
    unpublish(store, "job-a", artifact)
    assert tree(store) == ["custom"]


# Publishing again


def test_what_was_declared_but_not_written_is_taken_back_with_its_payload(store: JobStore) -> None:
    publish(store, "job-a", [], [TOKEN, OTHER])
    for artifact in (TOKEN, OTHER):
        write_payload(store, artifact, "job-a", {"text": "t"})
    publish(store, "job-a", [TOKEN, OTHER], [OTHER])
    assert not is_published(store, TOKEN)
    assert not payload_path(store, TOKEN, "job-a").exists()
    assert is_published(store, OTHER)
    assert payload_path(store, OTHER, "job-a").exists()


def test_what_was_written_is_published_declared_or_not(store: JobStore) -> None:
    publish(store, "job-a", [], [OTHER])
    assert is_published(store, OTHER)


def test_what_other_jobs_have_published_stays(store: JobStore) -> None:
    publish(store, "job-b", [], [TOKEN])
    write_payload(store, TOKEN, "job-b", {"text": "b"})
    publish(store, "job-a", [TOKEN], [])
    assert is_published(store, TOKEN)
    assert payload_path(store, TOKEN, "job-b").exists()


def test_directories_that_became_empty_go_too(store: JobStore) -> None:
    publish(store, "job-a", [], [TOKEN])
    write_payload(store, TOKEN, "job-a", {})
    publish(store, "job-a", [TOKEN], [])
    assert tree(store) == ["custom", "data"]


def test_taking_back_what_is_not_there_does_nothing(store: JobStore) -> None:
    unpublish(store, "job-a", TOKEN)


# Payloads


def test_keys_of_payloads_ascend_at_every_depth(store: JobStore) -> None:
    path = write_payload(store, TOKEN, "job-a", {"z": [{"b": 1, "a": {"d": 1, "c": 2}}], "a": 0})
    text = (store.root / path).read_text()
    assert text == text_of({"a": 0, "z": [{"a": {"c": 2, "d": 1}, "b": 1}]})
    assert path == ".vizier/jobs/artifacts/data/70726f6d70745f74657874/6d61696e/job-a.json"


def test_ws_02_01_d13_a_reader_sees_its_own_run_first_then_the_newest(store: JobStore) -> None:
    published_at(store, "mine", "2026-03-04T09:00:00+00:00", "mine")
    published_at(store, "newer", "2026-03-04T10:00:00+00:00", "newer")
    published_at(store, "newest", "2026-03-04T10:00:00.000001+00:00", "newest")
    assert read(store, ["mine", "without"]) == "mine"
    assert read(store, ["newer", "mine"]) == "newer"
    assert read(store, ["without"]) == "newest"
    assert read(store) == "newest"


def read(store: JobStore, run_jobs: list[str] | None = None) -> Any:
    found = latest_payload(store, TOKEN, run_jobs or [])
    return found and found[0]["text"]


def test_ws_02_01_the_time_in_the_marker_decides_not_that_of_the_file(store: JobStore) -> None:
    published_at(store, "older", "2026-03-04T09:00:00+00:00", "older")
    published_at(store, "newer", "2026-03-04T10:00:00+00:00", "newer")
    os.utime(marker(store, "newer"), (0, 0))
    assert read(store) == "newer"


def test_a_marker_without_a_time_counts_with_that_of_its_file(store: JobStore) -> None:
    published_at(store, "known", "2026-03-04T09:00:00+00:00", "known")
    published_at(store, "garbled", "whenever", "garbled")
    os.utime(marker(store, "garbled"), (0, 0))
    assert read(store) == "known"
    marker(store, "garbled").write_text("not JSON")
    assert read(store) == "garbled"


def test_of_two_markers_of_one_moment_the_greater_job_id_decides(store: JobStore) -> None:
    for job_id in ("job-b", "job-c", "job-a"):
        published_at(store, job_id, "2026-03-04T09:00:00+00:00", job_id)
    assert read(store) == "job-c"


def test_without_a_payload_there_is_none(store: JobStore) -> None:
    assert latest_payload(store, TOKEN) is None
    published_at(store, "job-a", "2026-03-04T09:00:00+00:00")
    assert latest_payload(store, TOKEN) is None


def test_a_newer_marker_without_a_payload_hides_an_older_payload(store: JobStore) -> None:
    published_at(store, "older", "2026-03-04T09:00:00+00:00", "older")
    published_at(store, "newer", "2026-03-04T10:00:00+00:00")
    assert read(store) is None
    assert read(store, ["older"]) == "older"


def test_a_payload_without_a_marker_is_none(store: JobStore) -> None:
    write_payload(store, TOKEN, "job-a", {"text": "t"})
    assert latest_payload(store, TOKEN) is None


@pytest.mark.parametrize("text", ["", "{", "[]", '{"text": 1, "text": 2}'])
def test_a_payload_that_cannot_be_read_is_an_error_with_its_name(store: JobStore, text: str) -> None:
    published_at(store, "job-a", "2026-03-04T09:00:00+00:00", "t")
    path = payload_path(store, TOKEN, "job-a")
    path.write_text(text)
    with pytest.raises(MalformedFileError, match=str(path)):
        latest_payload(store, TOKEN)


@pytest.mark.parametrize(
    ("payload", "text"),
    [
        ({"text": "a", "stdout_text": "b"}, "a"),
        ({"text": None, "stdout_text": "b", "assistant_text": "c"}, "b"),
        ({"assistant_text": "c", "payload": {"text": "d"}}, "c"),
        ({"payload": {"text": "d", "assistant_text": "e"}}, "d"),
        ({"payload": {"text": 1, "assistant_text": "e"}}, "e"),
        ({"text": ""}, ""),
        ({"payload": "x"}, None),
        ({}, None),
    ],
)
def test_the_text_of_a_payload(payload: dict[str, Any], text: str | None) -> None:
    assert payload_text(payload) == text
