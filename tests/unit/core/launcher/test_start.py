"""A worker does nothing before its record names it, whatever becomes of its starter (decision D20, ruling R80)."""

import signal
import sys
from pathlib import Path
from typing import Any

import pytest

from ..probes import run_probe

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="waits for orphans")

PROBE = Path(__file__).parent / "start_probe.py"


@pytest.fixture(params=["auto", "exec"])
def probe(request: pytest.FixtureRequest, root: Path) -> Any:
    return lambda name: run_probe(PROBE, name, root, request.param)


UNTOUCHED = {"status": "waiting_on_approval", "log": "", "out": ""}


def test_a_worker_runs_its_node(probe: Any) -> None:
    found = probe("nothing_special")
    assert (found["status"], found["out"], found["lock"]) == ("succeeded", "done\n", False)
    assert "[workflow-node] complete node=only" in found["log"]


def test_ws_01_07_a_starter_killed_before_the_record_is_written_leaves_everything_as_it_was(probe: Any) -> None:
    """The lock file of the killed process stays: it reads as free."""
    assert probe("killed_before_the_record") == {**UNTOUCHED, "code": -signal.SIGKILL, "lock": True}


def test_r80_a_starter_killed_after_the_record_is_written_does_not_stop_the_worker(probe: Any) -> None:
    found = probe("killed_after_the_record")
    assert found["code"] == -signal.SIGKILL
    assert (found["status"], found["out"], found["lock"]) == ("succeeded", "done\n", False)


def test_a_record_that_cannot_be_written_ends_the_worker_without_a_trace(probe: Any) -> None:
    expected = {**UNTOUCHED, "lock": False, "error": "[Errno 28] No space left on device"}
    assert probe("record_cannot_be_written") == expected


def test_d20_a_worker_whose_record_names_another_one_touches_nothing(probe: Any) -> None:
    expected = {"status": "running", "log": "", "out": "", "lock": True}
    assert probe("somebody_elses") == {**expected, "code": -signal.SIGKILL}
