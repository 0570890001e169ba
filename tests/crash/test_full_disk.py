"""A disk that is really full, where the tests may mount a small one; injected failures miss what C code writes."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from crash.campaign import step
from crash.invariants import check, check_logs, check_output, recover
from support.flows import command, template
from support.repository import Repository

pytestmark = pytest.mark.crash

#: Blocks of 4096 bytes that are free when the program starts; a run of the flow below takes about thirty.
FREE = range(0, 40, step(3))


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of two megabytes."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "none", place], capture_output=True, check=False)
    if mounted.returncode:
        pytest.skip("mounting a small file system is not permitted here")
    yield place
    subprocess.run(["umount", "--lazy", place], check=True)


@pytest.mark.parametrize("launcher", [None, "exec"], ids=["fork", "exec"])
@pytest.mark.parametrize("free", FREE)
def test_comes_back_when_there_is_room_again(free: int, launcher: str | None, disk: Path) -> None:
    repository = Repository(disk, launcher)
    repository.write(
        "flow.json", template(command("first", "echo one; echo two >&2"), command("second", "true", ["first"]))
    )
    fill(repository.path / "filler", free)
    try:
        # A follower would go on for as long as the disk is full.
        outputs = [repository.vizier("run", "flow.json")]
        repository.wait_until_quiet()
        outputs += [repository.vizier("jobs", "list", "--all").ok()]
        (repository.path / "filler").unlink()
        check_output(outputs)
        check_logs(repository)
        check_output(recover(repository))
        check(repository)
    finally:
        repository.close()


def fill(path: Path, free: int) -> None:
    """Takes all the room there is but so many blocks."""
    with path.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            file.truncate(max(0, file.tell() // 4096 - free) * 4096)
