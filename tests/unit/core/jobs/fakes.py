"""A launcher that starts nothing, for tests of what is decided about workers."""

from collections.abc import Callable

from vizier_core.jobs.model import LivenessState, WorkerIdentity
from vizier_core.launcher import Probe, StartedWorker, StartRequest, WorkerHandle
from vizier_core.launcher.port import Commit

ALIVE = Probe(LivenessState.ALIVE)
GONE = Probe(LivenessState.STALE_NOT_RUNNING, "worker process 7 is not running")


def identity(token: str = "t", start_ticks: int = 1) -> WorkerIdentity:
    return WorkerIdentity(token=token, start_ticks=start_ticks, boot_id="boot", pid_namespace=1, host="here")


class FakeLauncher:
    """Says what it is told to say about workers, and remembers what was asked of it."""

    def __init__(self) -> None:
        #: What is known about the worker of a job; alive by default.
        self.probes: dict[str, Probe] = {}
        #: Jobs whose worker cannot be started, with what happens instead.
        self.failures: dict[str, Exception] = {}
        self.started: list[str] = []
        self.stopped: list[tuple[str, float]] = []

    def start(self, request: StartRequest, commit: Commit, on_fork: Callable[[], None]) -> StartedWorker:
        if request.job_id in self.failures:
            raise self.failures[request.job_id]
        worker = StartedWorker(1000 + len(self.started), identity())
        commit(worker.identity, worker.pid)
        self.started.append(request.job_id)
        return worker

    def probe(self, handle: WorkerHandle) -> Probe:
        return self.probes.get(handle.job_id, ALIVE)

    def stop(self, handle: WorkerHandle, grace: float) -> list[int]:
        self.stopped.append((handle.job_id, grace))
        return []
