"""Build or refresh the environment that an entry script of this checkout runs in, and print its path.

    python environment.py run     the program and what it needs, installed as a user would have it
    python environment.py dev     that and the tools of the gate; the program runs from src/

Called by bootstrap.sh, which has found a suitable Python. Needs nothing but the standard library. An environment

* lies in `.cache/` of the checkout, or in the user's cache directory where the checkout is not writable;
* is named after its purpose and its Python, so that two Pythons do not take turns in destroying it;
* is made by `venv` without `ensurepip`, which Debian splits off: the wheel of pip in requirements/ installs the rest;
* holds exactly what the lock files name, from wheels whose hashes match;
* is left alone while nothing it was made from has changed, so that an entry script starts at once.

Two scripts that start together share one environment: the second waits for the first.
"""

import compileall
import enum
import fcntl
import hashlib
import json
import os
import platform
import subprocess
import sys
import venv
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
REQUIREMENTS = ROOT / "requirements"
SOURCES = ROOT / "src"
#: The newest Python that the lock files are checked against (`PYTHONS` in lock.py).
NEWEST_LOCKED = (3, 14)
#: What a caller may have set for other purposes and what would send packages elsewhere or add some.
MISLEADING = ("PIP_CONSTRAINT", "PIP_PREFIX", "PIP_ROOT", "PIP_TARGET", "PIP_USER", "PYTHONHOME", "PYTHONPATH")


class Purpose(enum.Enum):
    """What an environment is for."""

    RUN = "run"
    DEV = "dev"

    @property
    def locks(self) -> tuple[Path, ...]:
        """The lock files of its packages; those of the build install the project itself."""
        names = ("lock-dev.txt",) if self is Purpose.DEV else ("lock-runtime.txt", "lock-build.txt")
        return tuple(REQUIREMENTS / name for name in names)

    @property
    def editable(self) -> bool:
        """Whether the program runs from src/.

        Not where src/ is read-only: it could hold no bytecode, and every start would compile everything again.
        """
        return self is Purpose.DEV and os.access(SOURCES, os.W_OK)


class BootstrapError(Exception):
    """The environment cannot be made; the text says why and what to do."""


