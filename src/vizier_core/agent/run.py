"""Runs an agent: prompt in, reply out, progress on the way (spec 07 §6)."""

import contextlib
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec

from vizier_core.agent import mock
from vizier_core.agent.errors import (
    AgentError,
    AgentNotFoundError,
    AgentNotStartedError,
    AgentTimeoutError,
    FilterNotStartedError,
    FilterStuckError,
    NoAgentCommandError,
)
from vizier_core.agent.pipes import exchange
from vizier_core.agent.program import find_program, line_buffered
from vizier_core.agent.started import StartedProgram
from vizier_core.agent.streams import CapturedLines, LineSplitter, NewlineNormaliser, Transcript
from vizier_core.agent.tree import ProcessTree
from vizier_core.command import Output
from vizier_core.family import adopting_orphans, bury_orphans
from vizier_core.process import command_line
from vizier_core.usage import Usage

#: How long an agent may run, in seconds, if nobody says otherwise.
TIMEOUT: Final = 43200.0
#: The agent has to wait while the filter is so many bytes behind.
_BACKLOG: Final = 1024 * 1024
#: When a program has ended and something still holds its output open, this many seconds of silence are the end of it,
#: so many seconds in all, or so many bytes that the filter has not taken: they are not the program's own.
_DRAIN_SILENCE: Final = 0.5
_DRAIN_MOST: Final = 2.0
_DRAIN_BACKLOG: Final = 64 * 1024 * 1024
#: Helpers of the agent that are about to end may take so many seconds for it.
_LAST_BREATH: Final = 0.2
#: Of processes that are left behind so many are named, each with so many characters of its command line.
_NAMED: Final = 5
_WORDS: Final = 60
#: How long to wait between looks at whether a program has ended, in seconds: soon after it did something, later rarely.
_SHORTEST_PAUSE: Final = 0.001
_LONGEST_PAUSE: Final = 0.1


class AgentRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What to run and what to ask."""

    argv: tuple[str, ...]
    #: Renders the agent's output; empty for none.
    progress_filter: tuple[str, ...] = ()
    prompt: str
    #: Where both work.
    cwd: Path
    #: A directory on a disk, for output that is too much for memory.
    scratch: Path
    #: Seconds that all of it may take.
    timeout: float = TIMEOUT
    #: Seconds between TERM and KILL when it took longer.
    grace: float = 5.0
    #: Seconds that the filter may do nothing after the agent has ended.
    filter_patience: float = 60.0


class AgentReply(msgspec.Struct, frozen=True, kw_only=True):
    """An agent that has answered; an empty answer is one."""

    text: Output
    #: What agent and filter have said on stderr, trimmed, in this order.
    stderr_lines: tuple[str, ...]
    duration_ms: int
    usage: Usage | None = None


class AgentFailure(msgspec.Struct, frozen=True, kw_only=True):
    """An agent, or its filter, that has ended with something else than success."""

    #: The filter's if that failed, else the agent's; -1 if a signal ended it. Never 0.
    exit_code: int
    #: What was on its way to become the reply (WS-06-30).
    text: Output
    stderr_lines: tuple[str, ...]
    duration_ms: int
    usage: Usage | None = None


def run_agent(
    request: AgentRequest,
    *,
    progress: Callable[[str], None],
    reply: Callable[[str], None],
    warn: Callable[[str], None],
) -> AgentReply | AgentFailure:
    """Runs an agent to its end; nothing that it has started outlives a timeout or an exception.

    Args:
        request: what to run.
        progress: receives, while the agent works, each line that it says, trimmed, for people.
        reply: receives, on success, the whole answer in pieces, however long it is.
        warn: receives remarks of the runner for the operator's log that are no words of the agent.

    Raises:
        AgentTimeoutError: it took too long.
        AgentError: it could not be started, or its filter could not or hangs, or its output could not be kept.
    """
    if mock.mock_is_on():
        return _run_mock(progress, reply, warn)
    if not request.argv:
        raise NoAgentCommandError
    conversation = _Conversation(request, progress, warn)
    try:
        return conversation.run(reply)
    except OSError as error:
        raise AgentError(f"I/O error: {error}") from error
    finally:
        conversation.close()


def _run_mock(
    progress: Callable[[str], None], reply: Callable[[str], None], warn: Callable[[str], None]
) -> AgentReply | AgentFailure:
    warn(mock.WARNING)
    fails = mock.mock_fails()
    for line in mock.FORCED_LINES if fails else mock.STDERR_LINES:
        progress(line)
    if fails:
        return AgentFailure(
            exit_code=mock.FORCED_EXIT_CODE,
            text=Output(""),
            stderr_lines=mock.FORCED_LINES,
            duration_ms=mock.DURATION_MS,
        )
    reply(mock.REPLY)
    return AgentReply(text=Output(mock.REPLY), stderr_lines=mock.STDERR_LINES, duration_ms=mock.DURATION_MS)


class _Conversation:
    """One run of an agent and, if it has one, of its filter."""

    def __init__(self, request: AgentRequest, progress: Callable[[str], None], warn: Callable[[str], None]) -> None:
        self._request = request
        self._progress = progress
        self._warn = warn
        self._tree = ProcessTree()
        self._notes: list[str] = []
        self._raw = Transcript(request.scratch)
        self._raw_newlines = NewlineNormaliser()
        self._filtered = Transcript(request.scratch)
        self._filtered_newlines = NewlineNormaliser()
        self._filtered_splitter = LineSplitter()
        self._filtered_lines = CapturedLines()
        self._filter: StartedProgram | None = None
        self._leads_session = os.getsid(0) == os.getpid()
        #: Something that is not the agent's own held its output open after its end.
        self._output_is_held = False
        #: The agent and, if there is one, the filter, as far as they are started.
        self._programs: list[StartedProgram] = []

    def run(self, reply: Callable[[str], None]) -> AgentReply | AgentFailure:
        """All of it, in the order of spec 07 §§6.2-6.4."""
        began = time.monotonic()
        agent_argv, filter_argv = self._commands()
        with adopting_orphans() if self._leads_session else contextlib.nullcontext():
            try:
                self._start(agent_argv, filter_argv)
                self._converse(began + self._request.timeout)
            except BaseException:
                self._tree.end(self._request.grace)
                raise
        self._tell_what_is_left()
        self._tell_signals()
        return self._result(reply, round((time.monotonic() - began) * 1000))

    def close(self) -> None:
        """Gives files and pipes back."""
        for program in self._programs:
            program.close_pipes()
        self._raw.close()
        self._filtered.close()

    def _commands(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The command lines of agent and filter, both of which can probably be started."""
        argv, cwd = self._request.argv, self._request.cwd
        if not cwd.is_dir():
            raise AgentNotStartedError(f"no directory {cwd} to work in")
        try:
            find_program(argv[0], cwd)
        except FileNotFoundError:
            raise AgentNotFoundError(argv[0]) from None
        except PermissionError:
            raise AgentNotStartedError(f"Permission denied: {argv[0]} is not executable") from None
        agent_argv, missing = line_buffered(argv, cwd)
        self._notes += [f"{name} not found; attempting next buffering wrapper" for name in missing]
        if not self._request.progress_filter:
            return agent_argv, ()
        filter_program = self._request.progress_filter[0]
        try:
            find_program(filter_program, cwd)
        except FileNotFoundError:
            raise FilterNotStartedError(filter_program, "no such program") from None
        except PermissionError:
            raise FilterNotStartedError(filter_program, "Permission denied: it is not executable") from None
        filter_argv, missing = line_buffered(self._request.progress_filter, cwd)
        self._notes += [f"{name} not found; attempting next buffering wrapper for progress filter" for name in missing]
        return agent_argv, filter_argv

    def _start(self, agent_argv: tuple[str, ...], filter_argv: tuple[str, ...]) -> None:
        cwd = self._request.cwd
        try:
            self._agent = StartedProgram(agent_argv, cwd, self._take_raw, self._progress)
        except FileNotFoundError:
            hint = " (it is there; the interpreter that its first line names is not)"
            raise AgentNotFoundError(self._request.argv[0], hint) from None
        except (OSError, ValueError) as error:
            raise AgentNotStartedError(str(error)) from None
        self._programs.append(self._agent)
        self._tree.add(self._agent.process)
        if filter_argv:
            try:
                self._filter = StartedProgram(filter_argv, cwd, self._take_filtered, self._progress)
            except (OSError, ValueError) as error:
                raise FilterNotStartedError(self._request.progress_filter[0], str(error)) from None
            self._programs.append(self._filter)
            self._tree.add(self._filter.process)
        self._agent.stdin.write(_prompt_bytes(self._request.prompt))
        self._agent.stdin.finish()

    def _converse(self, deadline: float) -> None:
        self._wait_for_agent(deadline)
        self._drain(self._agent)
        self._pass_on(self._raw_newlines.end())
        if self._filter is not None:
            self._wait_for_filter(self._filter, deadline)
            self._drain(self._filter)
            self._keep_filtered(self._filtered_newlines.end())
            self._show_filtered(self._filtered_splitter.end())

    def _wait_for_agent(self, deadline: float) -> None:
        pause = _SHORTEST_PAUSE
        while not self._agent.ended:
            left = deadline - time.monotonic()
            if left <= 0:
                raise self._timed_out()
            pause = _SHORTEST_PAUSE if self._exchange(min(pause, left)) else min(2 * pause, _LONGEST_PAUSE)

    def _timed_out(self) -> AgentTimeoutError:
        """Ends the agent, and notes what it has said until then."""
        survivors = self._tree.end(self._request.grace)
        limit = time.monotonic() + _DRAIN_SILENCE
        while time.monotonic() < limit and self._exchange(0):
            pass
        for program in self._programs:
            program.finish()
        failure = self._failure(-1, [line for program in self._programs for line in program.lines.lines()], 0)
        return AgentTimeoutError(self._request.timeout, survivors, failure.text, failure.stderr_lines)

    def _wait_for_filter(self, running: StartedProgram, deadline: float) -> None:
        """Lets the filter finish what it has been given."""
        running.stdin.finish()
        patience = self._request.filter_patience
        busy = time.monotonic()
        pause = _SHORTEST_PAUSE
        while not running.ended:
            if self._exchange(pause):
                busy = time.monotonic()
                pause = _SHORTEST_PAUSE
            else:
                pause = min(2 * pause, _LONGEST_PAUSE)
            now = time.monotonic()
            if now - busy > patience or now > deadline + patience:
                raise FilterStuckError(self._request.progress_filter[0], patience)

    def _drain(self, program: StartedProgram) -> None:
        """Takes what an ended program has left in its pipes; others that hold them open cannot hold up the run."""
        limit = time.monotonic() + _DRAIN_MOST
        while program.talks and time.monotonic() < limit and self._backlog() < _DRAIN_BACKLOG:
            if not self._exchange(_DRAIN_SILENCE):
                break
        self._output_is_held = self._output_is_held or program.talks
        program.finish()

    def _tell_what_is_left(self) -> None:
        """Names the processes that go on although the agent has ended well (ruling R85)."""
        limit = time.monotonic() + _LAST_BREATH
        while (left := self._tree.living()) and time.monotonic() < limit:
            time.sleep(_SHORTEST_PAUSE)
        if not left and not self._output_is_held:
            return
        named = ", ".join(f"{info.pid} ({_shown(info.pid)})" for info in left[:_NAMED]) or "which cannot be found"
        more = f" and {len(left) - _NAMED} more" if len(left) > _NAMED else ""
        how = ", which hold its output open" if self._output_is_held else ""
        self._warn(f"the agent has ended, but has left processes behind{how}: {named}{more}")

    def _tell_signals(self) -> None:
        """Their exit code, -1, says neither which signal it was nor that it was one."""
        for name, program in zip(("agent", "progress filter"), self._programs, strict=False):
            if program.signal_name:
                self._warn(f"the {name} was ended by {program.signal_name}, neither by itself nor by vizier")

    def _exchange(self, seconds: float) -> bool:
        for program in self._programs:
            if program.ended:
                program.stdin.abandon()
        if self._leads_session:
            bury_orphans(self._tree.pids)
        # What was said about the way comes before the outcome.
        outlets = [outlet for program in self._programs for outlet in (program.stderr, program.stdout)]
        if self._backlog() > _BACKLOG and not self._agent.ended:
            outlets.remove(self._agent.stdout)
        return exchange([program.stdin for program in self._programs], outlets, seconds)

    def _backlog(self) -> int:
        return self._filter.stdin.backlog if self._filter is not None else 0

    def _take_raw(self, data: bytes) -> None:
        self._pass_on(self._raw_newlines.feed(data))

    def _pass_on(self, data: bytes) -> None:
        self._raw.feed(data)
        if self._filter is not None:
            self._filter.stdin.write(data)

    def _take_filtered(self, data: bytes) -> None:
        self._keep_filtered(self._filtered_newlines.feed(data))

    def _keep_filtered(self, data: bytes) -> None:
        self._filtered.feed(data)
        self._show_filtered(self._filtered_splitter.feed(data))

    def _show_filtered(self, lines: list[str]) -> None:
        for line in lines:
            self._filtered_lines.append(line)
            self._progress(line)

    def _result(self, reply: Callable[[str], None], duration_ms: int) -> AgentReply | AgentFailure:
        lines = self._agent.lines.lines()
        code = self._agent.exit_code
        transcript = self._raw
        if self._filter is not None:
            lines += self._filter.lines.lines()
            transcript = self._filtered
            if self._filter.exit_code != 0:
                lines += self._filtered_lines.lines()
                if code == 0:
                    self._warn(f"the agent exited 0, but its progress filter exited {self._filter.exit_code}")
                return self._failure(self._filter.exit_code, lines, duration_ms)
        lines += self._notes
        for note in self._notes:
            self._warn(note)
        if code != 0:
            return self._failure(code, lines, duration_ms)
        if transcript.empty and self._raw_is_the_reply():
            transcript = self._raw
        transcript.copy_to(reply)
        return AgentReply(
            text=transcript.output(), stderr_lines=tuple(lines), duration_ms=duration_ms, usage=self._usage()
        )

    def _failure(self, code: int, lines: list[str], duration_ms: int) -> AgentFailure:
        transcript = self._raw if self._filter is None else self._filtered
        return AgentFailure(
            exit_code=code,
            text=transcript.output(),
            stderr_lines=tuple(lines),
            duration_ms=duration_ms,
            usage=self._usage(),
        )

    def _raw_is_the_reply(self) -> bool:
        """Whether what the agent printed stands for the reply that the filter did not print (WS-07-13)."""
        if self._filter is None or self._raw.empty:
            return False
        if self._filter.report is not None and self._filter.report.empty_reply:
            return False
        self._warn("the progress filter printed no reply: what the agent printed is taken for it as it stands")
        return True

    def _usage(self) -> Usage | None:
        reports = (program.report for program in reversed(self._programs))
        return next((report.usage for report in reports if report is not None and report.usage is not None), None)


def _shown(pid: int) -> str:
    """What runs in a process, in a few words."""
    words = " ".join(command_line(pid) or ("ended meanwhile",))
    return words if len(words) <= _WORDS else f"{words[:_WORDS]}..."


def _prompt_bytes(prompt: str) -> bytes:
    """UTF-8; bytes that were no UTF-8 in a file name come out as they were."""
    try:
        return prompt.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return prompt.encode("utf-8", "replace")
