"""What has to be true after every fault, once ordinary commands have been used again."""

import fcntl
import json
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from crash.ledger import NAME as LEDGER
from crash.ledger import Start, started, starts
from support.flows import command, template
from support.left_behind import invalid_files
from support.repository import TERMINAL, Finished, Repository

#: Ordinary commands are tried so many times before a job that does not end counts as stuck.
_ROUNDS = 5


def recover(repository: Repository, *, by_following: bool = False) -> list[Finished]:
    """Brings every job to its end with commands an operator would use anyway; what they printed.

    None of them may fail, whatever has happened before.

    Args:
        repository: where; nothing is running there.
        by_following: follow the logs of the jobs that have not ended; otherwise run something else.
    """
    used = []
    for number in range(_ROUNDS):
        waiting = {j: record for j, record in repository.records().items() if record["status"] not in TERMINAL}
        unapproved = [j for j, record in waiting.items() if _waits_for_approval(record)]
        used += [repository.vizier("jobs", "approve", job_id).ok() for job_id in unapproved]
        if by_following and waiting:
            used += [repository.vizier("jobs", "tail", "--follow", job_id).ok() for job_id in waiting]
        else:
            again = f"again{number}"
            repository.write(f"{again}.json", template(command(again, started(again))))
            used.append(repository.vizier("run", f"{again}.json").ok())
        repository.wait_until_quiet()
        if set(repository.statuses().values()) <= TERMINAL:
            return used
    raise AssertionError(f"jobs that do not end:\n{repository.situation()}")


def check(repository: Repository) -> None:
    """Fails with everything that is not as it should be."""
    problems = [
        *_unfinished(repository),
        *_unparsable(repository),
        *invalid_files(repository.path),
        *_lock(repository),
        *_repeated_starts(repository),
        *_unfounded_results(repository),
        *_leftovers(repository),
        *(f"still alive: {process}" for process in repository.processes()),
    ]
    assert not problems, "\n".join([*problems, repository.situation()])


def check_output(outputs: list[Finished]) -> None:
    """No command may show its insides, and one that fails says why in a line."""
    for done in outputs:
        assert "Traceback" not in done.out + done.err, str(done)
        assert "internal error" not in done.out + done.err, str(done)
        assert "unable to load" not in done.err, str(done)
        if done.code in {1, 10}:
            assert (done.out + done.err).strip(), f"fails without a word: {done}"
        assert "[Errno" not in done.err, f"not for people: {done}"
        assert "PosixPath(" not in done.err, f"not for people: {done}"


def check_logs(repository: Repository) -> None:
    """No worker may show its insides in a log."""
    for path in repository.jobs_root.glob("*/*.log"):
        text = path.read_text(errors="replace")
        assert "Traceback" not in text, f"{path}:\n{text}"
        assert "internal error" not in text, f"{path}:\n{text}"


def _waits_for_approval(record: dict) -> bool:
    approval = record["schedule"].get("approval") or {}
    return record["status"] == "waiting_on_approval" and approval.get("state") == "pending"


def _unfinished(repository: Repository) -> Iterator[str]:
    yield from (f"{job} is {status}" for job, status in repository.statuses().items() if status not in TERMINAL)


def _unparsable(repository: Repository) -> Iterator[str]:
    """Also of files that the test has changed itself."""
    for path in repository.jobs_root.rglob("*.json"):
        try:
            json.loads(path.read_bytes())
        except (OSError, ValueError) as error:
            yield f"{path}: {error}"


def _lock(repository: Repository) -> Iterator[str]:
    """Gone, or the leftover of a dead process that anybody may take."""
    try:
        descriptor = os.open(repository.lock, os.O_RDWR)
    except FileNotFoundError:
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        yield "the scheduler lock is held"
    finally:
        os.close(descriptor)


def _repeated_starts(repository: Repository) -> Iterator[str]:
    yield from (f"started {times} times: {start}" for start, times in Counter(starts(repository)).items() if times > 1)


def _unfounded_results(repository: Repository) -> Iterator[str]:
    """Success needs a script that ran in this very attempt and all that goes with it, failure needs a reason."""
    begun = set(starts(repository))
    for job_id, record in repository.records().items():
        meta, schedule = record["metadata"], record["schedule"]
        start = Start(meta["workflow_node_id"], str(meta["workflow_node_attempt"]))
        directory = repository.jobs_root / job_id
        if record["status"] == "succeeded":
            if _keeps_ledger(repository, record) and start not in begun:
                yield f"succeeded without having run: {start}"
            yield from (f"missing: {path}" for path in _results(repository, record) if not path.is_file())
        elif record["status"] == "failed":
            log = (directory / "stderr.log").read_text(errors="replace")
            if not log.strip() and not meta.get("process_liveness_failure_reason"):
                yield f"failed without a reason: {start}"
        elif record["status"].startswith("blocked") and not (schedule["wait_reason"] or {}).get("detail"):
            yield f"blocked without a reason: {start}"


def _keeps_ledger(repository: Repository, record: dict) -> bool:
    manifest = json.loads(
        (repository.jobs_root / "runs" / f"{record['metadata']['workflow_run_id']}.json").read_bytes()
    )
    node = manifest["nodes"][record["metadata"]["workflow_node_id"]]
    return LEDGER in node["args"].get("script", "")


def _results(repository: Repository, record: dict) -> Iterator[Path]:
    """What a job that has succeeded leaves behind."""
    yield repository.path / record["outcome_path"]
    for artifact in record["schedule"]["artifacts"]:
        if "custom" in artifact:
            place = Path(*(artifact["custom"][key].encode().hex() for key in ("type_id", "key")))
            for tree in ("custom", "data"):
                if tree == "custom" or artifact["custom"]["type_id"] == "operation_output":
                    yield repository.jobs_root / "artifacts" / tree / place / f"{record['id']}.json"


def _leftovers(repository: Repository) -> Iterator[str]:
    """What is only there while a run is enqueued or rewound. `jobs gc` takes half-written files (WS-02-05)."""
    runs = repository.jobs_root / "runs"
    for name in ("enqueue.staging", "enqueue.committed", "rewind.pending"):
        if (runs / name).exists():
            yield f"left behind: {name}"