def main(arguments: list[str]) -> int:
    """Prepare the environment that `arguments` asks for and print its path; return the exit code."""
    purposes = {purpose.value: purpose for purpose in Purpose}
    if len(arguments) != 1 or arguments[0] not in purposes:
        print(f"usage: bootstrap.sh {'|'.join(purposes)}", file=sys.stderr)
        return 2
    try:
        print(prepare(purposes[arguments[0]]))
    except (BootstrapError, OSError) as error:
        print(f"bootstrap: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def prepare(purpose: Purpose) -> Path:
    """Bring the environment for `purpose` up to date and return its directory."""
    directory = environments_directory()
    environment = directory / f"{purpose.value}-{sys.implementation.cache_tag}"
    packages, project = packages_key(purpose, environment), project_key(purpose)
    with alone(directory / f"{environment.name}.lock"):
        stamp = read_stamp(environment)
        if stamp.get("packages") != packages:
            say(f"Preparing {environment} with Python {platform.python_version()} (up to a minute).")
            create(environment)
            install_packages(environment, purpose)
            stamp = write_stamp(environment, {"packages": packages})
        if stamp.get("project") != project:
            install_project(environment, purpose)
            write_stamp(environment, {**stamp, "project": project})
        if purpose.editable:
            # The caller may have PYTHONDONTWRITEBYTECODE set, and start-up time matters.
            compileall.compile_dir(SOURCES, quiet=2)
    return environment


def environments_directory() -> Path:
    """Return the directory that holds this checkout's environments, creating it.

    Raises:
        BootstrapError: Neither the checkout nor the user's cache directory can be written.
    """
    cache = os.environ.get("XDG_CACHE_HOME", "")
    user_cache = Path(cache) if os.path.isabs(cache) else Path(os.path.expanduser("~")) / ".cache"
    checkout_name = f"{ROOT.name}-{hashlib.sha256(os.fsencode(ROOT)).hexdigest()[:12]}"
    candidates = (ROOT / ".cache" / "environments", user_cache / "vizier" / "environments" / checkout_name)
    for candidate in candidates:
        try:
            candidate.mkdir(parents=True, exist_ok=True)
        except OSError:
            continue
        if os.access(candidate, os.W_OK | os.X_OK):
            return candidate
    places = " nor ".join(map(str, candidates))
    raise BootstrapError(f"can write neither {places}; let XDG_CACHE_HOME name a writable directory")


def packages_key(purpose: Purpose, environment: Path) -> str:
    """Return what the packages in `environment` depend on, as a hash."""
    python = f"{sys.version} {sys.base_prefix} {platform.machine()} {environment}"
    return hash_files([Path(__file__), REQUIREMENTS / "lock-pip.txt", *purpose.locks], python)


def project_key(purpose: Purpose) -> str:
    """Return what the installed project depends on, as a hash."""
    if purpose.editable:
        return hash_files([ROOT / "pyproject.toml", SOURCES / "vizier_core" / "version.py"], "editable")
    sources = (path for path in SOURCES.rglob("*") if path.is_file() and path.suffix != ".pyc")
    return hash_files([ROOT / "pyproject.toml", ROOT / "README.md", ROOT / "LICENSE", *sorted(sources)], "copy")


def hash_files(paths: Iterable[Path], more: str) -> str:
    """Return one hash over the names and contents of `paths` and over `more`."""
    total = hashlib.sha256(more.encode())
    for path in paths:
        total.update(b"\0" + os.fsencode(path) + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()


@contextmanager
def alone(lock: Path) -> Iterator[None]:
    """Keep other runs out for as long as the block lasts; the system frees the lock of a run that dies."""
    with lock.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("Waiting for another run that prepares the same environment.")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def read_stamp(environment: Path) -> dict[str, str]:
    """Return what `environment` was last made from; nothing if it was never finished or cannot start."""
    if not (environment / "bin" / "python").exists():
        return {}
    try:
        stamp = json.loads((environment / "stamp.json").read_text())
    except (OSError, ValueError):
        return {}
    return stamp if isinstance(stamp, dict) else {}


def write_stamp(environment: Path, stamp: dict[str, str]) -> dict[str, str]:
    """Record what `environment` is made from, and return it."""
    unfinished = environment / "stamp.json.new"
    unfinished.write_text(json.dumps(stamp))
    unfinished.replace(environment / "stamp.json")
    return stamp


def create(environment: Path) -> None:
    """Make `environment` an empty virtual environment, whatever was there."""
    venv.EnvBuilder(clear=True, symlinks=True, with_pip=False).create(environment)


def install_packages(environment: Path, purpose: Purpose) -> None:
    """Install everything that the lock files of `purpose` name.

    Raises:
        BootstrapError: A package cannot be had, or a hash differs.
    """
    locks = [argument for lock in purpose.locks for argument in ("--requirement", str(lock))]
    try:
        pip(environment, "--require-hashes", "--only-binary", ":all:", *locks)
    except BootstrapError as error:
        hint = "The packages come from the Python package index; the settings of pip (PIP_INDEX_URL, PIP_PROXY,\n"
        hint += "PIP_CERT and so on) are honoured."
        if sys.version_info[:2] > NEWEST_LOCKED:
            newest = ".".join(map(str, NEWEST_LOCKED))
            hint = f"Python {platform.python_version()} is newer than the lock files; use Python {newest} or older."
        raise BootstrapError(f"{error}\n{hint}") from error


def install_project(environment: Path, purpose: Purpose) -> None:
    """Install the project from the checkout, without touching the network or the checkout.

    Raises:
        BootstrapError: The project cannot be built.
    """
    how = ("--editable",) if purpose.editable else ()
    pip(environment, "--no-index", "--no-deps", "--no-build-isolation", "--force-reinstall", *how, str(ROOT))


def pip(environment: Path, *arguments: str) -> None:
    """Run `pip install` in `environment`, from the wheel that lies in requirements/.

    Raises:
        BootstrapError: The wheel is not the locked one, or pip fails; the end of its words is the text.
    """
    command = [str(environment / "bin" / "python"), "-I", str(pip_wheel() / "pip"), "install", "--quiet", "--no-input"]
    variables = {name: value for name, value in os.environ.items() if name not in MISLEADING}
    variables |= {"PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_ROOT_USER_ACTION": "ignore"}
    done = subprocess.run(
        [*command, *arguments],
        env=variables,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode != 0:
        words = "\n".join(done.stdout.splitlines()[-20:])
        raise BootstrapError(f"pip could not install into {environment}:\n{words}")


def pip_wheel() -> Path:
    """Return the wheel of pip in requirements/.

    Raises:
        BootstrapError: It is missing, or its hash does not stand in lock-pip.txt.
    """
    lock = REQUIREMENTS / "lock-pip.txt"
    for wheel in REQUIREMENTS.glob("pip-*.whl"):
        if f"--hash=sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}" in lock.read_text().split():
            return wheel
    raise BootstrapError(f"no wheel of pip in {REQUIREMENTS} has a hash that {lock.name} names; restore the checkout")


def say(text: str) -> None:
    """Tell the user; standard output belongs to the result."""
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
