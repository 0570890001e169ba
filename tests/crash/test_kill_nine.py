"""kill -9 at random moments of a larger run: of the follower, of workers, of everything at once."""

import random
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest

from crash.campaign import seeds
from crash.invariants import check, check_logs, check_output, recover
from crash.ledger import alone, overlaps, started
from crash.witness import Witness
from support.flows import Node, command, template
from support.processes import Survivor
from support.repository import Repository

pytestmark = pytest.mark.crash

#: Longest time until a kill, in seconds; the run takes about twice as long undisturbed.
_LATEST = 1.5


def twelve_nodes() -> str:
    """A chain, a fan, a join, a check that sends the join around again, and a node beside all that."""
    fan = [f"fan{i}" for i in range(5)]
    return template(
        _node("first"),
        _node("second", ["first"]),
        _node("third", ["second"]),
        *(_node(name, ["third"]) for name in fan),
        _node("join", fan, "echo join >>trace"),
        _node("check", ["join"], "test $(wc -l <trace) -ge 2", on={"failed": ["join"]}),
        _node("end", ["check"]),
        _node("beside", on={"failed": ["beside"]}),
    )


def _node(name: str, after: Iterable[str] = (), script: str = "true", **more: object) -> Node:
    return command(name, f"{started(name)}; {alone(name)}; sleep 0.05; {script}", list(after), **more)


def follower(repository: Repository, run: "subprocess.Popen[str]", random_: random.Random) -> None:
    """The command that the operator watches; what it has started goes on."""
    _wait(random_)
    run.kill()


def workers(repository: Repository, run: "subprocess.Popen[str]", random_: random.Random) -> None:
    """Three workers, one after the other; the follower stays."""
    for _ in range(3):
        _wait(random_)
        alive = [process for process in repository.processes() if "__workflow-node" in process.command]
        if alive:
            random_.choice(alive).kill()


def everything(repository: Repository, run: "subprocess.Popen[str]", random_: random.Random) -> None:
    """As when the machine goes down, but for what was not on the disk yet."""
    _wait(random_)
    while alive := repository.processes():
        for process in _shuffled(alive, random_):
            process.kill()


def _wait(random_: random.Random) -> None:
    time.sleep(random_.uniform(0, _LATEST))  # not to wait for something: the moment is the case


def _shuffled(processes: list[Survivor], random_: random.Random) -> Iterator[Survivor]:
    yield from random_.sample(processes, len(processes))


Murder = Callable[[Repository, "subprocess.Popen[str]", random.Random], None]


@pytest.mark.parametrize("seed", seeds(3))
@pytest.mark.parametrize("murder", [follower, workers, everything])
def test_comes_back_from_kill_nine(murder: Murder, seed: int, repository: Repository, tmp_path: Path) -> None:
    repository.write("flow.json", twelve_nodes())
    with repository.start("run", "flow.json", "--follow") as run, Witness(repository):
        murder(repository, run, random.Random(f"{murder.__name__} {seed}"))
        if murder is not workers:
            run.kill()
        out, err = run.communicate(timeout=120)
        repository.wait_until_quiet()
        check_logs(repository)
        check_output(recover(repository, by_following=seed % 2 == 0))
        check(repository)
    assert overlaps(repository) == [], f"two attempts at once\n{out}{err}"
