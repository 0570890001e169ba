"""The index against a naive reading of all files, through anything that may happen to them (ruling R74).

Three processes share one jobs root. Records are rewritten through the store, edited, broken, added and deleted by hand;
the index's own files are deleted and damaged. A complete refresh always tells the truth; a partial one tells it about
everything but what was edited by hand.
"""

import os
import shutil
import tempfile
from itertools import count
from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from vizier_core import files
from vizier_core import index as index_module
from vizier_core.errors import MalformedFileError
from vizier_core.files import write_all
from vizier_core.index import Head, RecordIndex
from vizier_core.jobs.model import JobRecord
from vizier_core.jobs.store import JobStore
from vizier_kernel.artifacts import Artifact
from vizier_kernel.scheduler import JobStatus

from .records import custom, document, locked, put_text, text_of

IDS = ("job-a", "job-b", "job-c", "job-d")
KEYS = ("x", "y")

jobs = st.sampled_from(IDS)
processes = st.integers(0, 2)
statuses = st.sampled_from(JobStatus)


@st.composite
def records(draw: st.DrawFn, job_id: str) -> dict[str, Any]:
    schedule = {
        "artifacts": [custom("token", key) for key in draw(st.lists(st.sampled_from(KEYS), unique=True))],
        "locks": [{"key": "k", "mode": "shared"}] if draw(st.booleans()) else [],
    }
    metadata = {"routes_pending": draw(st.none() | st.booleans()), "worktree_path": "w", "worktree_owned": True}
    pid = draw(st.none() | st.integers(1, 9))
    status = draw(statuses).value
    return document(job_id, status, second=draw(st.integers(0, 2)), pid=pid, schedule=schedule, metadata=metadata)


class Process:
    """One process that uses the index."""

    def __init__(self, root: Path) -> None:
        self.store = JobStore(root, lambda line: None)
        self.index = RecordIndex(self.store)
        #: What somebody has edited by hand since the last complete refresh.
        self.edited: set[str] = set()
        #: Directories that have come and gone since all of them were looked at.
        self.added = self.removed = 0
        #: Whether the journal is another one than at the last look.
        self.journal_replaced = False

    @property
    def partial_refresh_is_certain(self) -> bool:
        """Not when a directory was put in the place of another by hand, or the journal was lost."""
        return (not self.added or self.added != self.removed) and not self.journal_replaced

    def refreshed_completely(self) -> None:
        self.journal_replaced = False
        self.added = self.removed = 0
        self.edited.clear()


