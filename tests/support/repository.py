"""A throw-away git repository with the program under test.

Knows the program from outside only: its command line, its output, and the files under `.vizier` that are contract.
"""

import atexit
import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar

from support.processes import Survivor, living

#: The program under test; the gate names it, otherwise it is the one beside the interpreter that runs the tests.
VIZIER = shlex.split(os.environ.get("VIZIER_BIN") or str(Path(sys.executable).with_name("vizier")))
#: Seconds after which a condition that does not come true fails a test. Generous: the machines are slow and shared.
PATIENCE = float(os.environ.get("VIZIER_TEST_PATIENCE", "60"))
TERMINAL = frozenset({"succeeded", "failed", "cancelled", "blocked_by_dependency", "blocked_by_approval"})
#: What the program may see of the environment the tests run in; everything else is set here.
_KEPT = ("PATH", "LANG", "LC_ALL", "COVERAGE_PROCESS_START", "COVERAGE_PROCESS_CONFIG")

_NO_GIT_CONFIGURATION: Final = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
_IDENTITY: Final = {
    f"GIT_{role}_{key}": value
    for role in ("AUTHOR", "COMMITTER")
    for key, value in (("NAME", "Test"), ("EMAIL", "test@example.invalid"))
}

T = TypeVar("T")


class Finished(NamedTuple):
    """A command that has ended."""

    argv: list[str]
    #: Exit code; negative is the number of the signal that ended it.
    code: int
    out: str
    err: str

    def __str__(self) -> str:
        return f"{shlex.join(self.argv)} exited {self.code}\n--stdout--\n{self.out}\n--stderr--\n{self.err}"

    def ok(self) -> "Finished":
        assert self.code == 0, str(self)
        return self

    def fails(self, code: int = 1) -> "Finished":
        assert self.code == code, str(self)
        assert "Traceback" not in self.out + self.err, str(self)
        return self

    def json(self) -> Any:
        return json.loads(self.out)


