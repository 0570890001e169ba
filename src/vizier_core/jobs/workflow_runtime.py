"""The worker: runs one node, publishes what it made, ends its job and starts what can go on (spec 06 §3).

A worker that ends ticks, and where workers are forked the next one starts from this very process. So that a chain of a
thousand nodes does not nest a thousand calls, the fork happens in :func:`worker_main` itself: in the child its loop
simply goes on with the next job. No `finally` is left open there, because the child must not do what its parent still
has to.
"""

import json
import os
import sys
import traceback
from contextlib import AbstractContextManager, nullcontext
from typing import Final, NoReturn

import msgspec

from vizier_core.config import load_settings
from vizier_core.errors import VizierError, WorkerRefusedError, explain
from vizier_core.jobs.codec import Document, to_plain
from vizier_core.jobs.context import JobsContext
from vizier_core.jobs.critical import enter_patiently, exclusive
from vizier_core.jobs.lifecycle import OwnJob, as_own, as_running
from vizier_core.jobs.manifest import ManifestNode, RunManifest, read_manifest
from vizier_core.jobs.model import JobMetadata, JobRecord
from vizier_core.jobs.operations import run_handler
from vizier_core.jobs.operations.node import RunningNode, failed, write_stderr, write_stdout
from vizier_core.jobs.published import write_payload
from vizier_core.jobs.routes import NodeEnd, end_node
from vizier_core.jobs.scheduler import decide_locked, start_planned
from vizier_core.jobs.worker_options import WorkerArguments, parse_worker_arguments
from vizier_core.jobs.workers import worker_handle
from vizier_core.launcher.local import LocalWorkers, default_signals, hold_log
from vizier_core.timestamp import Timestamp
from vizier_core.usage import total_usage
from vizier_kernel.artifacts import Artifact
from vizier_kernel.scheduler import JobStatus
from vizier_kernel.workflow import Outcome

#: Nodes whose stdout is their own; all others print one line about their result (spec 06 §2).
_NATURAL_STDOUT: Final = frozenset(
    {
        "agent.invoke",
        "command.run",
        "cicd.run",
        "gate.stop_condition",
        "gate.conflict_resolution",
        "gate.cicd",
    }
)


def worker_main(context: JobsContext, job: OwnJob) -> NoReturn:
    """Works as the worker of a job that a starter has recorded as running in this process, then ends the process.

    The exit code is 0 if the job's is, else 1; the record holds the job's own.
    """
    while True:
        try:
            record = job.record or context.store.read(job.job_id)
            if not _names_this_process(record):
                os._exit(1)  # somebody else's job: not a word into its log (decision D20)
            code = _work(context, record, parse_worker_arguments(record.child_args))
            plan = decide_locked(context)
            _, problems, child = start_planned(context, plan.starts)
            if child is not None:
                job = child
                continue
            for problem in (*plan.problems, *problems):
                write_stderr(problem + "\n")
            context.store.lock.release()
        except BaseException as error:
            _report(error)
            context.store.lock.release()
            os._exit(1)
        os._exit(0 if code == 0 else 1)


def run_workflow_node_command(context: JobsContext, job_id: str, token: str | None = None) -> NoReturn:
    """The command `vizier __workflow-node`: started by a launcher, or by hand (spec 06 §3.1, ruling R80).

    Args:
        context: the jobs.
        job_id: the job.
        token: what the starter has written into the record; None if there was no starter.

    Raises:
        VizierError: the job cannot be run by this process; nothing was touched.
    """
    job = OwnJob(job_id, None)
    if token is None:
        job = _claim(context, job_id)
    else:
        sys.stdin.buffer.read(1)  # until the record is written, or its writer is dead
        record = context.store.read(job_id)
        if record.meta.worker is None or record.meta.worker.token != token:
            os._exit(1)
        default_signals()
        hold_log(context.store.log_path(job_id, "stderr"), context.store.file_mode)
    worker_main(context, job)


