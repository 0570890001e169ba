"""The crash matrix: the program is hit at every call that changes something, and must always come back.

Each case is one scenario, one kind of fault and one call. The cases of a series are numbered from 1 and end by
themselves with the first call that the scenario no longer reaches. They are dealt out to shards, so that a series can
use several cores. By default some series leave out calls; `scripts/soak.sh` takes them all.
"""

import itertools
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

import pytest

from crash.campaign import step
from crash.faults import CONTENT_CALLS, KILL_CALLS, ROOM_CALLS, START_CALLS, Action, Fault
from crash.invariants import check, check_logs, check_output, recover
from crash.scenarios import Approve, Cancel, Clean, Ephemeral, Follow, Gc, Reject, Retry, Run, Scenario, View
from support.repository import Finished, Repository

pytestmark = pytest.mark.crash

#: How many tests share the cases of a series.
SHARDS: Final = 4


class Series(NamedTuple):
    """One scenario with one kind of fault."""

    scenario: Scenario
    action: Action
    calls: tuple[str, ...]
    launcher: str | None = None
    #: Every how many-th call is tried by default.
    step: int = 1

    def __str__(self) -> str:
        words = (str(self.scenario), self.action, _NAMES[self.calls], *([self.launcher] if self.launcher else []))
        return "-".join(words)


_ANY_ROOM: Final = ROOM_CALLS + CONTENT_CALLS
PLAN: Final = (
    Series(Run(), Action.KILL, KILL_CALLS),
    Series(Run(), Action.KILL_AFTER, START_CALLS),
    Series(Run(), Action.KILL_CHILD, START_CALLS),
    Series(Run(), Action.FAIL, ROOM_CALLS),
    Series(Run(), Action.FAIL, CONTENT_CALLS, step=4),
    Series(Run(), Action.FULL, _ANY_ROOM, step=10),
    Series(Run(), Action.INTERRUPT, KILL_CALLS, step=4),
    Series(Run(), Action.KILL, KILL_CALLS, "exec", step=6),
    Series(Run(), Action.KILL_AFTER, START_CALLS, "exec"),
    Series(Run(), Action.KILL_CHILD, START_CALLS, "exec"),
    Series(Run(), Action.FAIL, _ANY_ROOM, "exec", step=12),
    Series(Follow(), Action.KILL, KILL_CALLS, step=16),
    Series(Approve(), Action.KILL, KILL_CALLS, step=3),
    Series(Approve(), Action.FAIL, _ANY_ROOM, step=8),
    Series(Reject(), Action.KILL, KILL_CALLS, step=2),
    Series(Reject(), Action.FAIL, _ANY_ROOM, step=4),
    Series(Retry(), Action.KILL, KILL_CALLS, step=6),
    Series(Retry(), Action.FAIL, _ANY_ROOM, step=16),
    Series(Cancel(), Action.KILL, KILL_CALLS),
    Series(Cancel(), Action.FAIL, _ANY_ROOM, step=4),
    Series(Gc(), Action.KILL, KILL_CALLS, step=2),
    Series(Gc(), Action.FAIL, _ANY_ROOM, step=2),
    Series(Clean(), Action.KILL, KILL_CALLS, step=2),
    Series(Clean(), Action.FAIL, _ANY_ROOM, step=2),
    Series(Ephemeral(), Action.KILL, KILL_CALLS, step=6),
    Series(Ephemeral(), Action.FAIL, _ANY_ROOM, step=12),
    Series(View(), Action.FULL, _ANY_ROOM, step=4),
)
#: How series call their calls.
_NAMES: Final = {
    KILL_CALLS: "any",
    START_CALLS: "start",
    ROOM_CALLS: "room",
    CONTENT_CALLS: "content",
    _ANY_ROOM: "any",
}


@pytest.mark.parametrize("shard", range(SHARDS))
@pytest.mark.parametrize("series", PLAN, ids=str)
def test_comes_back(series: Series, shard: int, tmp_path: Path) -> None:
    for at in _calls_of(series, shard):
        if not comes_back(series, at, tmp_path / str(at)):
            break
        shutil.rmtree(tmp_path / str(at))


def _calls_of(series: Series, shard: int) -> Iterator[int]:
    """The numbers of the calls that one shard tries, without end."""
    stride = step(series.step)
    return itertools.count(1 + shard * stride, SHARDS * stride)


def comes_back(series: Series, at: int, base: Path) -> bool:
    """Hits a scenario at one call and brings it back; whether the scenario got that far."""
    scenario = series.scenario
    repository = Repository(base, series.launcher)
    commands_only = series.action is Action.INTERRUPT
    fault = Fault(base / "trace", series.action, at, series.calls, workers=not commands_only)
    outputs: list[Finished] = []

    def vizier(*args: str) -> Finished:
        outputs.append(repository.vizier(*args, env=fault.env))
        return outputs[-1]

    try:
        scenario.prepare(repository)
        scenario.act(repository, vizier)
        scenario.relax(repository)
        repository.wait_until_quiet()
        fault.make_room()
        check_output(outputs)
        check_logs(repository)
        check_output(recover(repository, by_following=at % 2 == 0))
        check(repository)
        scenario.verify(repository, outputs)
    except BaseException as error:
        error.add_note(f"{series}, call {at}: {fault.place}\n" + "\n".join(map(str, outputs)))
        raise
    finally:
        repository.close()
    return fault.was_hit