class Repository:
    """A repository with one commit, a home of its own, and no git configuration but its own.

    Args:
        base: an existing directory; the repository becomes `repository` in it.
        launcher: how workers are started (`[jobs] launcher`); None for the default.
    """

    def __init__(self, base: Path, launcher: str | None = None) -> None:
        self.base = base
        self.path = base / "repository"
        home = base / "home"
        home.mkdir(parents=True)
        self.env = {
            **{name: os.environ[name] for name in _KEPT if name in os.environ},
            "HOME": str(home),
            "XDG_CONFIG_HOME": str(home / ".config"),
            "TMPDIR": str(home),
            **_NO_GIT_CONFIGURATION,
            **_IDENTITY,
            # Compiled once for all repositories of this test process, and not into the checkout.
            "PYTHONPYCACHEPREFIX": str(_shared() / "bytecode"),
        }
        shutil.copytree(_shared() / "repository", self.path)
        if launcher is not None:
            self.write(".vizier/config.toml", f'[jobs]\nlauncher = "{launcher}"\n')

    # Files

    @property
    def jobs_root(self) -> Path:
        return self.path / ".vizier" / "jobs"

    @property
    def lock(self) -> Path:
        return self.jobs_root / "scheduler.lock"

    def write(self, name: str, content: str | bytes) -> Path:
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def read(self, name: str) -> str:
        """A file's text; empty if there is none."""
        path = self.path / name
        return path.read_text(errors="replace") if path.exists() else ""

    def git(self, *args: str) -> str:
        done = subprocess.run(["git", *args], cwd=self.path, env=self.env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"git {shlex.join(args)}: {done.stderr}"
        return done.stdout.strip()

    # The program

    def vizier(self, *args: str, env: Mapping[str, str] | None = None, timeout: float = PATIENCE) -> Finished:
        return self.run(*VIZIER, *args, env=env, timeout=timeout)

    def run(self, *argv: str, env: Mapping[str, str] | None = None, timeout: float = PATIENCE) -> Finished:
        """Any program in the repository, without input."""
        done = subprocess.run(
            argv,
            cwd=self.path,
            env={**self.env, **(env or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout,
            check=False,
        )
        return Finished(list(argv), done.returncode, done.stdout, done.stderr)

    def start(self, *args: str, env: Mapping[str, str] | None = None) -> "subprocess.Popen[str]":
        """The program in the background, in a session of its own; the caller collects it."""
        return subprocess.Popen(
            [*VIZIER, *args],
            cwd=self.path,
            env={**self.env, **(env or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            start_new_session=True,
        )

    # Jobs

    def record(self, job_id: str) -> dict[str, Any]:
        record: dict[str, Any] = json.loads((self.jobs_root / job_id / "job.json").read_bytes())
        return record

    def records(self) -> dict[str, dict[str, Any]]:
        """Every record by job id; one that does not parse is an error."""
        return {path.parent.name: self.record(path.parent.name) for path in self.jobs_root.glob("*/job.json")}

    def statuses(self) -> dict[str, str]:
        return {job_id: record["status"] for job_id, record in sorted(self.records().items())}

    def job(self, node_id: str) -> str:
        """The id of the only job that runs this node."""
        found = [j for j, record in self.records().items() if record["metadata"]["workflow_node_id"] == node_id]
        assert len(found) == 1, f"jobs of node {node_id}: {found}"
        return found[0]

    def status(self, node_id: str) -> str:
        return str(self.record(self.job(node_id))["status"])

    def log(self, node_id: str, stream: str = "stderr") -> str:
        return self.read(f".vizier/jobs/{self.job(node_id)}/{stream}.log")

    # Waiting

    def wait(self, condition: Callable[[], T], what: str, seconds: float = PATIENCE) -> T:
        """Waits until a condition is true; what it returned."""
        deadline = time.monotonic() + seconds
        pause = 0.002
        while True:
            value = condition()
            if value:
                return value
            if time.monotonic() > deadline:
                raise AssertionError(f"waited in vain for {what}\n{self.situation()}")
            time.sleep(pause)
            pause = min(pause * 1.5, 0.03)

    def wait_status(self, node_id: str, *statuses: str) -> None:
        self.wait(lambda: self.status(node_id) in statuses, f"{node_id} to become {' or '.join(statuses)}")

    def wait_until_quiet(self) -> None:
        """Waits until no process works in the repository any more.

        A worker that ends just after it has started the next one can hide both from one look, but not from two.
        """
        self.wait(lambda: not self.processes() and not self.processes(), "all processes to end")

    def processes(self) -> list[Survivor]:
        """What runs inside of this repository."""
        return living(self.base)

    def situation(self) -> str:
        """The state of everything, for the message of a failed test."""
        lines = []
        for job_id, record in sorted(self.records().items()):
            schedule = record.get("schedule") or {}
            lines.append(f"{job_id}: {record['status']} pid={record['pid']} wait={schedule.get('wait_reason')}")
            lines.extend(f"    | {line}" for line in self.read(f".vizier/jobs/{job_id}/stderr.log").splitlines()[-12:])
        lines.extend(f"alive: {process}" for process in self.processes())
        return "\n".join(lines)

    def close(self) -> None:
        """Ends what still runs inside of the repository."""
        for process in self.processes():
            process.kill()


@cache
def _shared() -> Path:
    """A directory for what all repositories have in common: one to copy, which is faster than making one."""
    directory = Path(tempfile.mkdtemp(prefix="vizier-test-shared."))
    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    repository = directory / "repository"
    repository.mkdir()
    (repository / "README.md").write_text("test\n")
    env = {"PATH": os.environ["PATH"], "HOME": str(directory), **_NO_GIT_CONFIGURATION, **_IDENTITY}
    for args in (("init", "-q", "-b", "main", "--template="), ("add", "."), ("commit", "-q", "-m", "initial")):
        subprocess.run(["git", *args], cwd=repository, env=env, check=True)
    return directory
