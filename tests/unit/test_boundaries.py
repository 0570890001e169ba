"""What the packages may touch (design §1): the kernel and the template language nothing, core no command line.

import-linter checks the same from the other side, by a list of what is forbidden (pyproject.toml).
"""

import ast
import importlib
import json
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

PROBE = Path(__file__).parent / "purity_probe.py"
PROBE_OF_CORE = Path(__file__).parent / "core_alone_probe.py"
SOURCES = Path(__file__).parents[2] / "src"


def python(*arguments: str | Path, **variables: str) -> str:
    """Run an interpreter of its own and return what it prints."""
    environment = {"PATH": os.environ["PATH"], **variables}
    command = [sys.executable, "-P", "-B", *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def allowed_imports() -> set[str]:
    """`ALLOWED` of the probe, read from its text: it is a script of its own, not a module."""
    constants = {
        node.targets[0].id: node.value
        for node in ast.parse(PROBE.read_text()).body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    }
    return {node.value for node in ast.walk(constants["ALLOWED"]) if isinstance(node, ast.Constant)}


def imported(module: Path) -> set[str]:
    """Top-level names of everything that a module imports, wherever in its text."""
    nodes = list(ast.walk(ast.parse(module.read_text())))
    plain = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    named = {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom) and not node.level}
    return {name.split(".")[0] for name in plain | named}


@pytest.mark.parametrize(("package", "excluded"), [("vizier_hcl", "msgspec"), ("vizier_kernel", "")])
def test_pure_package_imports_only_what_cannot_reach_outside(package, excluded):
    allowed = allowed_imports() - {excluded} | {package}
    modules = list((SOURCES / package).rglob("*.py"))
    assert modules
    assert {str(path): names for path in modules if (names := imported(path) - allowed)} == {}


def test_importing_and_calling_the_pure_packages_reaches_nothing_outside():
    report = json.loads(python(PROBE))
    assert report["violations"] == []
    assert report["uncalled"] == [], "public functions that purity_probe.py does not use yet"


@pytest.mark.parametrize(
    "trace",
    [
        "os._Environ.__getitem__",
        "random.random",
        "time.monotonic",
        "builtins.now",
        "builtins.print",
        "open ('/dev/null'",
        "subprocess.Popen ('true'",
    ],
)
def test_the_watch_notices_each_kind_of_impurity(trace, noticed):
    assert [violation for violation in noticed if violation.startswith(f"call: {trace}")]


@pytest.fixture(scope="module")
def noticed() -> list[str]:
    return json.loads(python(PROBE, "--self-test"))["violations"]


@pytest.mark.parametrize("facade", ["vizier_hcl", "vizier_kernel.scheduler", "vizier_kernel.template"])
def test_facade_offers_what_it_names_not_a_module_of_the_same_name(facade):
    module = importlib.import_module(facade)
    assert [name for name in module.__all__ if isinstance(getattr(module, name), ModuleType)] == []


@pytest.fixture
def without_command_line(tmp_path) -> dict[str, str]:
    """Variables under which no Python, not even one that a worker starts, can import the command line."""
    (tmp_path / "path").mkdir()
    (tmp_path / "path" / "vizier_cli.py").write_text("raise ImportError('core must do without the command line')\n")
    return {"PYTHONPATH": str(tmp_path / "path"), "HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path)}


def test_every_module_of_core_imports_without_the_command_line(without_command_line):
    paths = sorted((SOURCES / "vizier_core").rglob("*.py"))
    modules = [".".join(path.relative_to(SOURCES).with_suffix("").parts).removesuffix(".__init__") for path in paths]
    assert "vizier_core.jobs" in modules
    python("-c", f"import {', '.join(modules)}", **without_command_line)


@pytest.mark.parametrize("form", ["auto", "exec"])
def test_core_runs_a_flow_without_the_command_line(tmp_path, without_command_line, form):
    repository = tmp_path / "repository"
    subprocess.run(["git", "init", "--quiet", repository], check=True)
    assert python(PROBE_OF_CORE, repository, form, **without_command_line) == "succeeded done"


def test_the_command_line_is_really_out_of_reach(without_command_line):
    with pytest.raises(AssertionError, match="core must do without"):
        python("-c", "import vizier_cli.main", **without_command_line)