def _claim(context: JobsContext, job_id: str) -> OwnJob:
    """Takes a job that nobody runs, whatever it waits for (ruling R67)."""
    context.store.read(job_id)
    with exclusive(context):
        record = context.store.read(job_id)
        if record.status.is_terminal:
            raise WorkerRefusedError(f"job {job_id} has ended ({record.status}); `vizier jobs retry` runs it again")
        probe = context.launcher.probe(worker_handle(context.store, record))
        if record.status is JobStatus.RUNNING and not probe.is_stale:
            raise WorkerRefusedError(f"job {job_id} is running already (pid {record.pid})")
        me = LocalWorkers().identify_self()
        context.store.update(job_id, lambda fresh: as_running(fresh, me.identity, me.pid))
        hold_log(context.store.log_path(job_id, "stderr"), context.store.file_mode)
        return OwnJob(job_id, as_own(record, me.pid))


def _names_this_process(record: JobRecord) -> bool:
    return record.status is JobStatus.RUNNING and record.pid == os.getpid()


def _work(context: JobsContext, record: JobRecord, options: WorkerArguments) -> int:
    """Runs the node and ends its job; the scheduler lock is held afterwards."""
    try:
        manifest, node = _node_of(context, record)
        # What its run was started with (decision D14).
        context.verbosity = options.verbosity
        context.settings = load_settings(context.root, options.config_file)
    except (OSError, VizierError) as error:
        _report(error)
        enter_patiently(context)
        _give_up(context, record, None)
        return 1
    execution = _Execution(context, record, manifest, node)
    execution.run()
    enter_patiently(context)
    try:
        return execution.complete()
    except (OSError, VizierError) as error:
        _report(error)
        _give_up(context, record, manifest)
        return 1


def _give_up(context: JobsContext, record: JobRecord, manifest: RunManifest | None) -> None:
    """Ends a job as failed whose worker cannot go on, so that nobody has to find that out (WS-01-16)."""
    try:
        now = context.store.read(record.id)
        if _names_this_process(now):
            end_node(context, now, NodeEnd(outcome=Outcome.FAILED, exit_code=1, update=JobMetadata()), manifest)
    except (OSError, VizierError) as error:
        problem = f"unable to finalize failed workflow node job {record.id} after runtime error"
        write_stderr(f"{problem}: {explain(error)}\n")


def _node_of(context: JobsContext, record: JobRecord) -> tuple[RunManifest, ManifestNode]:
    """The node that a job runs (spec 06 §3.2 steps 2 and 3)."""
    if record.metadata is None:
        raise WorkerRefusedError(f"workflow node job {record.id} is missing metadata")
    run_id, node_id = record.metadata.workflow_run_id, record.metadata.workflow_node_id
    if run_id is None:
        raise WorkerRefusedError(f"workflow node job {record.id} missing workflow_run_id")
    if node_id is None:
        raise WorkerRefusedError(f"workflow node job {record.id} missing workflow_node_id")
    manifest = read_manifest(context.store, run_id)
    node = manifest.nodes.get(node_id)
    if node is None:
        raise WorkerRefusedError(f"workflow run {run_id} missing node {node_id}")
    return manifest, node


