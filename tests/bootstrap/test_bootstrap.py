"""scripts/bootstrap.sh and scripts/environment.py, run for real in a small checkout without a network."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.bootstrap


def spoken(environment: Path) -> str:
    """What the installed program prints."""
    return subprocess.run([environment / "bin" / "vizier"], capture_output=True, text=True, check=True).stdout.strip()


# Finding a Python


def test_without_python_says_what_is_needed_and_how_to_get_it(checkout):
    (checkout.commands / "python3").unlink()
    done = checkout.run("run")
    assert (done.returncode, done.stdout) == (1, "")
    assert "Python 3.11" in done.stderr
    assert "apt-get install python3" in done.stderr


@pytest.mark.parametrize(
    ("version", "without", "flaw"),
    [
        ((3, 9, 2), (), "version 3.9 is too old"),
        (None, ("venv",), "its standard library is incomplete"),
        (None, ("ssl",), "its standard library is incomplete"),
    ],
)
def test_unsuitable_python_is_named_with_its_flaw(checkout, version, without, flaw):
    checkout.python("python3", version=version, without=without)
    done = checkout.run("run")
    assert done.returncode == 1
    assert f"{checkout.commands}/python3: {flaw}" in done.stderr


def test_first_suitable_python_is_taken(checkout):
    checkout.command("python3.14", 'echo "version not selected" >&2; exit 127')
    checkout.python("python3.13", version=(3, 9, 2))
    checkout.command("python3.12", "exit 1")
    assert spoken(checkout.prepared("run")) == "hello"


def test_unknown_purpose_is_a_usage_error(checkout):
    done = checkout.run("walk")
    assert (done.returncode, done.stdout) == (2, "")
    assert "usage: bootstrap.sh run|dev" in done.stderr


# Making the environment


@pytest.mark.parametrize("purpose", ["run", "dev"])
def test_environment_lies_in_the_checkout_and_runs_the_program(checkout, purpose):
    environment = checkout.prepared(purpose)
    assert environment == checkout.root / ".cache" / "environments" / f"{purpose}-{sys.implementation.cache_tag}"
    assert spoken(environment) == "hello"


def test_works_without_ensurepip(checkout):
    checkout.python("python3", without=("ensurepip", "pip"))
    assert spoken(checkout.prepared("run")) == "hello"


def test_settings_that_would_send_packages_elsewhere_are_ignored(checkout, tmp_path):
    elsewhere = str(tmp_path / "elsewhere")
    environment = checkout.prepared("run", PIP_TARGET=elsewhere, PIP_USER="1", PYTHONPATH=elsewhere)
    assert spoken(environment) == "hello"
    assert not Path(elsewhere).exists()


def test_bytecode_is_fresh_although_the_caller_forbids_it(checkout):
    checkout.prepared("dev", PYTHONDONTWRITEBYTECODE="1")
    assert list((checkout.root / "src" / "vizier_cli" / "__pycache__").glob("main.*.pyc"))
    environment = checkout.prepared("run", PYTHONDONTWRITEBYTECODE="1")
    assert list(environment.rglob("vizier_cli/__pycache__/main.*.pyc"))


def test_wheel_with_another_hash_is_refused_and_nothing_half_made_is_used(checkout):
    wheel = checkout.wheels / "tinydep-1.0-py3-none-any.whl"
    good = wheel.read_bytes()
    wheel.write_bytes(good + b"tampered")
    done = checkout.run("run")
    assert (done.returncode, done.stdout) == (1, "")
    assert "tinydep" in done.stderr
    assert "Traceback" not in done.stderr
    wheel.write_bytes(good)
    assert spoken(checkout.prepared("run")) == "hello"


def test_pip_with_another_hash_is_not_run(checkout):
    wheel = next((checkout.root / "requirements").glob("pip-*.whl"))
    wheel.write_bytes(wheel.read_bytes() + b"tampered")
    done = checkout.run("run")
    assert done.returncode == 1
    assert "lock-pip.txt" in done.stderr


def test_python_newer_than_the_locks_is_named_when_a_package_lacks_a_wheel(checkout):
    checkout.python("python3", version=(3, 99, 0))
    (checkout.wheels / "tinydep-1.0-py3-none-any.whl").unlink()
    done = checkout.run("run")
    assert done.returncode == 1
    assert "newer than the lock files" in done.stderr


# When nothing, or something, has changed


def test_second_start_changes_nothing(checkout):
    environment = checkout.prepared("run")
    before = {path: path.lstat().st_mtime_ns for path in environment.rglob("*")}
    done = checkout.run("run", PIP_FIND_LINKS="/nonexistent")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{environment}\n", "")
    assert {path: path.lstat().st_mtime_ns for path in environment.rglob("*")} == before


def test_changed_lock_rebuilds_the_environment(checkout):
    environment = checkout.prepared("run")
    checkout.lock("otherdep")
    checkout.write("src/vizier_cli/main.py", "import otherdep\n\n\ndef main() -> None:\n    print('other')\n")
    checkout.prepared("run")
    assert spoken(environment) == "other"
    assert not list(environment.rglob("tinydep.py"))


def test_unfinished_environment_is_rebuilt(checkout):
    environment = checkout.prepared("run")
    (environment / "stamp.json").unlink()
    (environment / "leftover").touch()
    checkout.prepared("run")
    assert spoken(environment) == "hello"
    assert not (environment / "leftover").exists()


@pytest.mark.parametrize("purpose", ["run", "dev"])
def test_changed_sources_are_what_runs(checkout, purpose):
    environment = checkout.prepared(purpose)
    checkout.say("changed")
    checkout.prepared(purpose)
    assert spoken(environment) == "changed"


def test_two_runs_at_once_share_one_environment(checkout):
    processes = [checkout.start("run") for _ in range(3)]
    ends = [process.communicate(timeout=120) for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0]
    assert len({out for out, _ in ends}) == 1
    assert sum("Preparing" in err for _, err in ends) == 1
    assert spoken(Path(ends[0][0].strip())) == "hello"


# Where the checkout cannot be written


@pytest.fixture
def bound_by_permissions() -> tuple[str, ...]:
    """What to put before a command so that permission bits bind it, for root too."""
    if os.geteuid() != 0:
        return ()
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        pytest.skip("root ignores permissions, and setpriv is missing")
    return (setpriv, "--bounding-set=-all", "--inh-caps=-all")


@pytest.fixture
def read_only(checkout) -> Iterator[None]:
    """Take the write permission from the whole checkout for the length of a test."""
    paths = [checkout.root, *checkout.root.rglob("*")]
    for path in paths:
        path.chmod(path.stat().st_mode & ~0o222)
    yield
    for path in paths:
        path.chmod(path.stat().st_mode | 0o200)


@pytest.mark.usefixtures("read_only")
@pytest.mark.parametrize("purpose", ["run", "dev"])
def test_read_only_checkout_is_left_alone(checkout, bound_by_permissions, purpose):
    before = checkout.files()
    environment = checkout.prepared(purpose, bound_by_permissions)
    assert environment.is_relative_to(checkout.base / "home" / ".cache" / "vizier")
    assert spoken(environment) == "hello"
    assert checkout.files() == before
    assert list(environment.rglob("vizier_cli/__pycache__/main.*.pyc")), "every start would compile the program again"


@pytest.mark.usefixtures("read_only")
def test_read_only_checkouts_do_not_share_an_environment(checkout, bound_by_permissions, tmp_path):
    cache = str(tmp_path / "cache")
    other = tmp_path / "other" / "checkout"
    shutil.copytree(checkout.root, other)
    first = checkout.prepared("run", bound_by_permissions, XDG_CACHE_HOME=cache)
    checkout.root = other
    second = checkout.prepared("run", bound_by_permissions, XDG_CACHE_HOME=cache)
    for path in [other, *other.rglob("*")]:
        path.chmod(path.stat().st_mode | 0o200)
    assert first != second
    assert first.is_relative_to(cache)
    assert second.is_relative_to(cache)


@pytest.mark.usefixtures("read_only")
def test_nowhere_to_write_is_one_clear_error(checkout, bound_by_permissions):
    done = checkout.run("run", bound_by_permissions, XDG_CACHE_HOME="/dev/null/cache")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("bootstrap: can write neither")
    assert "XDG_CACHE_HOME" in done.stderr
