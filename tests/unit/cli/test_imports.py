"""What a command loads is what its start costs: modules that it does without stay out (design §4).

As sets of names: how long they take depends on the machine.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

PROBE = Path(__file__).parent / "imports_probe.py"
#: Parts of the program that only those load who schedule, start or run something.
MACHINERY = {"vizier_core.jobs.scheduler", "vizier_core.jobs.workflow_runtime", "vizier_core.launcher"}
TEMPLATES = {"vizier_hcl", "vizier_kernel.template", "vizier_core.flow"}
#: Dear modules of the standard library, and libraries. (`inspect` and `uuid` come with msgspec.)
DEAR = {
    *("argparse", "asyncio", "dataclasses", "difflib", "email", "importlib.metadata", "importlib.resources", "logging"),
    *("multiprocessing", "psutil", "rich", "setproctitle", "shutil", "socket", "sqlite3", "subprocess", "tempfile"),
    *("tomli_w", "tomllib", "traceback", "unittest", "zoneinfo"),
}

Loaded = Callable[..., set[str]]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with one finished job and one that waits."""
    root = tmp_path / "project"
    (root / ".git").mkdir(parents=True)
    for job_id, status in (("job-a", "succeeded"), ("job-b", "waiting_on_deps")):
        directory = root / ".vizier" / "jobs" / job_id
        directory.mkdir(parents=True)
        record = {
            "id": job_id,
            "status": status,
            "command": ["vizier", "run", "flow"],
            "created_at": "2026-03-04T09:15:02Z",
            "stdout_path": "",
            "stderr_path": "",
        }
        (directory / "job.json").write_text(json.dumps(record))
    return root


@pytest.fixture
def loaded(project: Path, tmp_path: Path) -> Loaded:
    """Runs a command and tells which modules it has loaded."""

    def run(*words: str, code: int = 0) -> set[str]:
        report = tmp_path / "modules"
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(tmp_path),
            "PYTHONPATH": os.environ.get("PYTHONPATH", ""),
        }
        command = [sys.executable, "-P", "-B", PROBE, report, *words]
        done = subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == code, done.stderr
        return set(report.read_text().split())

    return run


def unwanted(modules: set[str], forbidden: set[str]) -> set[str]:
    """Those that are forbidden, or parts of something that is."""
    return {name for name in modules if any(name == one or name.startswith(f"{one}.") for one in forbidden)}


@pytest.mark.parametrize("word", ["--version", "-V"])
def test_the_version_costs_nothing(loaded: Loaded, word: str) -> None:
    own = {name for name in loaded(word) if name.startswith("vizier")}
    assert own == {"vizier_cli", "vizier_cli.main", "vizier_core", "vizier_core.version"}
    assert loaded(word) - own == set()


@pytest.mark.parametrize(
    "words", [["--help"], ["help"], ["help", "jobs"], ["run", "--help"], [], ["jobs"]], ids=" ".join
)
def test_help_loads_nothing_of_jobs(loaded: Loaded, words: list[str]) -> None:
    modules = loaded(*words)
    assert unwanted(modules, {*MACHINERY, *TEMPLATES, *DEAR}) == set()


@pytest.mark.parametrize("words", [["--help"], ["run", "--help"], ["jobs"]], ids=" ".join)
def test_help_loads_no_data_library(loaded: Loaded, words: list[str]) -> None:
    assert unwanted(loaded(*words), {"json", "msgspec", "pathlib"}) == set()


def test_usage_errors_load_nothing_of_jobs(loaded: Loaded) -> None:
    modules = loaded("jobs", "list", "--nonsense", code=2)
    assert unwanted(modules, {*MACHINERY, *TEMPLATES, *DEAR, "json", "msgspec"}) == set()


@pytest.mark.parametrize(
    "words",
    [
        ["jobs", "show", "job-a"],
        ["jobs", "show", "job-a", "--format", "json"],
        ["jobs", "status", "job-a"],
        ["jobs", "list"],
        ["jobs", "list", "--all", "--format", "table"],
        ["jobs", "list", "--format", "json"],
    ],
    ids=" ".join,
)
def test_views_load_neither_templates_nor_machinery_nor_anything_dear(loaded: Loaded, words: list[str]) -> None:
    assert unwanted(loaded(*words), {*MACHINERY, *TEMPLATES, *DEAR}) == set()


def test_one_job_is_shown_without_the_index(loaded: Loaded) -> None:
    assert unwanted(loaded("jobs", "show", "job-a"), {"vizier_core.index"}) == set()


@pytest.mark.parametrize("words", [["run", "flow.hcl", "--check"], ["audit", "flow.hcl"]], ids=" ".join)
def test_checks_load_neither_the_machinery_nor_the_rest_of_the_template_language(
    loaded: Loaded, project: Path, words: list[str]
) -> None:
    (project / "flow.hcl").write_text(
        'id = "template.t"\nversion = "v1"\n'
        'nodes = [{ id = "n", kind = "shell", uses = "cap.env.shell.command.run", args = { script = "true" } }]\n'
    )
    modules = loaded(*words)
    assert unwanted(modules, {*MACHINERY, "vizier_hcl.lexer", "vizier_hcl.evaluator", *DEAR}) == set()
    assert "vizier_hcl.spelled" in modules


def test_the_probe_would_notice(loaded: Loaded, project: Path) -> None:
    """A configuration file has to be parsed."""
    (project / ".vizier" / "config.toml").write_text("")
    assert unwanted(loaded("jobs", "show", "job-a"), DEAR) >= {"tomllib"}
