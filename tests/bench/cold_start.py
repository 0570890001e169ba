"""Start-up: commands against `python -c pass` of the same interpreter, in turns."""

import argparse
import json
import subprocess
from pathlib import Path

from common import VIZIER, Scratch, chain, header, row, scratch, timed


def interpreter() -> str:
    """The Python that runs vizier."""
    with open(VIZIER[0], encoding="utf-8") as file:
        first = file.readline()
    return first.removeprefix("#!").strip() if first.startswith("#!") else "python3"


def commands(repository: Scratch) -> dict[str, list[str]]:
    """What is measured."""
    job = json.loads(repository.run("run", "flow.json", "--format", "json"))["root_job_ids"][0]
    return {
        "--version": ["--version"],
        "--help": ["--help"],
        "jobs show": ["jobs", "show", job],
        "completion of a job id": ["--", "vizier", "jobs", "show", job[:-2]],
        "jobs status": ["jobs", "status", job],
        "jobs list": ["jobs", "list"],
        "run --check": ["run", "flow.json", "--check"],
    }


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=40)
    turns = parser.parse_args().turns
    python = interpreter()
    with scratch() as repository:
        (repository.path / "flow.json").write_text(json.dumps(chain(1)))

        def start(command: list[str], **more: str) -> float:
            env = {**repository.env, **more}
            return timed(lambda: subprocess.run(command, cwd=repository.path, env=env, check=True, capture_output=True))

        measured = commands(repository)
        times: dict[str, list[float]] = {name: [] for name in measured}
        empty: list[float] = []
        for _ in range(turns):
            empty.append(start([python, "-c", "pass"]))
            for name, words in measured.items():
                # Completion is asked for as the script of bash does.
                more = {"COMPLETE": "bash", "VIZIER_COMPLETE_INDEX": "3"} if words[0] == "--" else {}
                times[name].append(start([*VIZIER, *words], **more))
        print(header(f"{Path(python).name} -c"))
        for name, values in times.items():
            print(row(name, values, empty))


if __name__ == "__main__":
    main()
