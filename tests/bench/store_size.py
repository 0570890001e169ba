"""What finished jobs cost: a run of ten nodes, and the views, with an empty store and with a full one, in turns."""

import argparse
import os
import subprocess
from pathlib import Path

from common import VIZIER, Scratch, chain, header, row, scratch, timed

#: What is looked at; `JOB` stands for the only job that both stores have had from the beginning.
VIEWS = (
    ("jobs", "list"),
    ("jobs", "schedule"),
    ("jobs", "show", "JOB"),
    ("jobs", "status", "JOB"),
    ("jobs", "list", "--all", "--format", "json"),
)


def fill(repository: Scratch, count: int) -> str:
    """Runs one job and copies its record until there are so many; the id of the job."""
    repository.run_flow(chain(1))
    (source,) = (path for path in repository.jobs.iterdir() if (path / "job.json").is_file())
    record = (source / "job.json").read_text()
    for number in range(count - 1):
        name = f"wf-run_{number:032x}-n0"
        target: Path = repository.jobs / name
        target.mkdir()
        (target / "job.json").write_text(record.replace(source.name, name))
    return source.name


def peak_memory(repository: Scratch, *args: str) -> int:
    """The most memory that a command has had at a time, in bytes."""
    process = subprocess.Popen([*VIZIER, *args], cwd=repository.path, env=repository.env, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"vizier {' '.join(args)} exited {process.returncode}")
    return usage.ru_maxrss * 1024


def measure_times(finished: int, turns: int) -> None:
    """Prints what runs and views take, against an empty store."""
    with scratch() as empty, scratch() as full:
        jobs = {id(empty): fill(empty, 1), id(full): fill(full, finished)}
        first = timed(lambda: full.run("jobs", "list"))
        print(header("empty store"))
        print(f"{'first jobs list, makes the index':<34} {first * 1000:9.2f} ms")
        ours, theirs = [], []
        for _ in range(turns):
            with scratch() as fresh:
                theirs.append(fresh.run_flow(chain(10)))
            ours.append(full.run_flow(chain(10)))
        print(row(f"run of 10 nodes, {finished:,} finished", ours, theirs))
        for words in VIEWS:
            times: dict[int, list[float]] = {id(empty): [], id(full): []}
            for _ in range(turns):
                for repository in (empty, full):
                    args = [jobs[id(repository)] if word == "JOB" else word for word in words]
                    times[id(repository)].append(timed(lambda store=repository, args=args: store.run(*args)))
            print(row(" ".join(words), times[id(full)], times[id(empty)]))


def measure_memory(finished: int) -> None:
    """Prints the memory that views of all jobs need."""
    with scratch() as full:
        fill(full, finished)
        for words in (("jobs", "list", "--all"), ("jobs", "list", "--all", "--format", "json")):
            for call in ("first", "second"):
                peak = peak_memory(full, *words) / 1e6
                print(f"{' '.join(words)}, {finished:,} finished, {call} call: {peak:.0f} MB")


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--finished", type=int, default=10_000, help="finished jobs in the store that is timed")
    parser.add_argument("--many", type=int, default=50_000, help="finished jobs in the store whose memory is measured")
    parser.add_argument("--turns", type=int, default=5)
    arguments = parser.parse_args()
    measure_times(arguments.finished, arguments.turns)
    measure_memory(arguments.many)


if __name__ == "__main__":
    main()
