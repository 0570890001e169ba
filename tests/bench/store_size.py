"""What finished jobs cost: a run of ten nodes, and the views, with an empty store and with a full one."""

import argparse
import json
from pathlib import Path

from common import Scratch, chain, header, row, scratch, timed

VIEWS = (("jobs", "list"), ("jobs", "list", "--all", "--format", "json"))


def fill(repository: Scratch, count: int) -> None:
    """Copies the records of one finished run until there are so many."""
    repository.run_flow(chain(1))
    (source,) = (path for path in repository.jobs.iterdir() if (path / "job.json").is_file())
    record = (source / "job.json").read_text()
    for number in range(count - 1):
        name = f"wf-run_{number:032x}-n0"
        target: Path = repository.jobs / name
        target.mkdir()
        (target / "job.json").write_text(record.replace(source.name, name))


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--finished", type=int, default=10_000)
    parser.add_argument("--turns", type=int, default=5)
    arguments = parser.parse_args()
    with scratch() as empty, scratch() as full:
        fill(full, arguments.finished)
        (empty.path / "flow.json").write_text(json.dumps(chain(1)))
        full.run("jobs", "list")  # the first look makes the index
        print(header("empty store"))
        ours, theirs = [], []
        for _ in range(arguments.turns):
            with scratch() as fresh:
                theirs.append(fresh.run_flow(chain(10)))
            ours.append(full.run_flow(chain(10)))
        print(row(f"run of 10 nodes, {arguments.finished:,} finished", ours, theirs))
        for words in VIEWS:
            ours = [timed(lambda words=words: full.run(*words)) for _ in range(arguments.turns)]
            theirs = [timed(lambda words=words: empty.run(*words)) for _ in range(arguments.turns)]
            print(row(" ".join(words), ours, theirs))


if __name__ == "__main__":
    main()
