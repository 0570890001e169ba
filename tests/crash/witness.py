"""Watches the records while the program works: every state that a reader could see has to make sense."""

import json
import threading
from collections.abc import Collection
from types import TracebackType

from support.repository import TERMINAL, Repository

#: Pause between two looks at all records, in seconds.
_PAUSE = 0.003


class Witness:
    """Reads all records again and again until the `with` block ends, which fails if something was wrong.

    No record is ever half written or lost, no attempt is counted back, and no terminal status of an attempt ever
    becomes another status (decision D6).

    Args:
        repository: where to look.
        collectable: jobs that may vanish.
    """

    def __init__(self, repository: Repository, collectable: Collection[str] = ()) -> None:
        self._repository = repository
        self._collectable = frozenset(collectable)
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._done = threading.Event()
        #: The last attempt and status of each job.
        self._seen: dict[str, tuple[int, str]] = {}
        self.problems: list[str] = []

    def __enter__(self) -> "Witness":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._done.set()
        self._thread.join()
        self._look()
        if error is None:
            assert not self.problems, "\n".join(self.problems)

    def _watch(self) -> None:
        while not self._done.wait(_PAUSE):
            self._look()

    def _look(self) -> None:
        found = {path.parent.name: path for path in self._repository.jobs_root.glob("*/job.json")}
        found = {job_id: path for job_id, path in found.items() if job_id not in self._collectable}
        self.problems += [f"lost: {job_id}" for job_id in self._seen.keys() - found.keys()]
        for job_id, path in found.items():
            try:
                record = json.loads(path.read_bytes())
            except (OSError, ValueError) as error:
                self.problems.append(f"{job_id}: {error}")
                continue
            self._compare(job_id, record["metadata"]["workflow_node_attempt"], record["status"])

    def _compare(self, job_id: str, attempt: int, status: str) -> None:
        before, old = self._seen.get(job_id, (attempt, status))
        if attempt < before or (attempt == before and old in TERMINAL and old != status):
            self.problems.append(f"{job_id}: attempt {before} was {old}, attempt {attempt} is {status}")
        self._seen[job_id] = (attempt, status)