class _Execution:
    """One attempt at one node."""

    def __init__(self, context: JobsContext, record: JobRecord, manifest: RunManifest, node: ManifestNode) -> None:
        self._context = context
        self._record = record
        self._manifest = manifest
        self._node = node
        self._started_at = Timestamp.now()
        self._lines: list[str] = []
        self._result = failed("the node did not run")

    def run(self) -> None:
        """Runs the handler; whatever it raises is a failed result (decision D10)."""
        self._say("start", f"run={self._manifest.run_id} job={self._record.id}")
        self._say("progress", "dispatching runtime handler")
        try:
            with self._scratch_watched():
                self._result = run_handler(RunningNode(self._context, self._record, self._manifest, self._node))
        except Exception as error:  # whatever it is
            text = _report(error)
            self._result = failed(text, stderr_lines=tuple(text.splitlines()))
        self._say("complete", f"outcome={self._result.outcome} exit_code={self._result.exit_code}")
        if self._node.label not in _NATURAL_STDOUT:
            write_stdout(self._result_line())
        if self._result.exit_code != 0:
            write_stderr(f"workflow node {self._record.id} failed (exit {self._result.exit_code})\n")

    def complete(self) -> int:
        """Publishes, finalises and routes, inside the scheduler lock; the job's exit code.

        A job that was cancelled meanwhile, or belongs to somebody else by now, is left alone.
        """
        store, record, result = self._context.store, self._record, self._result
        head = self._context.index.heads.get(record.id)
        if head is None or head.status is not JobStatus.RUNNING or head.pid != os.getpid():
            return 1
        declared = self._node.artifacts_by_outcome.of(result.outcome)
        own = Artifact.operation_output(self._node.node_id)
        written = tuple(sorted({*declared, *result.artifacts, own}))
        output = write_payload(store, own, record.id, self._output(written))
        refs = tuple(sorted({*result.payload_refs, output}))
        update = msgspec.structs.replace(
            result.metadata or JobMetadata(),
            workflow_payload_refs=refs,
            agent_usage=total_usage([record.meta.agent_usage, result.usage]) if result.usage else None,
        )
        end = NodeEnd(outcome=result.outcome, exit_code=result.exit_code, update=update, written=written)
        end_node(self._context, record, end, self._manifest)
        return result.exit_code

    def _scratch_watched(self) -> AbstractContextManager[None]:
        """Notes what the node of an ephemeral run leaves in shared directories."""
        if not self._manifest.ephemeral:
            return nullcontext()
        from vizier_core.jobs.scratch import watched  # noqa: PLC0415 - most runs are not ephemeral

        return watched(self._context.store, self._record.id)

    def _say(self, stage: str, message: str) -> None:
        node = self._node
        line = f"[workflow-node] {stage} node={node.node_id} uses={node.uses} op={node.label} {message}"
        self._lines.append(line)
        write_stderr(line + "\n")

    def _result_line(self) -> str:
        document = {
            "exit_code": self._result.exit_code,
            "job_id": self._record.id,
            "node_id": self._node.node_id,
            "outcome": self._result.outcome.value,
            "run_id": self._manifest.run_id,
            "schema": "vizier.operation_result.v1",
            "summary": self._result.summary,
            "uses": self._node.uses,
        }
        return json.dumps(document, separators=(",", ":"), ensure_ascii=False) + "\n"

    def _output(self, written: tuple[Artifact, ...]) -> Document:
        """The `operation_output` payload (spec 02 §11)."""
        node, result = self._node, self._result
        finished_at = Timestamp.now()
        text = result.stdout.text if result.stdout else ""
        if not text and node.label not in _NATURAL_STDOUT:
            text = self._result_line()
        document: Document = {
            "duration_ms": max(0, (finished_at - self._started_at) // 1_000_000),
            "exit_code": result.exit_code,
            "finished_at": finished_at.offset_form(),
            "job_id": self._record.id,
            "node_id": node.node_id,
            "outcome": result.outcome.value,
            "result": {
                "artifacts_written": [artifact.label for artifact in written],
                "metadata": to_plain(result.metadata),
                "payload_refs": list(result.payload_refs),
                "summary": result.summary,
            },
            "run_id": self._manifest.run_id,
            "schema": "vizier.operation_output.v1",
            "started_at": self._started_at.offset_form(),
            "stderr_lines": [*self._lines, *result.stderr_lines],
            "stdout_text": text,
            "uses": node.uses,
        }
        if node.executor_operation is not None:
            document["executor_operation"] = node.executor_operation
        elif node.control_policy is not None:
            document["control_policy"] = node.control_policy
        if result.stdout and result.stdout.truncated_from is not None:
            document["stdout_truncated"] = {"characters": result.stdout.truncated_from}
        if result.usage is not None:
            document["usage"] = to_plain(result.usage)
        return document


def _report(error: BaseException) -> str:
    """Tells what went wrong in the job's log; an error of ours with its place in the program."""
    if isinstance(error, OSError | VizierError):
        text = explain(error)
    else:
        text = f"internal error: {type(error).__name__}: {error}"
        write_stderr("".join(traceback.format_exception(error)))
    write_stderr(text + "\n")
    return text
