"""The lock files agree with pyproject.toml, with each other and with the wheel of pip that lies beside them."""

import hashlib
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
REQUIREMENTS = ROOT / "requirements"
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())


def pins(lock: str) -> dict[str, str]:
    """Package to version, for each line of a lock file."""
    lines = (REQUIREMENTS / f"lock-{lock}.txt").read_text().splitlines()
    return dict(line.split(";")[0].strip(" \\").split("==") for line in lines if not line.startswith(" "))


def wanted(*groups: str) -> list[Requirement]:
    """What the named dependency groups ask for, included groups left out."""
    return [
        Requirement(entry)
        for group in groups
        for entry in PROJECT["dependency-groups"][group]
        if isinstance(entry, str)
    ]


RUNTIME = [Requirement(entry) for entry in PROJECT["project"]["dependencies"]]


@pytest.mark.parametrize(
    ("lock", "requirements"),
    [
        ("runtime", RUNTIME),
        ("build", wanted("build")),
        ("dev", [*RUNTIME, *wanted("build", "dev")]),
        ("pip", wanted("pip")),
    ],
    ids=["runtime", "build", "dev", "pip"],
)
def test_every_requirement_is_pinned_to_a_version_it_allows(lock, requirements):
    pinned = pins(lock)
    wrong = [str(r) for r in requirements if not r.specifier.contains(pinned.get(canonicalize_name(r.name), "0"))]
    assert wrong == [], "run scripts/lock.py"


@pytest.mark.parametrize("lock", ["runtime", "build", "dev", "pip"])
def test_every_pin_has_hashes(lock):
    text = (REQUIREMENTS / f"lock-{lock}.txt").read_text()
    entries = re.split(r"\n(?=\S)", text.strip())
    assert len(entries) == len(pins(lock))
    assert [entry.splitlines()[0] for entry in entries if not re.search(r"--hash=sha256:[0-9a-f]{64}", entry)] == []


@pytest.mark.parametrize("lock", ["runtime", "build"])
def test_what_is_shipped_is_what_is_tested(lock):
    assert pins(lock).items() <= pins("dev").items()


def test_runtime_lock_holds_no_tools():
    assert not pins("runtime").keys() & {"pytest", "mypy", "ruff", "hatchling"}


def test_wheel_of_pip_is_the_locked_one():
    wheels = list(REQUIREMENTS.glob("*.whl"))
    assert [wheel.name.split("-")[:2] for wheel in wheels] == [["pip", pins("pip")["pip"]]]
    assert hashlib.sha256(wheels[0].read_bytes()).hexdigest() in (REQUIREMENTS / "lock-pip.txt").read_text()
