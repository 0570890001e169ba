"""The installer, offline: a small program in a checkout that otherwise is this one (spec 09 §11, ruling R71)."""

import hashlib
import importlib.util
import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from .conftest import ROOT, Checkout

pytestmark = pytest.mark.bootstrap

STAGES = ("draft", "approve", "merge", "commit")
SEEDS = "src/vizier_core/scaffold/seed"


class Installer:
    """Runs `install.sh` of a small checkout."""

    def __init__(self, checkout: Checkout) -> None:
        self.checkout = checkout
        self.prefix = checkout.base / "prefix"
        self.home = checkout.base / "home"
        for name in ("install.sh", "scripts/install.py"):
            checkout.write(name, (ROOT / name).read_text())
        for name in ("docs/man", SEEDS, "src/vizier_core/agent/bundled"):
            shutil.copytree(ROOT / name, checkout.root / name, ignore=shutil.ignore_patterns("__pycache__"))
        self.become("0")

    def become(self, user: str) -> None:
        """Lets `id -u` print this."""
        self.checkout.command("id", f"echo {user}")

    def run(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        temporary = self.checkout.base / "tmp"
        temporary.mkdir(exist_ok=True)
        return subprocess.run(
            ["/bin/sh", self.checkout.root / "install.sh", *arguments],
            cwd="/",
            env={
                **self.checkout.environment,
                "PREFIX": str(self.prefix),
                "TMPDIR": str(temporary),
                **variables,
            },
            capture_output=True,
            text=True,
            check=False,
        )

    def install(self, **variables: str) -> str:
        done = self.run(**variables)
        assert done.returncode == 0, done.stderr
        return done.stdout

    @property
    def data(self) -> Path:
        return self.prefix / "share" / "vizier"

    @property
    def templates(self) -> Path:
        return self.home / ".config" / "vizier"

    @property
    def manifest(self) -> list[str]:
        return (self.data / "install-manifest.txt").read_text().splitlines()

    def installed(self) -> set[str]:
        """Everything below the prefix and the user's configuration that is no directory."""
        found = (path for top in (self.prefix, self.templates) for path in top.rglob("*"))
        return {str(path) for path in found if path.is_symlink() or not path.is_dir()}


@pytest.fixture
def installer(checkout: Checkout) -> Installer:
    shutil.copytree(ROOT / "scripts", checkout.root / "scripts", dirs_exist_ok=True)
    return Installer(checkout)


def test_an_installation_is_complete_works_and_is_recorded(installer: Installer) -> None:
    installer.install()
    modes = {
        installer.prefix / "bin" / "vizier": 0o755,
        installer.data / "agents" / "codex" / "agent.sh": 0o755,
        installer.data / "agents" / "filters" / "start.sh": 0o755,
        installer.prefix / "share" / "man" / "man1" / "vizier.1": 0o644,
        installer.prefix / "share" / "man" / "man7" / "vizier-workflow.7": 0o644,
        installer.templates / "develop.hcl": 0o644,
        **{installer.templates / "workflows" / f"{name}.hcl": 0o644 for name in STAGES},
    }
    assert {path: stat.S_IMODE(path.stat().st_mode) for path in modes} == modes
    done = subprocess.run([installer.prefix / "bin" / "vizier"], capture_output=True, text=True, check=True, env={})
    assert done.stdout == "hello\n"
    assert installer.manifest == sorted(set(installer.manifest))
    assert installer.installed() == {*installer.manifest, str(installer.data / "install-manifest.txt")}


def test_nothing_is_written_when_the_program_runs(installer: Installer) -> None:
    """All bytecode is there, so that root's first call does not leave files that no manifest names."""
    installer.install()
    before = installer.installed()
    subprocess.run([installer.prefix / "bin" / "vizier"], capture_output=True, check=True, env={})
    assert installer.installed() == before


def test_twice_is_once(installer: Installer) -> None:
    first = installer.install()
    manifest = installer.manifest
    assert "Global workflow templates (installed):" in first
    second = installer.install()
    assert "Global workflow templates (retained unchanged):" in second
    assert "(installed)" not in second
    assert installer.manifest == manifest


def test_an_upgrade_replaces_the_program(installer: Installer) -> None:
    installer.install()
    installer.checkout.say("newer")
    installer.install()
    done = subprocess.run([installer.prefix / "bin" / "vizier"], capture_output=True, text=True, check=True, env={})
    assert done.stdout == "newer\n"
    assert not (installer.data / "lib.old").exists()
    assert not (installer.data / "lib.new").exists()


def test_uninstalling_leaves_nothing(installer: Installer) -> None:
    installer.install()
    done = installer.run("--uninstall")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"Uninstalled files listed in {installer.data}/install-manifest.txt\n"
    assert installer.installed() == set()
    assert not installer.data.exists()
    assert not installer.templates.exists()


def test_a_dry_run_names_everything_and_does_nothing(installer: Installer) -> None:
    before = installer.checkout.files()
    done = installer.run("--dry-run")
    assert (done.returncode, done.stderr) == (0, "")
    for name in (f"{installer.prefix}/bin/vizier", f"{installer.templates}/develop.hcl"):
        assert f"  {name}\n" in done.stdout
    assert [line for line in done.stdout.splitlines() if line.startswith("+ ")]
    assert installer.installed() == set()
    assert installer.checkout.files() == before


def test_a_dry_run_names_staged_places_as_they_are_written(installer: Installer) -> None:
    stage = installer.checkout.base / "stage"
    done = installer.run("--dry-run", DESTDIR=str(stage), PREFIX="/opt/vizier", WORKFLOWSDIR="/etc/vizier/workflows")
    actions = [line for line in done.stdout.splitlines() if line.startswith("+ ")]
    assert [line for line in actions if "/opt/vizier" in line and f"{stage}/opt/vizier" not in line] == []
    assert f"+ write {stage}/opt/vizier/bin/vizier" in actions


def test_staged_destinations_are_recorded_as_they_will_be(installer: Installer) -> None:
    stage = installer.checkout.base / "stage"
    done = installer.install(DESTDIR=str(stage), PREFIX="/opt/vizier", WORKFLOWSDIR="/etc/vizier/workflows")
    assert str(stage) not in done
    listed = (stage / "opt/vizier/share/vizier/install-manifest.txt").read_text()
    assert str(stage) not in listed
    assert "/etc/vizier/develop.hcl\n" in listed
    text = (stage / "opt/vizier/bin/vizier").read_text()
    assert text.startswith("#!/opt/vizier/share/vizier/lib/bin/python3 -P\n")
    code = b"".join(path.read_bytes() for path in (stage / "opt/vizier/share/vizier/lib").rglob("*.pyc"))
    assert os.fsencode(stage) not in code
    variables = {"DESTDIR": str(stage), "PREFIX": "/opt/vizier", "WORKFLOWSDIR": "/etc/vizier/workflows"}
    assert installer.run("--uninstall", **variables).returncode == 0
    assert [path for path in stage.rglob("*") if not path.is_dir()] == []


def test_destinations_are_normalised(installer: Installer) -> None:
    """Ruling R54."""
    done = installer.run("--dry-run", PREFIX="//usr//local/", WORKFLOWSDIR="/a//b/../workflows/")
    assert "  /usr/local/bin/vizier\n" in done.stdout
    assert "  /a/workflows/draft.hcl\n" in done.stdout
    assert "//" not in done.stdout.replace("+ ", "")


@pytest.mark.parametrize(("user", "left"), [("0", False), ("1000", True)])
def test_where_it_is_built(installer: Installer, user: str, left: bool) -> None:
    """As root nothing stays in the checkout, which may be somebody else's."""
    installer.become(user)
    before = set(installer.checkout.files())
    installer.install()
    new = set(installer.checkout.files()) - before
    assert bool(new) == left
    assert all(name.startswith(".cache/install/") for name in new)
    assert list((installer.checkout.base / "tmp").iterdir()) == []


def test_an_explicit_build_directory_is_kept(installer: Installer) -> None:
    directory = installer.checkout.base / "build"
    installer.install(VIZIER_BUILD_DIR=str(directory))
    assert list(directory.glob("dist/vizier-*.whl"))


def test_a_wheel_that_cannot_be_built_is_an_error(installer: Installer) -> None:
    installer.checkout.write("backend.py", "raise SystemExit(3)")
    done = installer.run()
    assert done.returncode == 1
    assert done.stderr.startswith("error: the wheel of vizier cannot be built:")
    assert not (installer.prefix / "bin").exists()


@pytest.mark.parametrize("missing", ["docs/man", SEEDS, f"{SEEDS}/workflows/merge.hcl"])
def test_a_missing_source_is_named(installer: Installer, missing: str) -> None:
    path = installer.checkout.root / missing
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    done = installer.run("--dry-run")
    assert done.returncode == 1
    assert done.stderr.startswith("error: ")
    assert missing in done.stderr


def test_ws_09_27_blanks_and_backslashes_in_paths(installer: Installer) -> None:
    installer.prefix = installer.checkout.base / "with blank\\n and 'quote'"
    installer.install()
    done = subprocess.run([installer.prefix / "bin" / "vizier"], capture_output=True, text=True, check=True)
    assert done.stdout == "hello\n"
    assert str(installer.prefix / "bin" / "vizier") in installer.manifest
    assert installer.run("--uninstall").returncode == 0
    assert installer.installed() == set()


def test_ws_09_28_a_template_of_the_users_own_survives(installer: Installer) -> None:
    """One that happens to be identical, and one that differs."""
    own, edited = installer.templates / "workflows" / "draft.hcl", installer.templates / "develop.hcl"
    own.parent.mkdir(parents=True)
    shutil.copy(installer.checkout.root / SEEDS / "workflows" / "draft.hcl", own)
    edited.write_text("mine")
    done = installer.install()
    assert f"(retained unchanged):\n  {own}\n" in done
    assert f"(preserved existing):\n  {edited}\n" in done
    assert str(edited) not in installer.manifest
    assert installer.run("--uninstall").returncode == 0
    assert own.exists()
    assert edited.read_text() == "mine"


def test_ws_09_28_what_nobody_has_changed_is_upgraded(installer: Installer) -> None:
    installer.install()
    (installer.templates / "workflows" / "draft.hcl").write_text("edited")
    for name in ("draft", "merge"):
        (installer.checkout.root / SEEDS / "workflows" / f"{name}.hcl").write_text("newer")
    done = installer.install()
    assert f"(installed):\n  {installer.templates}/workflows/merge.hcl\n" in done
    assert f"(preserved existing):\n  {installer.templates}/workflows/draft.hcl\n" in done
    assert (installer.templates / "workflows" / "merge.hcl").read_text() == "newer"
    assert installer.run("--uninstall").returncode == 0
    assert installer.installed() == {str(installer.templates / "workflows" / "draft.hcl")}


def test_ws_09_28_a_template_that_was_changed_after_all_survives(installer: Installer) -> None:
    installer.install()
    changed = installer.templates / "workflows" / "draft.hcl"
    changed.write_text("edited")
    done = installer.run("--uninstall")
    assert f"left alone, not as it was installed: {changed}" in done.stderr
    assert changed.read_text() == "edited"


def test_ws_09_29_only_its_own_paths_are_removed(installer: Installer) -> None:
    installer.install()
    precious = installer.checkout.base / "precious"
    precious.write_text("mine")
    foreign = [str(precious), f"{installer.data}/../../../../precious", f"{installer.prefix}/bin/other", "/etc/passwd"]
    manifest = installer.data / "install-manifest.txt"
    manifest.write_text(manifest.read_text() + "".join(f"{line}\n" for line in foreign))
    done = installer.run("--uninstall")
    assert done.returncode == 0
    assert precious.read_text() == "mine"
    assert [line for line in foreign if line not in done.stderr] == []


def test_ws_09_30_an_installation_that_fails_halfway_can_be_removed(installer: Installer) -> None:
    (installer.prefix / "bin" / "vizier").mkdir(parents=True)
    done = installer.run()
    assert done.returncode == 1
    assert done.stderr.startswith("error: ")
    unlisted = installer.installed() - {*installer.manifest, str(installer.data / "install-manifest.txt")}
    assert unlisted == set()
    (installer.prefix / "bin" / "vizier").rmdir()
    assert installer.run("--uninstall").returncode == 0
    assert installer.installed() == set()


def test_ws_09_31_the_base_directory_is_found_as_the_program_finds_it(installer: Installer) -> None:
    base = installer.checkout.base / "base"
    done = installer.run("--dry-run", VIZIER_CONFIG_DIR="  ", XDG_CONFIG_HOME=f" {base} ")
    assert f"  {base}/vizier/workflows/draft.hcl\n" in done.stdout


@pytest.fixture
def module() -> ModuleType:
    """The installer's own functions."""
    spec = importlib.util.spec_from_file_location("vizier_install", ROOT / "scripts" / "install.py")
    assert spec is not None
    assert spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    before = list(sys.path)
    spec.loader.exec_module(made)
    sys.path[:] = before
    return made


def test_destinations_that_cannot_be_written_are_listed(
    module: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "closed").mkdir()
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != tmp_path / "closed")
    layout = module.Layout("", f"{tmp_path}/closed/bin", f"{tmp_path}/share", f"{tmp_path}/man", f"{tmp_path}/w/f")
    with pytest.raises(module.InstallError) as raised:
        module.require_writable(layout)
    text = str(raised.value)
    assert text.startswith("install destination is not writable:\n")
    assert "sudo ./install.sh" in text
    assert [line for line in text.splitlines() if line.startswith("  /")] == [f"  {tmp_path}/closed/bin"]


@pytest.mark.parametrize("folder", ["a b", "x" * 130])
def test_a_launcher_for_blanks_and_long_paths_starts_the_right_python(
    module: ModuleType, tmp_path: Path, folder: str
) -> None:
    python = tmp_path / folder / "python3"
    python.parent.mkdir()
    python.write_text("#!/bin/sh\nprintf '<%s>\\n' \"$@\"\n")
    python.chmod(0o755)
    program = tmp_path / "vizier"
    program.write_text(module.launcher(str(python)))
    program.chmod(0o755)
    compile(program.read_text(), "vizier", "exec")
    done = subprocess.run([program, "jobs", "a b"], capture_output=True, text=True, check=True)
    assert done.stdout == f"<-P>\n<{program}>\n<jobs>\n<a b>\n"


def test_checksums_are_those_that_sha256sum_prints(installer: Installer) -> None:
    installer.install()
    lines = (installer.data / "install-checksums.txt").read_text().splitlines()
    digest = hashlib.sha256((installer.templates / "develop.hcl").read_bytes()).hexdigest()
    assert f"{digest}  {installer.templates}/develop.hcl" in lines
