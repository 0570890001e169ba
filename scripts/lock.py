#!/usr/bin/env python3
"""Pin every dependency of the project, with hashes, in requirements/lock-*.txt.

    scripts/lock.py             write the lock files; versions already pinned stay
    scripts/lock.py --upgrade   the same with the newest versions that pyproject.toml allows
    scripts/lock.py --check     write nothing; fail when a lock file is not what would be written

What to lock stands in pyproject.toml: the dependencies and the groups `build`, `dev` and `pip`. One resolution covers
Python 3.11 to 3.14 on every system (markers tell them apart), and every wheel of a release is listed with its hash. The
development lock is made first and binds the others, so a package has one version everywhere. Afterwards each lock is
resolved once more for every pair in `PYTHONS` x `PLATFORMS` from wheels only: a release that lacks one is refused
here, not on a user's machine. The wheel of pip itself is kept beside the locks: a Python without pip needs a first one.

Needs a package index (the usual `PIP_*` and `UV_*` variables name another one or its certificate). The same pins give
the same files; the resolver is uv, in the version below, installed into a temporary directory.
"""

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
REQUIREMENTS = ROOT / "requirements"
PYTHONS = ("3.11", "3.12", "3.13", "3.14")
#: manylinux_2_28 covers every Debian, Ubuntu, Fedora and RHEL since 2019.
PLATFORMS = (
    "x86_64-manylinux_2_28",
    "aarch64-manylinux_2_28",
    "x86_64-unknown-linux-musl",
    "aarch64-unknown-linux-musl",
    "x86_64-apple-darwin",
    "aarch64-apple-darwin",
)
UV_REQUIREMENT = "uv==0.13.9"


class Lock(NamedTuple):
    """One lock file: its name and which parts of pyproject.toml it resolves."""

    name: str
    project: bool  #: whether the project's own dependencies belong to it
    groups: tuple[str, ...]

    @property
    def file_name(self) -> str:
        """Name of the file in requirements/."""
        return f"lock-{self.name}.txt"


DEVELOPMENT = Lock("dev", project=True, groups=("dev",))
LOCKS = (
    DEVELOPMENT,
    Lock("runtime", project=True, groups=()),
    Lock("build", project=False, groups=("build",)),
    Lock("pip", project=False, groups=("pip",)),
)


class LockError(Exception):
    """A lock cannot be made or is out of date; the text says which and why."""


def main() -> int:
    """Write or check the lock files; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument("--upgrade", action="store_true", help="take the newest allowed versions")
    mode.add_argument("--check", action="store_true", help="write nothing, fail on any difference")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="vizier-lock-") as scratch:
        try:
            refresh(Path(scratch), upgrade=options.upgrade, check=options.check)
        except LockError as error:
            print(f"lock: {error}", file=sys.stderr)
            return 1
    return 0


def refresh(scratch: Path, *, upgrade: bool, check: bool) -> None:
    """Resolve into `scratch`, verify, then compare with or replace what requirements/ holds."""
    uv = install_uv(scratch / "uv")
    made = scratch / "made"
    made.mkdir()
    for lock in LOCKS:
        resolve(uv, lock, made, upgrade=upgrade)
        verify(uv, made / lock.file_name, scratch / "nothing")
    download_pip(made)
    if check:
        stale = [new.name for new in sorted(made.iterdir()) if not same(new, REQUIREMENTS / new.name)]
        if stale:
            raise LockError(f"out of date in requirements/: {', '.join(stale)}; run scripts/lock.py")
        return
    for new in made.iterdir():
        shutil.copyfile(new, REQUIREMENTS / new.name)
    for old in REQUIREMENTS.glob("pip-*.whl"):
        if not (made / old.name).exists():
            old.unlink()


def install_uv(target: Path) -> Path:
    """Install the resolver into `target` and return its executable."""
    command = [sys.executable, str(pip_wheel() / "pip"), "install", "--quiet", "--no-deps", "--only-binary", ":all:"]
    run([*command, "--target", str(target), UV_REQUIREMENT])
    return target / "bin" / "uv"


def pip_wheel() -> Path:
    """Return the wheel of pip that lies in requirements/."""
    wheels = list(REQUIREMENTS.glob("pip-*.whl"))
    if len(wheels) != 1:
        raise LockError(f"expected exactly one pip-*.whl in {REQUIREMENTS}, found {len(wheels)}")
    return wheels[0]


def resolve(uv: Path, lock: Lock, made: Path, *, upgrade: bool) -> None:
    """Write `made/<lock file>`, starting from the pins that requirements/ holds unless `upgrade`."""
    output = made / lock.file_name
    pinned = REQUIREMENTS / lock.file_name
    if pinned.exists() and not upgrade:
        shutil.copyfile(pinned, output)
    command = [str(uv), "pip", "compile", "--quiet", "--universal", "--python-version", PYTHONS[0]]
    command += ["--generate-hashes", "--only-binary", ":all:", "--no-annotate", "--no-header"]
    if lock.project:
        command.append("pyproject.toml")
    for group in lock.groups:
        command += ["--group", f"pyproject.toml:{group}"]
    if lock is not DEVELOPMENT:
        command += ["--constraints", str(made / DEVELOPMENT.file_name)]
    run([*command, "--output-file", str(output)])


def verify(uv: Path, lock: Path, target: Path) -> None:
    """Check that every supported Python and platform finds a hashed wheel for every line of `lock`.

    Nothing is installed; `target` only keeps the resolver from looking at an environment of the machine.

    Raises:
        LockError: A wheel is missing; the resolver's words name the package.
    """
    command = [str(uv), "pip", "install", "--dry-run", "--quiet", "--no-deps", "--require-hashes"]
    command += ["--only-binary", ":all:", "--target", str(target), "--requirements", str(lock)]
    for python in PYTHONS:
        for platform in PLATFORMS:
            run([*command, "--python-version", python, "--python-platform", platform])


def download_pip(made: Path) -> None:
    """Download the wheel that the lock of pip in `made` pins, into `made`."""
    command = [sys.executable, str(pip_wheel() / "pip"), "download", "--quiet", "--only-binary", ":all:"]
    run([*command, "--require-hashes", "--dest", str(made), "--requirement", str(made / "lock-pip.txt")])


def run(command: list[str]) -> None:
    """Run `command` in the checkout; its output becomes the error when it fails."""
    environment = {**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise LockError(f"`{' '.join(command)}` failed:\n{done.stdout}{done.stderr}".rstrip())


def same(one: Path, other: Path) -> bool:
    """Tell whether both files exist with the same content."""
    return other.exists() and digest(one) == digest(other)


def digest(path: Path) -> str:
    """Return the SHA-256 of a file's content."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


if __name__ == "__main__":
    sys.exit(main())
