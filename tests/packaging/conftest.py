"""Distributions built from this checkout, without a network."""

import subprocess
import sys
import sysconfig
import venv
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[2]


class Distributions(NamedTuple):
    """What a release consists of."""

    wheel: Path
    sdist: Path


def build(source: Path, target: Path, kind: str) -> Path:
    """Builds one distribution with the back end of this environment."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", kind, "-d", target]
    done = subprocess.run(command, cwd=source, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (made,) = target.glob("*.whl" if kind == "wheel" else "*.tar.gz")
    return made


@pytest.fixture(scope="session")
def distributions(tmp_path_factory: pytest.TempPathFactory) -> Distributions:
    target = tmp_path_factory.mktemp("distributions")
    return Distributions(build(ROOT, target / "wheel", "wheel"), build(ROOT, target / "sdist", "sdist"))


@pytest.fixture(scope="session")
def installation(distributions: Distributions, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with the wheel; libraries are those of the environment that runs the tests."""
    home = tmp_path_factory.mktemp("installation") / "env"
    venv.create(home, with_pip=False)
    pip = next((ROOT / "requirements").glob("pip-*.whl"))
    subprocess.run(
        [
            *(home / "bin" / "python", "-I", f"{pip}/pip", "install", "--quiet", "--no-index", "--no-deps"),
            *("--disable-pip-version-check", "--no-compile", distributions.wheel),
        ],
        check=True,
        capture_output=True,
    )
    (packages,) = home.glob("lib/python*/site-packages")
    # Found behind what the wheel has brought; the editable installation there stays out.
    (packages / "libraries.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return home
