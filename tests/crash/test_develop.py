"""`develop`, hit at every call that changes something and by kills at random moments; a retry always completes it.

Nothing may be lost then, no commit made twice, and no edit of the operator's touched (issue 7).
"""

import itertools
import random
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

import pytest

from crash.campaign import seeds, step
from crash.faults import KILL_CALLS, START_CALLS, Action, Fault
from crash.invariants import check_logs, check_output
from support.development import EDITS, Development
from support.flows import command, template
from support.repository import TERMINAL, Finished

pytestmark = pytest.mark.crash

#: How many tests share the calls of a series.
SHARDS: Final = 4
#: So often the operator looks for failed jobs and retries them.
_ROUNDS: Final = 6
#: Longest time until a kill, in seconds; undisturbed, a run takes about as long.
_LATEST: Final = 3.0
#: Done twice, it gives the same: an agent that is retried starts again with what it has left.
_WORK: Final = "echo new >new.txt; sed -i 's/^line 2$/line two/' story.txt"
_END: Final = "develop_merge__terminal"


class Series(NamedTuple):
    """One way to develop with one kind of fault."""

    #: Whether the merge meets a conflict, which the agent resolves.
    conflict: bool
    action: Action
    calls: tuple[str, ...]
    launcher: str | None
    #: Every how many-th call is tried by default.
    step: int

    def __str__(self) -> str:
        return "-".join(["conflict" if self.conflict else "clean", self.action, self.launcher or "fork"])


PLAN: Final = (
    Series(conflict=False, action=Action.KILL, calls=KILL_CALLS, launcher=None, step=20),
    Series(conflict=True, action=Action.KILL, calls=KILL_CALLS, launcher=None, step=60),
    Series(conflict=True, action=Action.KILL, calls=KILL_CALLS, launcher="exec", step=120),
    Series(conflict=True, action=Action.KILL_AFTER, calls=START_CALLS, launcher=None, step=40),
)


@pytest.mark.parametrize("shard", range(SHARDS))
@pytest.mark.parametrize("series", PLAN, ids=str)
def test_comes_back(series: Series, shard: int, tmp_path: Path) -> None:
    stride = step(series.step)
    for at in itertools.count(1 + shard * stride, SHARDS * stride):
        if not comes_back(series, at, tmp_path / str(at)):
            break
        shutil.rmtree(tmp_path / str(at))


def comes_back(series: Series, at: int, base: Path) -> bool:
    """Hits a run at one call and brings it back; whether the run got that far."""
    project = prepared(base, series.launcher, conflict=series.conflict)
    fault = Fault(base / "trace", series.action, at, series.calls)
    arguments = project.arguments("tidy", _WORK)
    outputs: list[Finished] = []
    try:
        outputs.append(project.vizier(*arguments, env=fault.env))
        project.wait_until_quiet()
        check_logs(project)
        check_output(outputs)
        complete(project, arguments)
        verify(project, conflict=series.conflict)
    except BaseException as error:
        error.add_note(f"{series}, call {at}: {fault.place}\n" + "\n".join(map(str, outputs)))
        error.add_note(project.situation())
        raise
    finally:
        project.close()
    return fault.was_hit


@pytest.mark.parametrize("seed", seeds(5))
def test_comes_back_from_kill_nine(seed: int, tmp_path: Path) -> None:
    """Workers, agents, gits, followers: whatever it hits, up to three times."""
    random_ = random.Random(seed)
    conflict = random_.random() < 0.5
    project = prepared(tmp_path, random_.choice([None, "exec"]), conflict=conflict)
    arguments = project.arguments("tidy", _WORK)
    killed: list[str] = []
    try:
        with project.start(*arguments, "--follow") as run:
            for _ in range(random_.randint(1, 3)):
                time.sleep(random_.uniform(0, _LATEST))  # not to wait for something: the moment is the case
                alive = project.processes()
                everybody = random_.random() < 0.3
                for victim in alive if everybody else random_.sample(alive, min(1, len(alive))):
                    killed.append(str(victim))
                    victim.kill()
            run.kill()
            run.communicate(timeout=120)
        project.wait_until_quiet()
        check_logs(project)
        complete(project, arguments)
        verify(project, conflict=conflict)
    except BaseException as error:
        error.add_note("killed: " + "\n".join(killed))
        error.add_note(project.situation())
        raise
    finally:
        project.close()


def prepared(base: Path, launcher: str | None, *, conflict: bool) -> Development:
    """A project with edits of the operator's, and if wanted a change that will be in conflict."""
    project = Development(base, launcher)
    if conflict:
        # The plan's branch begins before it.
        project.git("branch", "draft/tidy")
        project.write("story.txt", project.read("story.txt").replace("line 2\n", "line ours\n"))
        project.git("commit", "-q", "-m", "ours", "--", "story.txt")
        project.edit("mine.txt", "untracked.txt", "mine.o")
    else:
        project.edit()
    return project


def complete(project: Development, arguments: tuple[str, ...]) -> None:
    """What an operator does: retries what has failed; begins again if nothing has begun."""
    for number in range(_ROUNDS):
        check_output(list(_look(project, number)))
        if not project.nodes("tidy"):
            project.vizier(*arguments).ok()
        elif project.nodes("tidy")[_END] == "succeeded":
            return
        else:
            for job_id in _failed(project):
                check_output([project.vizier("jobs", "retry", job_id)])
        project.wait_until_quiet()
    raise AssertionError("retries do not complete it")


def _look(project: Development, number: int) -> Iterator[Finished]:
    """Anything that ticks, until every job has ended."""
    for again in range(_ROUNDS):
        if number == 0 or not set(project.statuses().values()) <= TERMINAL:
            name = f"look-{number}-{again}"
            project.write(f".git/{name}.json", template(command(name, "true")))
            yield project.vizier("run", f"file:.git/{name}.json", "--follow")
            project.wait_until_quiet()
        if set(project.statuses().values()) <= TERMINAL:
            return


def _failed(project: Development) -> list[str]:
    """The jobs that failed themselves; if none has, those that wait for somebody."""
    records = project.records()
    failed = [job_id for job_id, record in records.items() if record["status"] == "failed"]
    return failed or [job_id for job_id, record in records.items() if record["exit_code"] == 10]


def verify(project: Development, *, conflict: bool) -> None:
    assert project.subjects() == ["feat: merge plan tidy", *(["ours"] if conflict else [])]
    assert project.git("show", "HEAD:new.txt") == "new"
    story = project.read("story.txt").split("\n")
    assert [line for line in story if line in {"line two", "line ours"}] == (
        ["line ours", "line two"] if conflict else ["line two"]
    )
    assert [line for line in story if line[5:].isdigit()] == [f"line {number}" for number in (1, *range(3, 21))]
    message = project.git("log", "-1", "--format=%B")
    assert message.count("## Implementation Plan\n- do what was asked") == 1
    assert project.edits() == (EDITS if not conflict else {**EDITS, "staged.txt": "before\n"})
    assert project.git("diff", "--cached", "--name-only") == ("" if conflict else "staged.txt")
    assert project.git("branch", "--list", "draft/*") == ""
    assert project.git("log", "--format=%s").count("feat: merge plan tidy") == 1
    assert project.problems() == []
