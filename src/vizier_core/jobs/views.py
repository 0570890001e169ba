"""What views ask about all jobs at once, without taking the lock or changing anything (spec 03 §1)."""

from collections.abc import Iterator

import msgspec

from vizier_core.jobs.context import JobsContext
from vizier_core.jobs.graph import Edge, ScheduleGraph
from vizier_core.jobs.model import JobRecord
from vizier_kernel.artifacts import Artifact
from vizier_kernel.scheduler import JobStatus


class JobListing(msgspec.Struct, frozen=True):
    """The jobs that a list shows, newest first, and how many it hides."""

    context: JobsContext
    visible: list[str]
    hidden: dict[JobStatus, int]

    @property
    def is_empty(self) -> bool:
        """There are no jobs at all."""
        return not self.visible and not any(self.hidden.values())

    def records(self) -> Iterator[JobRecord]:
        """The visible records, read one by one: a store may hold more than fits into memory."""
        for job_id in self.visible:
            record = self.context.find(job_id)
            if record is not None:
                yield record


class Schedule(msgspec.Struct, frozen=True):
    """The jobs that the schedule shows, and the graph they are part of."""

    context: JobsContext
    graph: ScheduleGraph
    roots: list[str]

    def records(self) -> Iterator[JobRecord]:
        """The records of the roots; a view that looks again and again opens only those that have changed (WS-03-30)."""
        for job_id in self.roots:
            record = self.context.index.find(job_id)
            if record is not None:
                yield record

    def edges(self, depth: int) -> list[Edge]:
        """What the roots wait for, up to a depth."""
        return self.graph.edges(self.roots, depth)

    def existing(self, edges: list[Edge]) -> set[Artifact]:
        """Those of the artifacts without a producer that exist anyway."""
        from vizier_core.jobs.facts import ArtifactProbe  # noqa: PLC0415 - may start git, so only when asked
        from vizier_core.vcs import Git  # noqa: PLC0415
        from vizier_core.vcs.refs import RepositoryView  # noqa: PLC0415

        wanted = {edge.artifact for edge in edges if edge.target is None and edge.artifact is not None}
        if not wanted:
            return set()
        return ArtifactProbe(self.context.store, RepositoryView(Git(self.context.root))).existing(wanted)


def list_jobs(context: JobsContext, *, show_succeeded: bool, show_failed: bool) -> JobListing:
    """Every readable job; each record that cannot be read is warned about once (ruling R3)."""
    _look(context)
    shown = {JobStatus.SUCCEEDED: show_succeeded, JobStatus.FAILED: show_failed}
    heads = sorted(context.index.heads.values(), key=lambda head: (-head.created_at, head.job_id))
    visible = [head.job_id for head in heads if shown.get(head.status, True)]
    statuses = [head.status for head in heads]
    hidden = {status: statuses.count(status) for status in (JobStatus.FAILED, JobStatus.SUCCEEDED) if not shown[status]}
    return JobListing(context, visible, hidden)


def view_schedule(context: JobsContext, *, show_all: bool, focus: str | None, depth: int) -> Schedule:
    """The schedule: all visible jobs, or those around one job (spec 03 §14)."""
    _look(context)
    graph = ScheduleGraph(context.index.heads)
    return Schedule(context, graph, graph.roots(show_all=show_all, focus=focus, depth=depth))


def _look(context: JobsContext) -> None:
    context.index.refresh(complete=True)
    context.warn_of_malformed_records()
    context.index.save()
