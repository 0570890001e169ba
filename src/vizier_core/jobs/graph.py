"""How jobs depend on each other: by name, and through the artifacts they make and need (spec 01 §11, 03 §14)."""

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import NamedTuple

from vizier_core.index import Head
from vizier_kernel.artifacts import Artifact, ArtifactKind
from vizier_kernel.scheduler import JobStatus

_Artifact = tuple[int, str, str]


class Edge(NamedTuple):
    """A job waits for another job, or for an artifact that no job makes."""

    source: str
    #: The job waited for; None where no job makes the artifact.
    target: str | None
    #: What is waited for; None if it is the job itself.
    artifact: Artifact | None = None


class ScheduleGraph:
    """The graph over all readable records, oldest first."""

    def __init__(self, heads: Mapping[str, Head]) -> None:
        self.heads = heads
        self._after_dependents: dict[str, list[str]] = {}
        self._producers: dict[_Artifact, list[str]] = {}
        self._consumers: dict[_Artifact, list[str]] = {}
        for job_id in self.order:
            head = heads[job_id]
            for predecessor in dict.fromkeys(head.after):
                self._after_dependents.setdefault(predecessor, []).append(job_id)
            for artifact in dict.fromkeys(head.needs):
                self._consumers.setdefault(artifact, []).append(job_id)
            for artifact in dict.fromkeys(head.makes):
                self._producers.setdefault(artifact, []).append(job_id)

    @cached_property
    def order(self) -> list[str]:
        """All jobs, oldest first."""
        return [head.job_id for head in sorted(self.heads.values(), key=lambda head: head.age_key)]

    def in_order(self, job_ids: Iterable[str]) -> list[str]:
        """The given jobs, oldest first; those without a record come last, by id."""
        last = (float("inf"), "")
        return sorted(job_ids, key=lambda j: (*(self.heads[j].age_key if j in self.heads else last), j))

    def predecessors(self, job_id: str) -> list[str]:
        """The jobs a job waits for directly: its `after` list and every producer of what it needs."""
        head = self.heads[job_id]
        producers = (maker for need in head.needs for maker in self._producers.get(need, ()))
        return self.in_order({*head.after, *producers} & self.heads.keys())

    def dependents(self, job_id: str) -> set[str]:
        """The jobs that wait for a job directly, by name or for something it makes.

        A consumer whose own run makes the artifact reads that one (decision D13) and does not depend on other runs.
        """
        found = set(self._after_dependents.get(job_id, ()))
        head = self.heads.get(job_id)
        if head is None:
            return found
        for made in head.makes:
            runs = {self.heads[maker].run_id for maker in self._producers[made]}
            for consumer in self._consumers.get(made, ()):
                run_id = self.heads[consumer].run_id
                if run_id is None or run_id == head.run_id or run_id not in runs:
                    found.add(consumer)
        return found

    def retry_set(self, root: str) -> list[str]:
        """A job and everything downstream of it: the root first, the rest oldest first (spec 03 §4.1)."""
        reached = {root}
        frontier = [root]
        while frontier:
            fresh = self.dependents(frontier.pop()) - reached
            reached |= fresh
            frontier.extend(fresh)
        return [root, *self.in_order(reached - {root})]

    def focus_set(self, focus: str, depth: int) -> set[str]:
        """The jobs within a distance of one, along edges of any kind and direction (spec 03 §14).

        A job that is waited for but has no record links those that wait for it (ruling R25).
        """
        if focus not in self.heads:
            return set()
        reached = {focus}
        frontier = {focus}
        for _ in range(depth):
            frontier = {near for job_id in frontier for near in self._neighbours(job_id)} - reached
            if not frontier:
                break
            reached |= frontier
        return reached & self.heads.keys()

    def is_visible(self, job_id: str) -> bool:
        """Whether the schedule shows a job without being asked for all of them (spec 03 §14)."""
        status = self.heads[job_id].status
        if status is JobStatus.FAILED:
            held_up = {JobStatus.WAITING_ON_DEPS, JobStatus.BLOCKED_BY_DEPENDENCY}
            waiting = (self._after_dependents.get(job_id, ()), *map(self._consumed_by, self.heads[job_id].makes))
            return any(self.heads[dependent].status in held_up for group in waiting for dependent in group)
        return status.is_active or status.is_blocked

    def roots(self, *, show_all: bool, focus: str | None, depth: int) -> list[str]:
        """The rows of the schedule: the visible jobs, or those around one job with that one first."""
        if focus is None:
            return [job_id for job_id in self.order if show_all or self.is_visible(job_id)]
        near = self.focus_set(focus, depth)
        rest = [job_id for job_id in self.in_order(near - {focus}) if show_all or self.is_visible(job_id)]
        return [focus, *rest] if near else []

    def direct_edges(self, job_id: str) -> Iterator[Edge]:
        """What a job waits for directly: its `after` entries by id, then what it needs by kind and name."""
        head = self.heads.get(job_id)
        if head is None:
            return
        for predecessor in sorted(set(head.after)):
            yield Edge(job_id, predecessor)
        for need in sorted(head.needs):
            artifact = Artifact(ArtifactKind(need[0]), need[1], need[2])
            producers = self._producers.get(need)
            if producers is None:
                yield Edge(job_id, None, artifact)
                continue
            yield from (Edge(job_id, producer, artifact) for producer in producers)

    def edges(self, roots: Iterable[str], depth: int) -> list[Edge]:
        """The edges within a depth of the roots, in depth-first order, each once (ruling R22)."""
        found: dict[Edge, None] = {}
        expanded: dict[str, int] = {}
        for root in roots:
            pending = [(root, depth, self.direct_edges(root))] if self._expands(root, depth, expanded) else []
            while pending:
                _, left, edges = pending[-1]
                edge = next(edges, None)
                if edge is None:
                    pending.pop()
                    continue
                found[edge] = None
                if edge.target is not None and left > 1 and self._expands(edge.target, left - 1, expanded):
                    pending.append((edge.target, left - 1, self.direct_edges(edge.target)))
        return list(found)

    @staticmethod
    def _expands(job_id: str, depth: int, expanded: dict[str, int]) -> bool:
        """Whether following a job to this depth can show an edge that was not seen before (WS-03-32)."""
        if depth < 1 or expanded.get(job_id, 0) >= depth:
            return False
        expanded[job_id] = depth
        return True

    def _neighbours(self, job_id: str) -> Iterator[str]:
        head = self.heads.get(job_id)
        yield from self._after_dependents.get(job_id, ())
        if head is not None:
            yield from head.after
            for need in head.needs:
                yield from self._producers.get(need, ())
            for made in head.makes:
                yield from self._consumed_by(made)

    def _consumed_by(self, artifact: _Artifact) -> list[str]:
        return self._consumers.get(artifact, [])
