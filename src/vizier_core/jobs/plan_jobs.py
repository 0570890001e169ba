"""Which job works on a plan (spec 09 §5.2)."""

from vizier_core.index import Head
from vizier_core.jobs.context import JobsContext
from vizier_core.jobs.model import JobRecord


class PlanJobs:
    """Finds the jobs of plans; only the records of jobs that name the plan are opened (WS-09-08).

    Args:
        context: the jobs.

    Raises:
        OSError: the records cannot be looked at.
    """

    def __init__(self, context: JobsContext) -> None:
        self._context = context
        self._by_plan: dict[str, list[Head]] = {}
        self._by_branch: dict[str, list[Head]] = {}
        if not context.store.jobs_root.is_dir():
            return
        context.index.refresh(complete=True)
        context.index.save()
        for head in context.index.heads.values():
            if head.plan is not None:
                self._by_plan.setdefault(head.plan, []).append(head)
            if head.branch is not None:
                self._by_branch.setdefault(head.branch, []).append(head)

    def find(self, slug: str, branch: str) -> JobRecord | None:
        """The job that works on a plan, else the one that did so last; None if none ever did.

        Args:
            slug: the plan.
            branch: its branch, which counts if no job names the plan.
        """
        heads = self._by_plan.get(slug) or self._by_branch.get(branch, [])
        active = [head for head in heads if head.status.is_active]
        records = [record for head in active or heads if (record := self._context.find(head.job_id))]
        return max(records, key=_recency, default=None)


def _recency(record: JobRecord) -> tuple[int, int, str]:
    return record.started_at or record.created_at, record.created_at, record.id
