"""Install vizier from this checkout, or remove it again (spec 09 §11, ruling R71).

Called by install.sh. The packages and the libraries that they need go into an environment of their own below DATADIR;
BINDIR gets a launcher. Libraries are the wheels that the lock files name, with their hashes.

Every file is written beside its place and then renamed, and the manifest names it before it is there: whatever
interrupts an installation, `--uninstall` finds all of it (WS-09-30).
"""

import compileall
import contextlib
import hashlib
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple, NoReturn

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import environment

ROOT = Path(__file__).resolve().parent.parent
SHIMS = ROOT / "src" / "vizier_core" / "agent" / "bundled"
MAN = ROOT / "docs" / "man"
SEEDS = ROOT / "src" / "vizier_core" / "scaffold" / "seed"
#: Seed templates that go into WORKFLOWSDIR; the composed one goes beside it.
STAGES = ("draft.hcl", "approve.hcl", "merge.hcl", "commit.hcl")
COMPOSED = "develop.hcl"
#: Where the user's base directory is named, and what lies below it; the same rule as in the program.
BASES = (
    ("VIZIER_CONFIG_DIR", ""),
    ("XDG_CONFIG_HOME", ""),
    ("APPDATA", ""),
    ("HOME", ".config"),
    ("USERPROFILE", "AppData/Roaming"),
)
#: A longer first line, or one with blanks, is not understood by every system.
LONGEST_SHEBANG = 127

USAGE = """\
usage: ./install.sh [--dry-run] [--uninstall] [-h|--help]

Installs vizier from this checkout, with the libraries it needs, manual pages, agent shims and workflow templates.

    --dry-run      print what would be done and do nothing
    --uninstall    remove what an installation with the same variables has installed
    -h, --help     show this text

Variables:
    PREFIX         /usr/local
    DESTDIR        (empty) put in front of every destination, for packaging
    BINDIR         $PREFIX/bin
    DATADIR        $PREFIX/share
    MANDIR         $PREFIX/share/man
    WORKFLOWSDIR   vizier/workflows in the user's configuration directory
    VIZIER_BUILD_DIR
                   where to build; default: .cache/install, for root a temporary directory
"""


class InstallError(Exception):
    """The installation is not possible; the text says why and what to do."""


class Layout(NamedTuple):
    """Where things go, as the operator will know them; DESTDIR is not part of it."""

    destdir: str
    bindir: str
    datadir: str
    mandir: str
    workflows: str

    @property
    def program(self) -> str:
        """The launcher."""
        return f"{self.bindir}/vizier"

    @property
    def data(self) -> str:
        """What belongs to vizier alone."""
        return f"{self.datadir}/vizier"

    @property
    def library(self) -> str:
        """The environment with the packages."""
        return f"{self.data}/lib"

    @property
    def manifest(self) -> str:
        """The list of installed files."""
        return f"{self.data}/install-manifest.txt"

    @property
    def checksums(self) -> str:
        """What the installed templates were like."""
        return f"{self.data}/install-checksums.txt"

    @property
    def composed(self) -> str:
        """The composed template, beside the directory of the others."""
        return f"{os.path.dirname(self.workflows)}/{COMPOSED}"

    def staged(self, path: str) -> Path:
        """Where a destination is written to."""
        return Path(f"{self.destdir}{path}")

    def owns(self, path: str) -> bool:
        """Whether a path is one that an installation of this layout can have made (WS-09-29)."""
        if os.path.normpath(path) != path:
            return False
        templates = {f"{self.workflows}/{name}" for name in STAGES} | {self.composed}
        page = os.path.basename(path).startswith("vizier") and path.startswith(f"{self.mandir}/man")
        return path == self.program or path in templates or path.startswith(f"{self.data}/") or page


class Source(NamedTuple):
    """A file of the checkout, where it goes, and how it may be used."""

    path: Path
    destination: str
    mode: int