class IndexModel(RuleBasedStateMachine):
    """What may happen, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.root = Path(tempfile.mkdtemp())
        (self.root / ".git").mkdir()
        self.processes = [Process(self.root) for _ in range(3)]
        self.store = JobStore(self.root, lambda line: None)
        self.store.ensure_jobs_root()
        # Every file gets a time of its own: what happens within one tick of the clock is the matter of other tests.
        self.clock = count(1_700_000_000_000_000_000)
        files.write_all = self.write_at_a_time_of_its_own
        index_module._WORTH_SAVING, self.worth_saving = 1, index_module._WORTH_SAVING

    def teardown(self) -> None:
        files.write_all = write_all
        index_module._WORTH_SAVING = self.worth_saving
        shutil.rmtree(self.root)

    def write_at_a_time_of_its_own(self, descriptor: int, data: bytes) -> None:
        write_all(descriptor, data)
        os.utime(descriptor, ns=(0, next(self.clock)))

    def edit(self, job_id: str, text: str, *, in_place: bool) -> None:
        existed = self.store.job_directory(job_id).exists()
        if not in_place:
            self.store.record_path(job_id).unlink(missing_ok=True)
        path = put_text(self.store, job_id, text)
        os.utime(path, ns=(0, next(self.clock)))
        for process in self.processes:
            process.edited.add(job_id)
            process.added += not existed

    @initialize(data=st.data())
    def begin(self, data: st.DataObject) -> None:
        for job_id in IDS[:3]:
            self.edit(job_id, text_of(data.draw(records(job_id))), in_place=False)
        for process in self.processes * 2:  # the second complete refresh makes partial ones possible
            process.index.refresh()
            process.refreshed_completely()

    # What happens to records

    @rule(job_id=jobs, data=st.data(), in_place=st.booleans())
    def somebody_edits_or_adds_a_record(self, job_id: str, data: st.DataObject, in_place: bool) -> None:
        self.edit(job_id, text_of(data.draw(records(job_id))), in_place=in_place)

    @rule(job_id=jobs, text=st.sampled_from(["", "{", '{"id": "job-z"}', text_of(document("job-z"))]))
    def somebody_breaks_a_record(self, job_id: str, text: str) -> None:
        self.edit(job_id, text, in_place=True)

    @rule(job_id=jobs)
    def somebody_deletes_a_job(self, job_id: str) -> None:
        if self.store.job_directory(job_id).exists():
            shutil.rmtree(self.store.job_directory(job_id))
            for process in self.processes:
                process.removed += 1

    @rule(job_id=jobs, number=processes, status=statuses)
    def a_process_rewrites_a_record(self, job_id: str, number: int, status: JobStatus) -> None:
        writer = self.processes[number]
        with locked(writer.store):
            try:
                before = writer.store.read(job_id)
            except Exception:
                return
            after = writer.store.update(job_id, lambda record: record.evolve(status=status))
        if after != before:
            for process in self.processes:
                process.edited.discard(job_id)

    # What happens to the index's files

    @rule(name=st.sampled_from(["records", "changes", ""]))
    def the_index_is_deleted(self, name: str) -> None:
        for directory in (self.root / ".git" / "vizier").glob("*"):
            if name:
                (directory / name).unlink(missing_ok=True)
            else:
                shutil.rmtree(directory)
        for process in self.processes:
            process.journal_replaced |= name != "records"

    @rule(name=st.sampled_from(["records", "changes"]), junk=st.sampled_from([bytes(7), b"\0\0\0\1\xc1", b"\1\2"]))
    def the_index_is_damaged(self, name: str, junk: bytes) -> None:
        for path in (self.root / ".git" / "vizier").glob(f"*/{name}"):
            with path.open("ab") as file:
                file.write(junk)

    # What processes do with it

    @rule(number=processes)
    def a_process_ends_and_another_one_begins(self, number: int) -> None:
        self.processes[number] = Process(self.root)
        self.processes[number].edited.update(IDS)

    @rule(number=processes)
    def a_process_saves(self, number: int) -> None:
        self.processes[number].index.save()

    @rule(number=processes)
    def a_complete_refresh_tells_the_truth(self, number: int) -> None:
        process = self.processes[number]
        process.index.refresh(complete=True)
        process.refreshed_completely()
        self.compare(process.index, set())

    @rule(number=processes)
    def a_partial_refresh_tells_what_it_promises(self, number: int) -> None:
        process = self.processes[number]
        looked_at = process.index.malformed.keys()
        process.index.refresh()
        process.edited -= looked_at
        if process.partial_refresh_is_certain:
            process.added = process.removed = 0
            self.compare(process.index, process.edited)

    @rule(number=processes, job_id=jobs, status=statuses)
    def a_process_catches_up_with_itself(self, number: int, job_id: str, status: JobStatus) -> None:
        process = self.processes[number]
        with locked(process.store):
            process.index.refresh(complete=True)
            process.refreshed_completely()
            if job_id in process.index.heads:
                process.store.update(job_id, lambda record: record.evolve(status=status))
                for other in self.processes:
                    other.edited.discard(job_id)
            process.index.catch_up()
        self.compare(process.index, set())

    def compare(self, index: RecordIndex, doubtful: set[str]) -> None:
        heads: dict[str, JobRecord] = {}
        malformed: dict[str, str] = {}
        for job_id in self.store.job_ids():
            try:
                heads[job_id] = self.store.read(job_id)
            except MalformedFileError as error:
                malformed[job_id] = error.cause
        certain = set(IDS) - doubtful
        expected = {job_id: Head.of(record) for job_id, record in heads.items()}
        assert {i: h for i, h in index.heads.items() if i in certain} == {
            i: h for i, h in expected.items() if i in certain
        }
        assert {i: c for i, c in index.malformed.items() if i in certain} == {
            i: c for i, c in malformed.items() if i in certain
        }
        if doubtful:
            return
        in_order = sorted((h for h in expected.values() if h.status.is_active), key=lambda head: head.age_key)
        assert index.active() == in_order
        assert index.running() == [head for head in in_order if head.status is JobStatus.RUNNING]
        assert index.with_pending_routes == {i for i, head in expected.items() if head.routes_pending}
        for key in KEYS:
            makers = [head for head in expected.values() if (6, "token", key) in head.makes]
            ids = tuple(head.job_id for head in sorted(makers, key=lambda head: head.age_key))
            assert index.producers(Artifact.custom("token", key)) == ids
        for job_id, record in heads.items():
            assert index.record(job_id) == record


def test_the_index_is_never_the_truth_and_never_wrong() -> None:
    run_state_machine_as_test(IndexModel, settings=settings(max_examples=60, stateful_step_count=30))
