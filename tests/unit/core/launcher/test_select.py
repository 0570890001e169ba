"""When workers are forked and when the program is run anew (rulings R82, R83, R88)."""

import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from vizier_core.jobs.settings import LauncherForm
from vizier_core.launcher import StartRequest, make_launcher
from vizier_core.launcher import select as select_module
from vizier_core.launcher.fork import ForkLauncher, worker_title
from vizier_core.launcher.select import ForkingLauncher
from vizier_core.launcher.spawn import SpawnLauncher

#: Where `vizier` is said to lie.
PROGRAM = Path("/usr/bin")

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="forks on Linux only")


@pytest.fixture
def chosen(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """How workers were started: nothing is started really."""
    ways: list[str] = []
    monkeypatch.setattr(ForkLauncher, "start", lambda *_: ways.append("fork"))
    monkeypatch.setattr(SpawnLauncher, "start", lambda *_: ways.append("exec"))
    return ways


@pytest.fixture
def one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """The process that runs the tests may have more."""
    monkeypatch.setattr(select_module.process, "thread_count", lambda: 1)


def request(tmp_path: Path, job_id: str = "job-a") -> StartRequest:
    return StartRequest(
        job_id=job_id,
        child_args=("__workflow-node", "--job-id", job_id),
        root=tmp_path,
        stdout=tmp_path / "stdout.log",
        stderr=tmp_path / "stderr.log",
        file_mode=0o600,
    )


def start(launcher: Any, what: StartRequest) -> None:
    launcher.start(what, lambda *_: None, lambda: None)


def test_the_setting_decides() -> None:
    assert isinstance(make_launcher(LauncherForm.AUTO, PROGRAM), ForkingLauncher)
    assert isinstance(make_launcher(LauncherForm.EXEC, PROGRAM), SpawnLauncher)


def test_other_systems_do_not_fork(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    assert isinstance(make_launcher(LauncherForm.AUTO, PROGRAM), SpawnLauncher)


@pytest.mark.usefixtures("one_thread")
def test_usually_workers_are_forked(tmp_path: Path, chosen: list[str]) -> None:
    start(ForkingLauncher(PROGRAM), request(tmp_path))
    assert chosen == ["fork"]


def test_r82_with_threads_they_are_not(tmp_path: Path, chosen: list[str]) -> None:
    stop = threading.Event()
    thread = threading.Thread(target=stop.wait)
    thread.start()
    start(ForkingLauncher(PROGRAM), request(tmp_path))
    stop.set()
    thread.join()
    assert chosen == ["exec"]


@pytest.mark.usefixtures("one_thread")
def test_r83_where_the_title_has_no_room_they_are_not(tmp_path: Path, chosen: list[str]) -> None:
    launcher = ForkingLauncher(PROGRAM)
    start(launcher, request(tmp_path, "x" * 100_000))
    assert chosen == ["exec"]


@pytest.fixture
def program_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """A module of the program that this process has loaded."""
    path = tmp_path / "vizier_core_part.py"
    path.write_text("")
    module = type(sys)("vizier_core.part")
    module.__file__ = str(path)
    monkeypatch.setitem(sys.modules, "vizier_core.part", module)
    return path


@pytest.mark.usefixtures("one_thread")
@pytest.mark.parametrize("change", ["edited", "removed"])
def test_r88_after_an_upgrade_they_are_not(
    tmp_path: Path, chosen: list[str], program_file: Path, change: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(select_module, "_LOOK_AT_FILES_EVERY", 0)
    launcher = ForkingLauncher(PROGRAM)
    start(launcher, request(tmp_path))
    if change == "edited":
        os.utime(program_file, (0, 0))
    else:
        program_file.unlink()
    start(launcher, request(tmp_path))
    assert chosen == ["fork", "exec"]


def test_the_title_of_a_worker_is_the_command_that_starts_it_by_hand() -> None:
    title = worker_title(("__workflow-node", "--job-id", "job-a"))
    assert title == "vizier __workflow-node --job-id job-a"
