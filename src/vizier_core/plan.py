"""Plans: the records that connect a plan document, its branch and the jobs that work on it (spec 02 §14)."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import ClassVar

import msgspec

from vizier_core.errors import InvalidIdError, MalformedFileError
from vizier_core.files import atomic_write, entries, is_single_component, remove_file
from vizier_core.jobs.codec import Document, from_document, parse_document, pretty, rewritten, to_plain

#: Where plan records live, below the project root (ruling R65).
PLAN_STATE = Path(".vizier") / "state" / "plans"
#: In front of the job id in `work_ref`.
WORKFLOW_JOB = "workflow-job:"


class PlanRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One plan."""

    OMITTED: ClassVar[dict[str, object]] = {}
    plan_id: str
    slug: str | None = None
    branch: str | None = None
    source: str | None = None
    intent: str | None = None
    target_branch: str | None = None
    work_ref: str | None = None
    status: str | None = None
    summary: str | None = None
    created_at: str
    updated_at: str
    job_ids: dict[str, str] = {}

    @property
    def jobs(self) -> set[str]:
        """The jobs that the plan names."""
        named = set(self.job_ids.values())
        if self.work_ref is not None and self.work_ref.startswith(WORKFLOW_JOB):
            named.add(self.work_ref.removeprefix(WORKFLOW_JOB))
        return named

    def without_jobs(self, job_ids: set[str]) -> "PlanRecord":
        """The plan without references to these jobs."""
        keeps_work = self.work_ref not in {WORKFLOW_JOB + job_id for job_id in job_ids}
        return msgspec.structs.replace(
            self,
            work_ref=self.work_ref if keeps_work else None,
            job_ids={phase: job_id for phase, job_id in self.job_ids.items() if job_id not in job_ids},
        )


class PlanFile:
    """A plan record as it is on disk."""

    def __init__(self, path: Path, record: PlanRecord, source: Document) -> None:
        self.path = path
        self.record = record
        self._source = source

    def write(self, record: PlanRecord, mode: int) -> None:
        """Replaces the file; unknown keys stay."""
        text = pretty(rewritten(self._source, self.record, record))
        atomic_write(self.path, text, mode=mode, durable=True)

    def delete(self) -> None:
        """Removes the file."""
        remove_file(self.path)


def read_plan(path: Path) -> PlanFile:
    """One plan record.

    Raises:
        MalformedFileError: it cannot be read.
    """
    try:
        document = parse_document(path.read_bytes(), path)
    except OSError as error:
        raise MalformedFileError(path, error.strerror or str(error)) from None
    return PlanFile(path, from_document(document, PlanRecord, path), document)


def readable_plans(
    root: Path, skipped: Callable[[MalformedFileError], None] = lambda error: None
) -> Iterator[PlanFile]:
    """The plan records of a project in path order.

    Args:
        root: the project root.
        skipped: told about those that cannot be read, which are left out.
    """
    for path in sorted(Path(entry.path) for entry in entries(root / PLAN_STATE) if entry.name.endswith(".json")):
        try:
            yield read_plan(path)
        except MalformedFileError as error:
            skipped(error)


def plan_state_path(root: Path, plan_id: str) -> Path:
    """Where the record of a plan is.

    Raises:
        InvalidIdError: the id cannot name a file (decision D16).
    """
    if not is_single_component(plan_id):
        raise InvalidIdError("plan id", plan_id)
    return root / PLAN_STATE / f"{plan_id}.json"


def save_plan(root: Path, plan: PlanRecord, mode: int) -> Path:
    """Creates or updates the record of a plan; the scheduler lock must be held (WS-09-12).

    What the new record leaves open stays as it is, when it was created as well, and so do jobs of other phases.

    Args:
        root: the project root.
        plan: the record as it is to be; null for what is not known.
        mode: permission bits of the file.

    Returns:
        The file.

    Raises:
        InvalidIdError: the id cannot name a file.
        MalformedFileError: there is a record that cannot be read.
        OSError: it cannot be written.
    """
    path = plan_state_path(root, plan.plan_id)
    if not path.exists():
        atomic_write(path, pretty(to_plain(plan)), mode=mode, durable=True)
        return path
    file = read_plan(path)
    known = {name: value for name, value in msgspec.structs.asdict(plan).items() if value is not None}
    known["created_at"] = file.record.created_at.strip() or plan.created_at
    named = {phase: job_id for phase, job_id in plan.job_ids.items() if phase.strip() and job_id.strip()}
    known["job_ids"] = {**file.record.job_ids, **named}
    file.write(msgspec.structs.replace(file.record, **known), mode)
    return path
