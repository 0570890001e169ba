"""A small checkout in which the real bootstrap scripts run without a network: one tiny wheel, its own back end."""

import hashlib
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
#: The interpreter itself, not the one of the environment that the tests run in.
PYTHON = Path(sys.base_prefix) / "bin" / f"python{sys.version_info[0]}.{sys.version_info[1]}"

BACKEND = """
import pathlib, zipfile

def build(directory, files):
    path = pathlib.Path(directory) / "vizier-1.0-py3-none-any.whl"
    about = {
        "METADATA": "Metadata-Version: 2.1\\nName: vizier\\nVersion: 1.0\\n",
        "WHEEL": "Wheel-Version: 1.0\\nGenerator: tests\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n",
        "entry_points.txt": "[console_scripts]\\nvizier = vizier_cli.main:main\\n",
        "RECORD": "",
    }
    with zipfile.ZipFile(path, "w") as wheel:
        for name, text in {**files, **{f"vizier-1.0.dist-info/{name}": text for name, text in about.items()}}.items():
            wheel.writestr(name, text)
    return path.name

def build_wheel(directory, config_settings=None, metadata_directory=None):
    sources = pathlib.Path("src")
    return build(directory, {str(p.relative_to(sources)): p.read_text() for p in sources.rglob("*.py")})

def build_editable(directory, config_settings=None, metadata_directory=None):
    return build(directory, {"vizier.pth": str(pathlib.Path("src").resolve()) + "\\n"})
"""

#: Stands in for a python command: says it is another version, or lacks modules, and then does what it was asked.
STAND_IN = """
import runpy, sys
if VERSION:
    sys.version_info = VERSION
for name in WITHOUT:
    sys.modules[name] = None
sys.dont_write_bytecode = "-B" in sys.argv
arguments = [argument for argument in sys.argv[1:] if argument not in ("-I", "-B")]
if arguments[0] == "-c":
    exec(arguments[1])
else:
    sys.argv = arguments
    runpy.run_path(arguments[0], run_name="__main__")
"""


class Checkout:
    """A copy of the project's bootstrap with a program of three lines."""

    def __init__(self, base: Path) -> None:
        self.base = base
        self.root = base / "checkout"
        self.commands = base / "bin"
        self.wheels = base / "wheels"
        for folder in (self.commands, self.wheels, base / "home"):
            folder.mkdir(parents=True)
        for name in ("scripts/bootstrap.sh", "scripts/environment.py", "requirements/lock-pip.txt"):
            self.write(name, (ROOT / name).read_text())
        (self.root / "scripts" / "bootstrap.sh").chmod(0o755)
        wheel = next((ROOT / "requirements").glob("pip-*.whl"))
        shutil.copy(wheel, self.root / "requirements")
        self.write("README.md", "")
        self.write("LICENSE", "")
        self.write("backend.py", BACKEND)
        system = "[build-system]\nrequires = []\nbuild-backend = 'backend'\nbackend-path = ['.']\n"
        self.write("pyproject.toml", f"{system}[project]\nname = 'vizier'\nversion = '1.0'\n")
        self.write("src/vizier_core/version.py", "VERSION = '1.0'\n")
        self.say("hello")
        self.lock("tinydep")
        self.python("python3")
        for tool in ("sh", "dirname", "cat"):
            found = shutil.which(tool)
            assert found, tool
            (self.commands / tool).symlink_to(found)

    def write(self, path: str, text: str) -> None:
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)

    def say(self, word: str) -> None:
        """Make the program of the checkout print `word`."""
        self.write("src/vizier_cli/main.py", f"import tinydep\n\n\ndef main() -> None:\n    print({word!r})\n")

    def lock(self, name: str) -> Path:
        """Let every lock file name one package that holds nothing; its wheel, for tampering."""
        path = self.wheels / f"{name}-1.0-py3-none-any.whl"
        about = f"{name}-1.0.dist-info"
        with zipfile.ZipFile(path, "w") as wheel:
            wheel.writestr(f"{name}.py", "")
            wheel.writestr(f"{about}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
            wheel.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
            wheel.writestr(f"{about}/RECORD", "")
        line = f"{name}==1.0 --hash=sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}\n"
        for lock in ("runtime", "build", "dev"):
            self.write(f"requirements/lock-{lock}.txt", line)
        return path

    def python(self, name: str, version: tuple[int, int, int] | None = None, without: tuple[str, ...] = ()) -> None:
        """Put a python command on the PATH, of another version or without some modules."""
        stand_in = self.base / f"{name}.py"
        stand_in.write_text(STAND_IN.replace("VERSION", repr(version)).replace("WITHOUT", repr(without)))
        self.command(name, f'exec {PYTHON} {stand_in} "$@"')

    def command(self, name: str, line: str) -> None:
        path = self.commands / name
        path.write_text(f"#!/bin/sh\n{line}\n")
        path.chmod(0o755)

    @property
    def environment(self) -> dict[str, str]:
        """What the scripts see: no network, no home of the user's."""
        return {
            "PATH": str(self.commands),
            "HOME": str(self.base / "home"),
            "PIP_NO_INDEX": "1",
            "PIP_FIND_LINKS": str(self.wheels),
            "PIP_CONFIG_FILE": os.devnull,
        }

    def start(self, purpose: str, before: tuple[str, ...] = (), **more: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [*before, "/bin/sh", str(self.root / "scripts" / "bootstrap.sh"), purpose],
            env={**self.environment, **more},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, purpose: str, before: tuple[str, ...] = (), **more: str) -> subprocess.CompletedProcess[str]:
        process = self.start(purpose, before, **more)
        out, err = process.communicate(timeout=120)
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)

    def prepared(self, purpose: str, before: tuple[str, ...] = (), **more: str) -> Path:
        """Run the bootstrap, which must succeed, and return the environment."""
        done = self.run(purpose, before, **more)
        assert done.returncode == 0, done.stderr
        return Path(done.stdout.strip())

    def files(self) -> Mapping[str, bytes]:
        """Every file of the checkout with its content."""
        return {str(p.relative_to(self.root)): p.read_bytes() for p in self.root.rglob("*") if p.is_file()}


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)