def main(arguments: list[str]) -> int:
    """Do what the arguments say; the exit code."""
    os.umask(0o022)
    try:
        unknown = [word for word in arguments if word not in {"--dry-run", "--uninstall", "-h", "--help"}]
        if unknown:
            fail(f"unknown argument: {unknown[0]}")
        if {"-h", "--help"} & set(arguments):
            print(USAGE, end="")
            return 0
        if {"--dry-run", "--uninstall"} <= set(arguments):
            fail("--dry-run and --uninstall cannot be combined")
        layout = layout_of(os.environ)
        if "--uninstall" in arguments:
            uninstall(layout)
        else:
            Installation(layout, dry_run="--dry-run" in arguments).run()
    except (InstallError, environment.BootstrapError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def layout_of(variables: "os._Environ[str]") -> Layout:
    """The destinations that the environment asks for.

    Raises:
        InstallError: nothing says where the user's templates are.
    """

    def path(name: str, default: str) -> str:
        return "/" + os.path.abspath(variables.get(name) or default).lstrip("/")

    prefix = path("PREFIX", "/usr/local")
    share = "/" + f"{prefix}/share".lstrip("/")
    workflows = variables.get("WORKFLOWSDIR") or default_workflows(variables)
    destdir = variables.get("DESTDIR") or ""
    return Layout(
        destdir=os.path.abspath(destdir).rstrip("/") if destdir else "",
        bindir=path("BINDIR", f"{prefix}/bin"),
        datadir=path("DATADIR", share),
        mandir=path("MANDIR", f"{share}/man"),
        workflows="/" + os.path.abspath(workflows).lstrip("/"),
    )


def default_workflows(variables: "os._Environ[str]") -> str:
    """The directory of the user's templates, by the rule of the program (WS-09-31).

    Raises:
        InstallError: no variable names a base directory.
    """
    named = ((variables.get(name, "").strip(), below) for name, below in BASES)
    base, below = next((pair for pair in named if pair[0]), ("", ""))
    if not base:
        fail("WORKFLOWSDIR cannot be derived: set WORKFLOWSDIR, or HOME, XDG_CONFIG_HOME or VIZIER_CONFIG_DIR")
    return f"{base}/{below}/vizier/workflows"


def fail(text: str) -> NoReturn:
    """Give up."""
    raise InstallError(text)


def is_root() -> bool:
    """Whether the installer runs as root, as `id` says."""
    return subprocess.run(["id", "-u"], capture_output=True, text=True, check=True).stdout.strip() == "0"


class Installation:
    """One installation.

    Args:
        layout: where to.
        dry_run: print what would be done and do nothing.
    """

    def __init__(self, layout: Layout, *, dry_run: bool) -> None:
        self._layout = layout
        self._dry_run = dry_run
        #: Destinations that are recorded, in no order.
        self._recorded: set[str] = set()
        self._checksums: dict[str, str] = {}
        self._installed: list[str] = []
        self._retained: list[str] = []
        self._preserved: list[str] = []

    def run(self) -> None:
        """Build, copy, record, and say what was done.

        Raises:
            InstallError: something is missing or cannot be written.
        """
        files, templates = program_files(self._layout), template_files(self._layout)
        if not self._dry_run and not is_root():
            require_writable(self._layout)
        before = read_lines(self._layout.staged(self._layout.manifest))
        with self._build_directory() as directory:
            library = self._build_library(directory)
            self._recorded |= {self._layout.program, *(file.destination for file in files), *library}
            self._record({*before, *self._recorded, *self._templates_to_write(templates)})
            self._place_library()
        self._do(f"write {self._layout.staged(self._layout.program)}", self._write_launcher)
        for file in files:
            self._copy(file)
        for template in templates:
            self._install_template(template)
        self._finish_records()
        print(self._summary(files))

    @contextlib.contextmanager
    def _build_directory(self) -> Iterator[Path]:
        """Where to build. As root in a directory that is gone afterwards: the checkout is somebody else's."""
        explicit = os.environ.get("VIZIER_BUILD_DIR")
        if self._dry_run or explicit or not is_root():
            yield Path(explicit).absolute() if explicit else ROOT / ".cache" / "install"
            return
        with tempfile.TemporaryDirectory(prefix="vizier-install.") as temporary:
            yield Path(temporary)

    def _build_library(self, directory: Path) -> list[str]:
        """Make the environment beside its place; the files that it will have there."""
        staging = self._staging
        wheels = directory / "dist"
        self._do(f"build the wheel of vizier in {wheels}", lambda: build_wheel(directory, wheels))
        self._do(f"make an environment in {staging}", lambda: make_environment(staging))
        self._do("install the locked libraries into it", lambda: install_libraries(staging))
        self._do("install the wheel of vizier into it", lambda: install_wheel(staging, wheels))
        if self._dry_run:
            return []
        finish_environment(staging, self._layout.library)
        return [f"{self._layout.library}/{name}" for name in files_below(staging)]

    @property
    def _staging(self) -> Path:
        return self._layout.staged(f"{self._layout.data}/lib.new")

    def _place_library(self) -> None:
        """Put the environment in the place of the former one."""
        place = self._layout.staged(self._layout.library)

        def swap() -> None:
            former = self._layout.staged(f"{self._layout.data}/lib.old")
            shutil.rmtree(former, ignore_errors=True)
            if place.exists():
                place.rename(former)
            self._staging.rename(place)
            shutil.rmtree(former, ignore_errors=True)

        self._do(f"put the environment in place at {place}", swap)

    def _write_launcher(self) -> None:
        text = launcher(f"{self._layout.library}/bin/python3")
        write_atomically(self._layout.staged(self._layout.program), text.encode(), 0o755)

    def _copy(self, file: Source) -> None:
        target = self._layout.staged(file.destination)
        command = shlex.join(["install", "-m", f"{file.mode:04o}", str(file.path), str(target)])
        self._do(command, lambda: write_atomically(target, file.path.read_bytes(), file.mode))

    def _templates_to_write(self, templates: Iterable[Source]) -> set[str]:
        return {template.destination for template in templates if self._may_write(template)}

    def _may_write(self, template: Source) -> bool:
        """Whether there is nothing yet, or what an installation has written and nobody has changed since (WS-09-28)."""
        target = self._layout.staged(template.destination)
        if not os.path.lexists(target):
            return True
        recorded = self._former_checksums.get(template.destination)
        return target.is_file() and not target.is_symlink() and recorded == checksum(target)

    @property
    def _former_checksums(self) -> dict[str, str]:
        return read_checksums(self._layout.staged(self._layout.checksums))

    def _install_template(self, template: Source) -> None:
        target = self._layout.staged(template.destination)
        same = target.is_file() and target.read_bytes() == template.path.read_bytes()
        if same:
            self._retained.append(template.destination)
            self._recorded.add(template.destination)
            if template.destination in self._former_checksums:
                self._checksums[template.destination] = checksum(template.path)
        elif self._may_write(template):
            self._copy(template)
            self._installed.append(template.destination)
            self._recorded.add(template.destination)
            self._checksums[template.destination] = checksum(template.path)
        else:
            self._preserved.append(template.destination)

    def _finish_records(self) -> None:
        lines = "".join(f"{digest}  {path}\n" for path, digest in sorted(self._checksums.items()))
        checksums = self._layout.staged(self._layout.checksums)
        self._do(f"write {checksums}", lambda: write_atomically(checksums, lines.encode(), 0o644))
        self._record({*self._recorded, self._layout.checksums})

    def _record(self, destinations: set[str]) -> None:
        text = "".join(f"{path}\n" for path in sorted(destinations))
        manifest = self._layout.staged(self._layout.manifest)
        encoded = text.encode("utf-8", errors="surrogateescape")
        self._do(f"write {manifest}", lambda: write_atomically(manifest, encoded, 0o644))

    def _do(self, what: str, action: Callable[[], None]) -> None:
        if self._dry_run:
            print(f"+ {what}")
        else:
            action()

    def _summary(self, files: Iterable[Source]) -> str:
        layout = self._layout
        pages = [file.destination for file in files if file.destination.startswith(f"{layout.mandir}/")]
        sections = (
            ("Installed:", [layout.program, layout.library, f"{layout.data}/agents/*"]),
            ("Global workflow templates (installed):", self._installed),
            ("Global workflow templates (retained unchanged):", self._retained),
            ("Global workflow templates (preserved existing):", self._preserved),
            ("Man pages:", sorted(pages)),
            ("Manifest:", [layout.manifest]),
        )
        return "\n".join("\n".join([title, *(f"  {path}" for path in paths)]) for title, paths in sections if paths)


# What is installed


def program_files(layout: Layout) -> list[Source]:
    """Shims and manual pages.

    Raises:
        InstallError: the checkout lacks them.
    """
    for directory in (SHIMS, MAN, SEEDS):
        if not directory.is_dir():
            fail(f"missing source directory: {directory}")
    shims = [
        path for name in files_below(SHIMS) if (path := SHIMS / name).suffix != ".pyc" and path.name != "README.md"
    ]
    # `__init__.py` on top makes the shims a package of the program; there is none where they are installed.
    sources = [
        Source(path, f"{layout.data}/agents/{path.relative_to(SHIMS)}", 0o755) for path in shims if path.parent != SHIMS
    ]
    pages = [MAN / name for name in files_below(MAN)]
    if not pages:
        fail(f"no man pages in {MAN}")
    return [*sources, *(Source(page, f"{layout.mandir}/{page.relative_to(MAN)}", 0o644) for page in pages)]


def template_files(layout: Layout) -> list[Source]:
    """The seed templates.

    Raises:
        InstallError: the checkout lacks one.
    """
    sources = [Source(SEEDS / "workflows" / name, f"{layout.workflows}/{name}", 0o644) for name in STAGES]
    sources.append(Source(SEEDS / COMPOSED, layout.composed, 0o644))
    for source in sources:
        if not source.path.is_file():
            fail(f"missing template: {source.path}")
    return sources


def require_writable(layout: Layout) -> None:
    """Check the destinations before anything is built.

    Raises:
        InstallError: one of them cannot be written.
    """
    wanted = (layout.bindir, layout.datadir, layout.mandir, layout.workflows, os.path.dirname(layout.workflows))
    refused = [str(path) for path in dict.fromkeys(map(layout.staged, wanted)) if not is_writable(path)]
    if refused:
        listed = "\n".join(f"  {path}" for path in refused)
        fail(
            f"install destination is not writable:\n{listed}\n"
            "Install for all users:  sudo ./install.sh\n"
            "for yourself:           PREFIX=$HOME/.local ./install.sh\n"
            "or into a staging area: DESTDIR=/tmp/stage ./install.sh"
        )


def is_writable(path: Path) -> bool:
    """Whether a path can be created or written: its nearest existing ancestor decides."""
    existing = next((place for place in (path, *path.parents) if place.exists()), Path("/"))
    return os.access(existing, os.W_OK | os.X_OK)


def launcher(python: str) -> str:
    """The program in BINDIR."""
    code = "import sys\nfrom vizier_cli.main import main\n\nsys.exit(main())\n"
    if " " not in python and len(python) < LONGEST_SHEBANG - len("#! -P"):
        return f"#!{python} -P\n{code}"
    # Both a shell script and a Python program: the shell replaces itself with the right interpreter.
    return f"#!/bin/sh\n'''exec' {shlex.quote(python)} -P \"$0\" \"$@\"\n' '''\n{code}"


# The environment


def build_wheel(directory: Path, wheels: Path) -> None:
    """Build the project with the locked back end."""
    back_end = directory / "back-end"
    environment.create(back_end)
    environment.pip(back_end, "--require-hashes", "--only-binary", ":all:", "--requirement", str(lock("build")))
    shutil.rmtree(wheels, ignore_errors=True)
    pip = [str(back_end / "bin" / "python"), "-I", "-B", str(environment.pip_wheel() / "pip")]
    options = ["--quiet", "--no-index", "--no-deps", "--no-build-isolation", "--wheel-dir", str(wheels), str(ROOT)]
    # No bytecode beside the sources: the checkout may be somebody else's.
    variables = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    command = [*pip, "wheel", *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=directory, env=variables)
    if done.returncode != 0 or not list(wheels.glob("vizier-*.whl")):
        fail(f"the wheel of vizier cannot be built:\n{done.stdout}{done.stderr}")


def lock(name: str) -> Path:
    """The lock file of this name."""
    return ROOT / "requirements" / f"lock-{name}.txt"


def make_environment(place: Path) -> None:
    """An empty environment."""
    place.parent.mkdir(parents=True, exist_ok=True)
    environment.create(place)


def install_libraries(place: Path) -> None:
    """What the lock of the running program names."""
    environment.pip(place, "--no-compile", "--require-hashes", "--only-binary", ":all:", "-r", str(lock("runtime")))


def install_wheel(place: Path, wheels: Path) -> None:
    """The program itself."""
    environment.pip(place, "--no-compile", "--no-index", "--no-deps", str(next(wheels.glob("vizier-*.whl"))))


def finish_environment(place: Path, final: str) -> None:
    """Leave only what runs from any place, and compile it."""
    for path in (place / "bin").iterdir():
        if not path.name.startswith("python"):
            path.unlink()
    for name in ("share", "include"):
        shutil.rmtree(place / name, ignore_errors=True)
    # The shims' filters look for this name.
    compileall.compile_dir(place, quiet=2, stripdir=str(place), prependdir=final)


# Files


def files_below(directory: Path) -> list[str]:
    """Every file and link below a directory, by its relative path, sorted; links are not followed."""
    found = []
    for folder, folders, names in os.walk(directory):
        links = [name for name in folders if os.path.islink(os.path.join(folder, name))]
        found += [os.path.relpath(os.path.join(folder, name), directory) for name in (*names, *links)]
    return sorted(found)


def write_atomically(path: Path, data: bytes, mode: int) -> None:
    """Replace a file, whether it is in use or not."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            os.fchmod(file.fileno(), mode)
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise


def checksum(path: Path) -> str:
    """The checksum of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def read_lines(path: Path) -> list[str]:
    """The lines of a file; none if it is not there."""
    try:
        text = path.read_bytes().decode("utf-8", errors="surrogateescape")
    except FileNotFoundError:
        return []
    return [line for line in text.split("\n") if line]


def read_checksums(path: Path) -> dict[str, str]:
    """Checksums by destination."""
    return {path: digest for digest, _, path in (line.partition("  ") for line in read_lines(path))}


# Removal


def uninstall(layout: Layout) -> None:
    """Remove what the manifest lists, as far as it is an installation's own.

    Raises:
        InstallError: there is no manifest.
    """
    manifest = layout.staged(layout.manifest)
    if not manifest.is_file():
        fail(f"manifest not found: {manifest}")
    written = read_checksums(layout.staged(layout.checksums))
    templates = {f"{layout.workflows}/{name}" for name in STAGES} | {layout.composed}
    for line in read_lines(manifest):
        path = layout.staged(line)
        if not layout.owns(line):
            print(f"left alone, not a path of this installation: {line}", file=sys.stderr)
        elif line in templates and path.is_file() and written.get(line) != checksum(path):
            print(f"left alone, not as it was installed: {line}", file=sys.stderr)
        else:
            path.unlink(missing_ok=True)
    manifest.unlink()
    remove_empty_directories(layout)
    print(f"Uninstalled files listed in {layout.manifest}")


def remove_empty_directories(layout: Layout) -> None:
    """Take away the directories that were vizier's alone, unless something else lies in them."""
    data = layout.staged(layout.data)
    for folder, _, _ in os.walk(data, topdown=False):
        # Bytecode that a run has written later goes with its directory.
        for name in os.listdir(folder):
            if name.endswith(".pyc") and f"{os.sep}lib{os.sep}" in folder:
                os.unlink(os.path.join(folder, name))
        with contextlib.suppress(OSError):
            os.rmdir(folder)
    for directory in (layout.workflows, os.path.dirname(layout.workflows)):
        with contextlib.suppress(OSError):
            layout.staged(directory).rmdir()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
