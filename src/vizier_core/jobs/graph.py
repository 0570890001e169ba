"""How jobs depend on each other: by name, and through the artifacts they make and need (spec 01 §11, 03 §14)."""

from collections.abc import Iterable, Mapping

from vizier_core.index import Head

_Artifact = tuple[int, str, str]


class ScheduleGraph:
    """The graph over all readable records, oldest first."""

    def __init__(self, heads: Mapping[str, Head]) -> None:
        self.heads = heads
        self._after_dependents: dict[str, list[str]] = {}
        self._producers: dict[_Artifact, list[str]] = {}
        self._consumers: dict[_Artifact, list[str]] = {}
        for head in sorted(heads.values(), key=lambda head: head.age_key):
            for predecessor in dict.fromkeys(head.after):
                self._after_dependents.setdefault(predecessor, []).append(head.job_id)
            for artifact in dict.fromkeys(head.needs):
                self._consumers.setdefault(artifact, []).append(head.job_id)
            for artifact in dict.fromkeys(head.makes):
                self._producers.setdefault(artifact, []).append(head.job_id)

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
