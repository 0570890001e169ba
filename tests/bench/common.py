"""What the benchmarks share: scratch repositories, flows, medians."""

import json
import os
import shlex
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

VIZIER = shlex.split(os.environ.get("VIZIER_BIN") or shutil.which("vizier") or "vizier")
TERMINAL = frozenset({"succeeded", "failed", "cancelled", "blocked_by_dependency", "blocked_by_approval"})
#: Seconds after which a run that does not end is given up.
PATIENCE = 300.0


class Scratch:
    """A git repository in a temporary directory, with a home of its own."""

    def __init__(self, base: Path) -> None:
        self.path = base / "repository"
        home = base / "home"
        for directory in (self.path, home):
            directory.mkdir()
        self.env = {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_NOSYSTEM": "1",
            "LANG": "C.UTF-8",
        }
        subprocess.run(["git", "init", "-q", "."], cwd=self.path, env=self.env, check=True)

    @property
    def jobs(self) -> Path:
        """The jobs root."""
        return self.path / ".vizier" / "jobs"

    def launcher(self, form: str) -> None:
        """Chooses how workers are started."""
        (self.path / ".vizier").mkdir(exist_ok=True)
        (self.path / ".vizier" / "config.toml").write_text(f'[jobs]\nlauncher = "{form}"\n')

    def run(self, *args: str) -> str:
        """Runs vizier to its end; what it prints."""
        done = subprocess.run(
            [*VIZIER, *args], cwd=self.path, env=self.env, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise SystemExit(f"vizier {shlex.join(args)} exited {done.returncode}: {done.stderr}")
        return done.stdout

    def run_flow(self, flow: dict[str, object]) -> float:
        """Enqueues a flow and waits until it has ended; seconds from its first record to its last end."""
        (self.path / "flow.json").write_text(json.dumps(flow))
        run_id = json.loads(self.run("run", "flow.json", "--format", "json"))["run_id"]
        manifest = json.loads((self.jobs / "runs" / f"{run_id}.json").read_text())
        waiting = [self.jobs / node["job_id"] / "job.json" for node in manifest["nodes"].values()]
        ended: list[dict[str, str]] = []
        deadline = time.monotonic() + PATIENCE
        while waiting:
            # Looking costs the machine time as well: once in a while, and only at jobs that had not ended.
            time.sleep(0.1)
            records = {path: json.loads(path.read_text()) for path in waiting}
            ended += [record for record in records.values() if record["status"] in TERMINAL]
            waiting = [path for path, record in records.items() if record["status"] not in TERMINAL]
            if time.monotonic() > deadline:
                raise SystemExit(f"{len(waiting)} jobs did not end")
        unwell = [record["status"] for record in ended if record["status"] != "succeeded"]
        if unwell:
            raise SystemExit(f"jobs ended as {unwell}")
        first = min(seconds(record["created_at"]) for record in ended)
        return max(seconds(record["finished_at"]) for record in ended) - first


@contextmanager
def scratch() -> Iterator[Scratch]:
    """A scratch repository for one measurement."""
    with tempfile.TemporaryDirectory(prefix="vizier-bench.", ignore_cleanup_errors=True) as base:
        yield Scratch(Path(base))


def chain(length: int) -> dict[str, object]:
    """Nodes that wait for each other in a row."""
    return _flow([_node(i, after=[f"n{i - 1}"] if i else []) for i in range(length)])


def fan(width: int) -> dict[str, object]:
    """Nodes that do not know of each other."""
    return _flow([_node(i) for i in range(width)])


def seconds(text: str) -> float:
    """A record's time as seconds since the epoch."""
    from datetime import datetime

    return datetime.fromisoformat(text).timestamp()


def timed(action: Callable[[], object]) -> float:
    """Seconds that an action takes."""
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def row(name: str, values: list[float], yardstick: list[float], per: int = 1) -> str:
    """A line of the result: medians in milliseconds, and the median of the ratios of each turn."""
    ratios = [value / other for value, other in zip(values, yardstick, strict=True)]
    ms, other_ms = (statistics.median(v) * 1000 / per for v in (values, yardstick))
    return f"{name:<34} {ms:9.2f} ms {other_ms:9.2f} ms   x {statistics.median(ratios):.2f}"


def header(yardstick: str) -> str:
    """The title line of a result."""
    machine = f"{sys.implementation.name} {sys.version.split()[0]}, {os.cpu_count()} cores"
    return f"{machine}\n{'':<34} {'vizier':>12} {yardstick:>12}"


def _flow(nodes: list[dict[str, object]]) -> dict[str, object]:
    return {"id": "template.bench", "version": "v1", "nodes": nodes}


def _node(number: int, after: list[str] | None = None) -> dict[str, object]:
    return {
        "id": f"n{number}",
        "kind": "shell",
        "uses": "cap.env.shell.command.run",
        "args": {"script": "true"},
        # A shared lock of its own: without one every node would wait for `repo_serial`.
        "locks": [{"key": "bench", "mode": "shared"}],
        "after": [{"node_id": node_id} for node_id in after or []],
    }
