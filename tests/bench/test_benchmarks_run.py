"""The benchmarks work; what they measure is for people to read."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent

pytestmark = pytest.mark.bench


@pytest.mark.parametrize(
    ("script", "arguments", "expected"),
    [
        ("overhead.py", ["--nodes", "3", "--turns", "1"], "chain of 3, exec, per node"),
        ("cold_start.py", ["--turns", "1"], "jobs show"),
        ("template_size.py", ["--nodes", "20", "40", "--turns", "1"], "toml, 40 nodes, audit"),
        ("store_size.py", ["--finished", "20", "--many", "30", "--turns", "1"], "run of 10 nodes, 20 finished"),
    ],
)
def test_a_benchmark_prints_its_ratios(script: str, arguments: list[str], expected: str) -> None:
    if script == "overhead.py" and shutil.which("make") is None:
        pytest.skip("needs make")
    done = subprocess.run([sys.executable, HERE / script, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    lines = [line for line in done.stdout.splitlines() if line.startswith(expected)]
    assert lines, done.stdout
    assert " x " in lines[0]
