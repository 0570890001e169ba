"""Run by test_start.py: starts workers and ends at awkward moments. Prints what came of it as JSON.

Arguments: the name of a function below, the project root, the launcher form.
"""

import ctypes
import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import msgspec

from vizier_core.config import Settings
from vizier_core.jobs import JobSettings, RunRequest, enqueue_workflow_runs, open_project
from vizier_core.jobs.context import JobsContext
from vizier_core.jobs.lifecycle import OwnJob, start_job
from vizier_core.jobs.model import JobRecord
from vizier_core.jobs.settings import LauncherForm
from vizier_core.jobs.store import PendingUpdate
from vizier_kernel.template import compile_workflow, compose, decode_template, expand

ROOT = Path(sys.argv[2])
FORM = LauncherForm(sys.argv[3])
RUN = "run_1"
JOB = "wf-run_1-only"
FLOW = {
    "id": "template.start",
    "version": "v1",
    "nodes": [
        {
            "id": "only",
            "kind": "shell",
            "uses": "cap.env.shell.command.run",
            "args": {"script": "echo done >>out"},
            "gates": [{"kind": "approval", "required": True}],
        }
    ],
}


def project() -> JobsContext:
    """A project with one job that waits for approval."""
    jobs = open_project(ROOT, Settings(jobs=JobSettings(launcher=FORM)), warn=sys.exit)
    composed = compose(decode_template(FLOW, origin="start.json"), lambda *_: sys.exit("no imports here"))
    workflow = compile_workflow(expand(composed, {}), run_id=RUN)
    enqueue_workflow_runs(jobs, [RunRequest(run_id=RUN, workflow=workflow, selector="file:x.json")])
    return jobs


def start(jobs: JobsContext) -> None:
    """Starts the job under the lock, as a tick does; a forked child goes on as its worker."""
    jobs.store.lock.acquire(5)
    started = start_job(jobs.store, JOB, jobs.launcher)
    if isinstance(started, OwnJob):
        jobs.become_worker(started)
    jobs.store.lock.release()


def in_child(work: Callable[[], object]) -> int:
    """Runs something in a process of its own; its exit code."""
    pid = os.fork()
    if not pid:
        try:
            work()
        finally:
            os._exit(7)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def outcome(jobs: JobsContext) -> dict[str, Any]:
    """What is left when the worker, if there was one, is gone."""
    while True:
        try:
            os.wait()
        except ChildProcessError:
            break
    out = ROOT / "out"
    return {
        "status": jobs.store.read(JOB).status.value,
        "log": jobs.store.log_path(JOB, "stderr").read_text(),
        "out": out.read_text() if out.exists() else "",
        "lock": (jobs.store.jobs_root / "scheduler.lock").exists(),
    }


def adopt_orphans() -> None:
    """Workers whose starter is killed become children of this process, so that it can wait for them."""
    set_child_subreaper = 36
    ctypes.CDLL(None).prctl(set_child_subreaper, 1, 0, 0, 0)


def die(*_: object) -> NoReturn:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


def nothing_special() -> object:
    jobs = project()
    start(jobs)
    return outcome(jobs)


def killed_before_the_record() -> object:
    jobs = project()
    PendingUpdate.write = die  # type: ignore[method-assign, assignment]
    code = in_child(lambda: start(jobs))
    return {"code": code, **outcome(jobs)}


def killed_after_the_record(change: Callable[[JobRecord], JobRecord] = lambda record: record) -> object:
    """The worker learns from the closed pipe that nobody will tell it to go, and from the record that it may."""
    jobs = project()
    write = PendingUpdate.write

    def write_and_die(self: PendingUpdate, changed: JobRecord) -> None:
        write(self, change(changed))
        if changed.id == JOB:
            die()

    def doomed() -> None:
        PendingUpdate.write = write_and_die  # type: ignore[method-assign]
        jobs.store.lock.acquire(5)
        started = start_job(jobs.store, JOB, jobs.launcher)
        if isinstance(started, OwnJob):
            PendingUpdate.write = write  # type: ignore[method-assign]
            jobs.become_worker(started)

    code = in_child(doomed)
    return {"code": code, **outcome(jobs)}


def record_cannot_be_written() -> object:
    jobs = project()
    write = PendingUpdate.write

    def full(self: PendingUpdate, changed: JobRecord) -> None:
        raise OSError(28, "No space left on device")

    PendingUpdate.write = full  # type: ignore[method-assign]
    error = ""
    try:
        start(jobs)
    except OSError as raised:
        error = str(raised)
    PendingUpdate.write = write  # type: ignore[method-assign]
    jobs.store.lock.release()
    return {"error": error, **outcome(jobs)}


def somebody_elses() -> object:
    """Nobody tells the worker to go, and the record names another one."""

    def of_another(record: JobRecord) -> JobRecord:
        assert record.meta.worker is not None
        other = msgspec.structs.replace(record.meta.worker, token="other")
        return record.evolve(pid=1).with_metadata(worker=other)

    return killed_after_the_record(of_another)


if __name__ == "__main__":
    adopt_orphans()
    print(json.dumps(globals()[sys.argv[1]]()))
