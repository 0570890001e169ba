"""What cicd.sh and demo.sh answer before they prepare anything, and the isolation that both rely on."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def run(*command: str | Path, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, cwd="/", env={**os.environ, **variables}, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("script", ["cicd.sh", "demo.sh"])
def test_help_describes_the_script_and_does_nothing(script):
    done = run(ROOT / script, "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"usage: ./{script}")


@pytest.mark.parametrize(
    ("script", "arguments"),
    [("cicd.sh", ["--quik"]), ("cicd.sh", ["tests/unit"]), ("demo.sh", ["--ci"]), ("demo.sh", ["one", "two"])],
)
def test_wrong_usage_is_refused_at_once(script, arguments):
    done = run(ROOT / script, *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert f"usage: ./{script}" in done.stderr


def test_demo_names_a_missing_git(tmp_path):
    done = run("/bin/sh", ROOT / "demo.sh", PATH=str(tmp_path))
    assert done.returncode == 1
    assert "git" in done.stderr


def test_isolation_hides_what_belongs_to_the_caller(tmp_path):
    leaks = {"GIT_DIR": "/leak", "GIT_AUTHOR_NAME": "leak", "VIZIER_CONFIG_FILE": "/leak", "XDG_CONFIG_HOME": "/leak"}
    script = f". {ROOT}/scripts/isolated.sh; isolate {tmp_path}; env"
    done = run("sh", "-euc", script, **leaks, PYTHONPATH="/leak", KEPT="a\nGIT_X=1")
    assert done.returncode == 0, done.stderr
    assert "leak" not in done.stdout
    assert {f"HOME={tmp_path}", "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1", "KEPT=a"} <= {
        *done.stdout.splitlines()
    }


#: Every shell script of the checkout.
SCRIPTS = sorted(
    str(path.relative_to(ROOT)) for path in (*ROOT.glob("*.sh"), *ROOT.glob("scripts/*.sh"), ROOT / ".ci" / "run")
)


@pytest.mark.parametrize("script", SCRIPTS)
def test_ws_09_32_scripts_need_no_more_than_the_shell_they_name(script):
    assert (ROOT / script).read_text().startswith(("#!/bin/sh\n", "# shellcheck shell=sh\n"))
    checker = shutil.which("shellcheck")
    if checker is None:
        pytest.skip("needs shellcheck")
    done = run(checker, "--shell=sh", "--severity=warning", ROOT / script)
    assert (done.returncode, done.stdout) == (0, "")
