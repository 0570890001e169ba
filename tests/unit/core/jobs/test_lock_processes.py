"""The scheduler lock between processes (decision D7, rulings R1, R80); the processes are in lock_probe.py."""

import os
from pathlib import Path
from typing import Any

import pytest

from ..probes import run_probe

PROBE = Path(__file__).parent / "lock_probe.py"


@pytest.fixture
def outcome(tmp_path: Path) -> Any:
    return lambda name: run_probe(PROBE, name, tmp_path)


def test_never_two_processes_are_in_the_critical_section(outcome: Any) -> None:
    assert outcome("contest") == {"codes": [0] * 8, "count": 8 * 40, "left": []}


def test_d7_sixty_four_commands_at_once_all_get_their_turn(outcome: Any) -> None:
    assert outcome("crowd") == [0] * 64


def test_ws_01_01_ws_02_03_the_lock_of_a_killed_process_is_free_at_once(outcome: Any) -> None:
    assert outcome("killed_holder") == {"busy": True, "text": True, "now": True}


def test_ws_01_01_processes_killed_anywhere_in_between_stop_nobody(outcome: Any) -> None:
    assert outcome("killed_mid_contest") == []


def test_r80_a_forked_child_that_abandons_the_lock_does_not_release_its_parents(outcome: Any) -> None:
    assert outcome("abandoned") == {"while held": [1], "after": [0]}


def test_r80_a_forked_child_does_not_keep_the_lock_of_a_dead_parent(outcome: Any) -> None:
    assert outcome("abandoned_by_a_dying_parent") is True


def test_ws_01_02_every_waiting_worker_gets_the_lock_in_the_end(outcome: Any) -> None:
    assert outcome("taken_over") == {"told": 3, "codes": [0, 0, 0]}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can act as two users")
def test_r73_the_lock_of_another_user_of_a_shared_repository_is_waited_for(tmp_path: Path) -> None:
    for directory in (tmp_path, *tmp_path.parents[:3]):
        directory.chmod(0o777)
    assert run_probe(PROBE, "two_users", tmp_path) == "busy"
