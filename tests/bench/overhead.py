"""What vizier adds to a node: a chain and a fan of `true` against make, which runs the same commands in the same shell.

Time is from the first record's creation to the last job's end; make's from start to end.
"""

import argparse
import subprocess
from pathlib import Path

from common import Scratch, chain, fan, header, row, scratch, timed


def make(directory: Path, env: dict[str, str], nodes: int, *, parallel: bool) -> float:
    """Seconds that make takes for the same work."""
    lines = ["SHELL = /bin/sh", ".SHELLFLAGS = -lc", "all: " + " ".join(f"n{i}" for i in range(nodes))]
    for i in range(nodes):
        before = f"n{i - 1}" if i and not parallel else ""
        lines.append(f"n{i}: {before}\n\t@true;")
    (directory / "Makefile").write_text("\n".join(lines) + "\n")
    command = ["make", "-s", *(["-j100"] if parallel else [])]
    return timed(lambda: subprocess.run(command, cwd=directory, env=env, check=True))


def measure(form: str, nodes: int, turns: int) -> list[str]:
    """The lines for one launcher form."""
    lines = []
    for name, flow, parallel in (("chain", chain(nodes), False), ("fan", fan(nodes), True)):
        ours, theirs = [], []
        for _ in range(turns):
            with scratch() as repository:
                repository.launcher(form)
                ours.append(repository.run_flow(flow))
                theirs.append(_make(repository, nodes, parallel=parallel))
        lines.append(row(f"{name} of {nodes}, {form}, per node", ours, theirs, per=nodes))
    return lines


def _make(repository: Scratch, nodes: int, *, parallel: bool) -> float:
    return make(repository.path, repository.env, nodes, parallel=parallel)


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--nodes", type=int, default=100)
    parser.add_argument("--turns", type=int, default=5)
    arguments = parser.parse_args()
    print(header("make"))
    for form in ("auto", "exec"):
        print("\n".join(measure(form, arguments.nodes, arguments.turns)))


if __name__ == "__main__":
    main()
