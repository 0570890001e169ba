"""The derived index: what it saves, whom it believes, what it survives (ruling R74)."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vizier_core import index as index_module
from vizier_core.errors import UnknownJobError
from vizier_core.index import Head, RecordIndex
from vizier_core.jobs.store import JobStore
from vizier_core.timestamp import Timestamp
from vizier_kernel.artifacts import Artifact
from vizier_kernel.scheduler import JobStatus

from .records import after, custom, document, locked, needs, put, put_text, touched

TOKEN = Artifact.custom("token", "t")


@pytest.fixture
def index(store: JobStore) -> RecordIndex:
    return RecordIndex(store)


@pytest.fixture
def another(root: Path) -> Callable[[], RecordIndex]:
    """The index of another process."""
    return lambda: RecordIndex(JobStore(root, print))


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The jobs whose records were read."""
    jobs: list[str] = []
    original = index_module.parse_document

    def parse(data: bytes, path: Path) -> object:
        jobs.append(path.parent.name)
        return original(data, path)

    monkeypatch.setattr(index_module, "parse_document", parse)
    return jobs


@pytest.fixture
def nothing_is_racy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files are trusted from the moment on at which they are read."""
    monkeypatch.setattr(index_module, "_RACY", 0)


@pytest.fixture
def always_worth_saving(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index_module, "_WORTH_SAVING", 1)


def look_around(*indexes: RecordIndex) -> None:
    """Complete refreshes, until the next one is a partial one: the first of them makes the journal."""
    for _ in range(2):
        for index in indexes:
            index.refresh()


def derived(root: Path) -> Path:
    """The directory of the index."""
    (found,) = (root / ".git" / "vizier").iterdir()
    return found


# Heads


def test_a_head_says_what_ticks_and_views_ask(store: JobStore, index: RecordIndex) -> None:
    schedule = {
        "after": after("job-z"),
        "dependencies": needs({"target_branch": {"name": "main"}}),
        "artifacts": [custom()],
        "locks": [{"key": "k", "mode": "shared"}],
    }
    metadata = {"workflow_run_id": "run_1", "ephemeral_run": True, "worktree_path": "w", "worktree_owned": True}
    put(store, document("job-a", "running", pid=7, schedule=schedule, metadata=metadata))
    index.refresh()
    head = index.heads["job-a"]
    assert (head.after, head.needs, head.makes) == (("job-z",), ((3, "main", ""),), ((6, "token", "t"),))
    assert (head.run_id, head.ephemeral, head.worktree, head.routes_pending) == ("run_1", True, "w", False)
    assert ([lock.key for lock in head.locks], head.pid, head.token) == (["k"], 7, "__workflow-node")


def test_only_running_jobs_hold_locks_and_have_workers(store: JobStore, index: RecordIndex) -> None:
    schedule = {"locks": [{"key": "k", "mode": "shared"}]}
    put(store, document("job-a", "waiting_on_locks", pid=7, schedule=schedule))
    index.refresh()
    assert (index.heads["job-a"].locks, index.heads["job-a"].pid, index.heads["job-a"].token) == ((), None, None)


def test_a_worktree_belongs_to_those_who_claim_to_own_it(store: JobStore, index: RecordIndex) -> None:
    put(store, document("job-a", metadata={"worktree_path": "w"}))
    index.refresh()
    assert index.heads["job-a"].worktree is None


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00Z", "1600-01-01T00:00:00Z", "9999-12-31T23:59:59Z"])
def test_ws_01_17_a_time_far_away_stops_nobody(
    store: JobStore, index: RecordIndex, another: Callable[[], RecordIndex], always_worth_saving: None, moment: str
) -> None:
    put(store, document("job-a", "waiting_on_deps", created_at=moment))
    put(store, document("job-b", "failed", created_at=moment, finished_at=moment))
    index.refresh(complete=True)
    index.save()
    with locked(store):
        store.update("job-a", lambda record: record.evolve(exit_code=7))
    later = another()
    later.refresh()
    assert later.heads["job-b"] == index.heads["job-b"]
    assert later.record("job-a").created_at == Timestamp.parse(moment)


def test_ws_01_17_text_that_is_no_utf8_stops_nobody(
    store: JobStore, index: RecordIndex, another: Callable[[], RecordIndex], always_worth_saving: None
) -> None:
    put_text(store, "job-a", json.dumps(document("job-a", "waiting_on_deps", metadata={"plan": "caf\udce9"})))
    put_text(store, "job-b", json.dumps(document("job-b", "failed", metadata={"branch": "\ud800"})))
    other = another()
    look_around(index, other)
    index.save()
    with locked(store):
        store.update("job-a", lambda record: record.evolve(status=JobStatus.CANCELLED))
    for each in (index, other, another()):
        each.refresh()
        assert each.heads["job-a"].status is JobStatus.CANCELLED
        assert each.heads["job-b"].branch == "\ud800"


def test_jobs_are_ordered_by_age_then_id(store: JobStore, index: RecordIndex) -> None:
    for job_id, second in (("job-b", 0), ("job-c", 0), ("job-a", 1)):
        put(store, document(job_id, second=second, schedule={"artifacts": [custom()]}))
    put(store, document("job-0", "succeeded", second=2, schedule={"artifacts": [custom()]}))
    index.refresh()
    assert [head.job_id for head in index.active()] == ["job-b", "job-c", "job-a"]
    assert index.producers(TOKEN) == ("job-b", "job-c", "job-a", "job-0")
    assert index.producers(Artifact.custom("token", "other")) == ()


def test_records_of_waiting_jobs_are_kept_and_never_stale(
    store: JobStore, index: RecordIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(store, document())
    index.refresh()
    monkeypatch.setattr(store, "read_text", lambda job_id: pytest.fail("the file was opened again"))
    first = index.record("job-a")
    monkeypatch.undo()
    with locked(store):
        store.update("job-a", touched)
        index.catch_up()
    assert index.record("job-a") == touched(first)


@pytest.mark.usefixtures("nothing_is_racy")
@pytest.mark.parametrize("status", ["running", "blocked_by_dependency"])
def test_ws_03_30_records_that_were_asked_for_are_kept_and_never_stale(
    store: JobStore, index: RecordIndex, monkeypatch: pytest.MonkeyPatch, status: str
) -> None:
    put(store, document(status=status))
    look_around(index)
    first = index.record("job-a")
    monkeypatch.setattr(store, "read_text", lambda job_id: pytest.fail("the file was opened again"))
    index.refresh(complete=True)
    assert index.record("job-a") is first
    monkeypatch.undo()
    # A change that the head does not show.
    put(store, document(status=status, schedule={"wait_reason": {"kind": "locks", "detail": "other"}}))
    index.refresh(complete=True)
    reason = index.record("job-a").scheduling.wait_reason
    assert reason is not None
    assert reason.detail == "other"


def test_records_of_jobs_that_are_gone(store: JobStore, index: RecordIndex) -> None:
    index.refresh()
    with pytest.raises(UnknownJobError):
        index.record("job-z")


# Saving


@pytest.mark.usefixtures("nothing_is_racy", "always_worth_saving")
def test_finished_jobs_are_not_opened_again_by_the_next_process(
    store: JobStore, index: RecordIndex, another: Callable[[], RecordIndex], opened: list[str]
) -> None:
    for job_id, status in (("job-a", "succeeded"), ("job-b", "failed"), ("job-c", "queued"), ("job-d", "running")):
        put(store, document(job_id, status, schedule={"artifacts": [custom()]}, metadata={"routes_pending": True}))
    index.refresh()
    index.save()
    opened.clear()
    fresh = another()
    fresh.refresh()
    assert sorted(opened) == ["job-c", "job-d"]
    assert fresh.heads == index.heads
    assert fresh.producers(TOKEN) == index.producers(TOKEN)
    assert fresh.with_pending_routes == index.with_pending_routes


@pytest.mark.usefixtures("nothing_is_racy", "always_worth_saving")
@pytest.mark.parametrize("change", ["edited in place", "replaced", "deleted", "made malformed"])
def test_a_saved_head_counts_only_for_the_very_file_it_was_made_from(
    store: JobStore, index: RecordIndex, another: Callable[[], RecordIndex], change: str
) -> None:
    path = put(store, document("job-a", "succeeded"))
    index.refresh()
    index.save()
    if change == "edited in place":
        put_text(store, "job-a", path.read_text().replace("succeeded", "cancelled"))
    elif change == "replaced":
        put(store, document("job-a", "cancelled"))
    elif change == "deleted":
        shutil.rmtree(path.parent)
    else:
        put_text(store, "job-a", "{")
    fresh = another()
    fresh.refresh()
    if change in {"edited in place", "replaced"}:
        assert fresh.heads["job-a"].status is JobStatus.CANCELLED
    else:
        assert fresh.heads == {}
    assert list(fresh.malformed) == (["job-a"] if change == "made malformed" else [])


@pytest.mark.usefixtures("always_worth_saving")
def test_a_file_that_was_read_right_after_it_was_written_is_not_saved(
    store: JobStore, index: RecordIndex, another: Callable[[], RecordIndex], opened: list[str]
) -> None:
    """It may have changed once more within the same tick of the clock."""
    put(store, document("job-a", "succeeded"))
    index.refresh()
    index.save()
    opened.clear()
    another().refresh()
    assert opened == ["job-a"]


def test_two_changes_within_one_tick_of_a_coarse_clock_are_noticed(
    store: JobStore, index: RecordIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index_module, "_RACY", 10**15)
    monkeypatch.setattr(index_module, "_stamp", lambda status: (status.st_ino, status.st_size, 0, 10**18))
    path = put(store, document("job-a", "succeeded"))
    monkeypatch.setattr(index_module.time, "time_ns", lambda: 10**18 + 1)
    index.refresh()
    put_text(store, "job-a", path.read_text().replace("succeeded", "cancelled"))
    monkeypatch.setattr(index_module.time, "time_ns", lambda: 10**18 + 10**16)
    index.refresh(complete=True)
    assert index.heads["job-a"].status is JobStatus.CANCELLED


def test_few_finished_jobs_are_not_worth_saving(root: Path, store: JobStore, index: RecordIndex) -> None:
    put(store, document("job-a", "succeeded"))
    index.refresh()
    index.save()
    assert not (derived(root) / "records").exists()


@pytest.mark.usefixtures("nothing_is_racy", "always_worth_saving")
def test_nothing_derived_lies_below_dot_vizier_and_nobody_else_can_read_it(
    root: Path, store: JobStore, index: RecordIndex
) -> None:
    put(store, document("job-a", "succeeded"))
    with locked(store):
        store.update("job-a", touched)
        index.refresh()
    index.save()
    assert sorted(path.name for path in (root / ".vizier").rglob("*")) == ["job-a", "job.json", "jobs"]
    assert {path.name for path in derived(root).iterdir()} >= {"records", "changes"}
    assert {path.stat().st_mode & 0o077 for path in derived(root).rglob("*")} == {0}


@pytest.mark.usefixtures("nothing_is_racy", "always_worth_saving")
def test_the_index_of_another_jobs_root_is_ignored(
    root: Path, store: JobStore, index: RecordIndex, tmp_path: Path
) -> None:
    """Two directories may get one name: it is a checksum."""
    elsewhere = tmp_path / "elsewhere"
    (elsewhere / ".git").mkdir(parents=True)
    other = JobStore(elsewhere, print)
    other.ensure_jobs_root()
    path = put(other, document("job-a", "succeeded"))
    RecordIndex(other).refresh()
    foreign = RecordIndex(other)
    foreign.refresh()
    foreign.save()
    # The same record in the same file, so that the entry would fit but for the root.
    store.job_directory("job-a").mkdir()
    os.link(path, store.record_path("job-a"))
    foreign.refresh(complete=True)
    foreign.save()
    index.refresh()
    (derived(elsewhere) / "records").replace(derived(root) / "records")
    loaded = RecordIndex(store)
    loaded._load()
    assert loaded.heads == {}


@pytest.fixture
def saved(
    store: JobStore, index: RecordIndex, root: Path, nothing_is_racy: None, always_worth_saving: None
) -> tuple[Path, dict[str, Head]]:
    """The index file of three finished jobs, and what it should say."""
    for job_id in ("job-a", "job-b", "job-c"):
        put(store, document(job_id, "succeeded", schedule={"artifacts": [custom()]}))
    index.refresh()
    index.save()
    return derived(root) / "records", dict(index.heads)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_a_damaged_index_is_ignored(
    saved: tuple[Path, dict[str, Head]], another: Callable[[], RecordIndex], data: st.DataObject
) -> None:
    path, heads = saved
    intact = path.read_bytes()
    damaged = bytearray(intact)
    if data.draw(st.booleans(), label="cut"):
        del damaged[data.draw(st.integers(0, len(damaged))) :]
    else:
        for place in data.draw(st.lists(st.integers(0, len(damaged) - 1), max_size=3)):
            damaged[place] = data.draw(st.integers(0, 255))
    path.write_bytes(damaged)
    fresh = another()
    fresh.refresh()
    assert fresh.heads == heads
    path.write_bytes(intact)


@pytest.mark.usefixtures("always_worth_saving")
def test_a_disk_that_is_full_or_read_only_is_no_failure(
    store: JobStore, index: RecordIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    put(store, document("job-a", "succeeded"))
    with monkeypatch.context() as patch:
        patch.setattr(index_module, "atomic_write", full)
        patch.setattr(index_module._Journal, "_open", full)
        with locked(store):
            store.update("job-a", touched)
        index.refresh()
        index.save()
    assert list(index.heads) == ["job-a"]


def test_without_a_place_for_derived_data_everything_is_read(root: Path) -> None:
    shutil.rmtree(root / ".git")
    store = JobStore(root, print)
    index = RecordIndex(store)
    store.ensure_jobs_root()
    put(store, document())
    index.refresh()
    with locked(store):
        store.update("job-a", touched)
    index.refresh()
    index.save()
    assert index.record("job-a").exit_code == 1


# The journal


def test_what_another_process_wrote_is_learnt_from_the_journal_without_opening_the_record(
    store: JobStore, another: Callable[[], RecordIndex], opened: list[str]
) -> None:
    put(store, document("job-a", "succeeded"))
    reader, writer = another(), another()
    look_around(reader, writer)
    opened.clear()
    with locked(writer._store):
        writer._store.update("job-a", lambda record: record.evolve(status=JobStatus.QUEUED))
    reader.refresh()
    assert reader.heads["job-a"].status is JobStatus.QUEUED
    assert opened == []


def test_a_note_about_a_write_that_did_not_happen_is_not_believed(
    store: JobStore, another: Callable[[], RecordIndex], monkeypatch: pytest.MonkeyPatch
) -> None:
    put(store, document("job-a", "succeeded"))
    reader, writer = another(), another()
    look_around(reader, writer)

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with locked(writer._store), monkeypatch.context() as patch:
        patch.setattr(os, "rename", killed)
        with pytest.raises(KeyboardInterrupt):
            writer._store.update("job-a", lambda record: record.evolve(status=JobStatus.QUEUED))
    reader.refresh()
    assert reader.heads["job-a"].status is JobStatus.SUCCEEDED


@pytest.mark.usefixtures("nothing_is_racy", "always_worth_saving")
def test_a_long_journal_is_started_anew_and_nobody_misses_anything(
    root: Path, store: JobStore, another: Callable[[], RecordIndex], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index_module, "_JOURNAL_LIMIT", 1)
    for job_id in ("job-a", "job-b"):
        put(store, document(job_id, "succeeded"))
    reader, writer = another(), another()
    look_around(reader, writer)
    with locked(writer._store):
        writer._store.update("job-a", touched)
        writer.refresh()
        writer.save()
        assert not (derived(root) / "changes").exists()
        writer._store.update("job-b", lambda record: record.evolve(status=JobStatus.QUEUED))
    reader.refresh()
    assert reader.heads["job-b"].status is JobStatus.QUEUED


def test_a_journal_that_was_emptied_and_filled_again_hides_nothing(
    root: Path, store: JobStore, another: Callable[[], RecordIndex]
) -> None:
    put(store, document("job-a", "succeeded"))
    reader, writer = another(), another()
    look_around(reader, writer)
    with locked(writer._store):
        writer._store.update("job-a", lambda record: record.evolve(status=JobStatus.CANCELLED))
        reader.refresh()
        os.truncate(derived(root) / "changes", 0)
        writer._store.update("job-a", lambda record: record.evolve(status=JobStatus.SUCCEEDED))
    reader.refresh()
    assert reader.heads["job-a"].status is JobStatus.SUCCEEDED


@pytest.mark.parametrize(
    "junk",
    [
        bytes(7),
        b"\0\0\0\1\xc1",
        b"\xff",
        "a note whose text is no UTF-8",
    ],
)
def test_a_damaged_journal_is_no_reason_to_fail(
    root: Path, store: JobStore, another: Callable[[], RecordIndex], junk: bytes | str
) -> None:
    put(store, document("job-a", "succeeded"))
    reader, writer = another(), another()
    look_around(reader, writer)
    journal = derived(root) / "changes"
    with locked(writer._store):
        writer._store.update("job-a", lambda record: record.evolve(status=JobStatus.QUEUED))
        notes = journal.read_bytes()
        journal.write_bytes(notes + junk if isinstance(junk, bytes) else notes.replace(b"job-a", b"job\xff\xff"))
    reader.refresh()
    assert reader.heads["job-a"].status is JobStatus.QUEUED


def test_a_note_that_was_altered_is_noticed(root: Path, store: JobStore, another: Callable[[], RecordIndex]) -> None:
    """The note would still be about the file that is there, and say that the job has another status."""
    put(store, document("job-a", "succeeded"))
    reader, writer = another(), another()
    look_around(reader, writer)
    with locked(writer._store):
        writer._store.update("job-a", lambda record: record.evolve(status=JobStatus.QUEUED))
    journal = derived(root) / "changes"
    journal.write_bytes(journal.read_bytes().replace(b"queued", b"failed"))
    reader.refresh()
    assert reader.heads["job-a"].status is JobStatus.QUEUED


def test_a_journal_that_vanished_while_it_was_empty_hides_nothing(
    root: Path, store: JobStore, another: Callable[[], RecordIndex]
) -> None:
    """A note was lost with it, and the next one began a new journal."""
    put(store, document("job-a", "succeeded"))
    put(store, document("job-b", "succeeded"))
    reader, writer = another(), another()
    look_around(reader, writer)
    journal = derived(root) / "changes"
    os.truncate(journal, 0)
    look_around(reader)
    with locked(writer._store):
        writer._store.update("job-a", lambda record: record.evolve(status=JobStatus.QUEUED))
        journal.unlink()
        writer._store.update("job-b", lambda record: record.evolve(status=JobStatus.QUEUED))
    reader.refresh()
    assert reader.heads["job-a"].status is JobStatus.QUEUED


def test_a_directory_in_the_place_of_the_journal_is_no_reason_to_fail(
    root: Path, store: JobStore, another: Callable[[], RecordIndex]
) -> None:
    put(store, document("job-a", "succeeded"))
    reader, writer = another(), another()
    look_around(reader, writer)
    (derived(root) / "changes").unlink()
    (derived(root) / "changes").mkdir()
    with locked(writer._store):
        writer._store.update("job-a", lambda record: record.evolve(status=JobStatus.QUEUED))
    reader.refresh()
    assert reader.heads["job-a"].status is JobStatus.QUEUED


def test_a_record_that_cannot_even_be_looked_at_is_told(store: JobStore, index: RecordIndex) -> None:
    path = put(store, document("job-a", "succeeded"))
    index.refresh()
    path.unlink()
    path.symlink_to(path.name)
    index.refresh(complete=True)
    assert index.heads == {}
    assert "symbolic links" in index.malformed["job-a"]


# What lies in the jobs root


def test_a_job_that_another_process_removes_is_noticed_by_a_partial_refresh_although_a_new_one_takes_its_place(
    store: JobStore, index: RecordIndex, another: Callable[[], RecordIndex]
) -> None:
    put(store, document("job-a", "succeeded"))
    remover = another()
    look_around(index, remover)
    remover.announce_removal("job-a")
    shutil.rmtree(store.job_directory("job-a"))
    put(store, document("job-b"))
    index.refresh()
    assert "job-a" not in index.heads


def test_a_directory_that_is_put_in_the_place_of_another_by_hand_is_noticed_by_a_complete_refresh(
    store: JobStore, index: RecordIndex
) -> None:
    put(store, document("job-a", "succeeded"))
    look_around(index)
    shutil.rmtree(store.job_directory("job-a"))
    put(store, document("job-b"))
    index.refresh(complete=True)
    assert list(index.heads) == ["job-b"]


@pytest.mark.parametrize("status", ["queued", "succeeded"])
def test_d16_a_directory_whose_name_is_no_job_id_stops_nobody(store: JobStore, index: RecordIndex, status: str) -> None:
    put(store, document("job\nb", status))
    put(store, document("job-a", status))
    index.refresh()
    index._records.clear()
    for job_id in index.heads:
        index.record(job_id)
