"""Really kills a process, at each of its steps that change something, while it works in a repository."""

import _posixsubprocess
import os
import signal
import sys
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

_CALLS = ("rename", "replace", "link", "unlink", "rmdir", "mkdir", "fsync")
Act = Callable[[Any], object]


class Victim(NamedTuple):
    """What became of a process that was to be killed at a step."""

    #: Whether it got to its end, because it has fewer steps.
    survived: bool
    #: The step: the name of the call and what it was about.
    step: str


def killed_at(act: Act, place: Any, step: int, trace: Path, *, after: bool = False) -> Victim:
    """Does something in a process of its own that kills itself at one of its steps.

    Args:
        act: what is done.
        place: its argument.
        step: the step, from 1.
        trace: where the steps are noted; a new file.
        after: kill after the call instead of before it; a program that it has started goes on.
    """
    sys.stdout.flush()
    pid = os.fork()
    if pid == 0:
        code = 70
        try:
            os.setsid()
            _arm(step, os.open(trace, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), after)
            act(place)
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)
    _, status = os.waitpid(pid, 0)
    wait_for_session(pid)
    code = os.waitstatus_to_exitcode(status)
    assert code in {0, -signal.SIGKILL}, f"ended with {code} at step {step}"
    steps = trace.read_text(errors="replace").splitlines()
    return Victim(code == 0, steps[-1] if steps else "")


def every_kill(prepare: Callable[[], Any], act: Act, trace: Path, *, after: bool = False) -> Iterator[Any]:
    """Does something again and again, each time killed a step later, until it gets through.

    Yields:
        Each place, for a look at what was left; the next one is made then.
    """
    step = 0
    while True:
        step += 1
        place = prepare()
        trace.unlink(missing_ok=True)
        victim = killed_at(act, place, step, trace, after=after)
        try:
            yield place
        except BaseException as error:
            error.add_note(f"killed {'after' if after else 'before'} step {step}: {victim.step}")
            raise
        if victim.survived:
            break
    assert step > 2, "hardly anything was done"


def _arm(step: int, trace: int, after: bool) -> None:
    counted = 0

    def armed(name: str, original: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            nonlocal counted
            counted += 1
            shown = arguments[0] if name == "spawn" else arguments
            os.write(trace, f"{name} {shown!r}"[:500].replace("\n", " ").encode(errors="replace") + b"\n")
            if counted == step and not after:
                os.kill(os.getpid(), signal.SIGKILL)
            result = original(*arguments, **options)
            if counted == step:
                os.kill(os.getpid(), signal.SIGKILL)
            return result

        return call

    for name in _CALLS:
        setattr(os, name, armed(name, getattr(os, name)))
    import subprocess

    subprocess._fork_exec = armed("spawn", _posixsubprocess.fork_exec)  # type: ignore[attr-defined]


def wait_for_session(session: int) -> None:
    """Waits for programs that the victim had started."""
    while any(_session(name) == session for name in os.listdir("/proc") if name.isdigit()):
        pass


def _session(pid: str) -> int:
    try:
        text = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return 0
    fields = text[text.rindex(b")") + 2 :].split()
    return 0 if fields[0] in b"ZX" else int(fields[3])
