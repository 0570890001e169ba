"""Why a job has failed, in one line for people."""

from vizier_core.errors import MalformedFileError
from vizier_core.files import read_small
from vizier_core.jobs.codec import parse_document
from vizier_core.jobs.context import JobsContext
from vizier_core.jobs.model import JobRecord
from vizier_core.jobs.published import payload_path
from vizier_kernel.artifacts import Artifact


def failure_reason(context: JobsContext, record: JobRecord) -> str:
    """What the node has reported, or what became of its worker; empty if nobody knows.

    Args:
        context: the jobs.
        record: a job that has failed.
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
