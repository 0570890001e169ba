"""What became of a job that has ended, in one sentence for people."""

from vizier_core.errors import MalformedFileError
from vizier_core.files import read_small
from vizier_core.jobs.codec import parse_document
from vizier_core.jobs.context import JobsContext
from vizier_core.jobs.model import JobRecord
from vizier_core.jobs.published import payload_path
from vizier_kernel.artifacts import Artifact


def job_report(context: JobsContext, record: JobRecord) -> str:
    """What became of the worker if it was lost, else what the node has reported; empty if nobody knows.

    Args:
        context: the jobs.
        record: a job that has ended.
    """
    lost = record.meta.process_liveness_failure_reason
    if lost:
        return lost
    path = payload_path(context.store, Artifact.operation_output(record.meta.workflow_node_id or ""), record.id)
    try:
        result = parse_document(read_small(path)[0], path).get("result")
    except (OSError, MalformedFileError):
        return ""
    summary = result.get("summary") if isinstance(result, dict) else None
    return summary.strip() if isinstance(summary, str) else ""
