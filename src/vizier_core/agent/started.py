"""An agent or a filter while it runs."""

import signal
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

from vizier_core.agent.pipes import Inlet, Outlet
from vizier_core.agent.report import ShimReport, parse_report
from vizier_core.agent.streams import CapturedLines, LineSplitter


class StartedProgram:
    """A program with its three pipes, in a process group of its own.

    Args:
        argv: program and arguments.
        cwd: where it works.
        stdout: receives what it prints, byte for byte.
        progress: receives what it says on stderr, line by line.

    Attributes:
        lines: what it has said on stderr, without its report.
        report: the last report line, if there was one.

    Raises:
        OSError: it cannot be started.
        ValueError: its arguments hold a zero byte.
    """

    def __init__(
        self, argv: Sequence[str], cwd: Path, stdout: Callable[[bytes], None], progress: Callable[[str], None]
    ) -> None:
        self.process = subprocess.Popen(
            argv,
            cwd=cwd,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            process_group=0,
        )
        stdin, out, err = self.process.stdin, self.process.stdout, self.process.stderr
        assert stdin is not None
        assert out is not None
        assert err is not None
        self.stdin = Inlet(stdin)
        self.stdout = Outlet(out, stdout)
        self.stderr = Outlet(err, self._take_stderr)
        self.lines = CapturedLines()
        self.report: ShimReport | None = None
        self._splitter = LineSplitter()
        self._progress = progress

    @property
    def ended(self) -> bool:
        """Whether it has ended, whatever its own children do."""
        return self.process.poll() is not None

    @property
    def exit_code(self) -> int:
        """Its exit code once it has ended; -1 for a signal."""
        return max(self.process.returncode, -1)

    @property
    def signal_name(self) -> str | None:
        """The signal that has ended it, for example `SIGKILL`; None if it has ended by itself."""
        number = -self.process.returncode
        if number <= 0:
            return None
        try:
            return signal.Signals(number).name
        except ValueError:  # those for real-time programs have no names
            return f"signal {number}"

    @property
    def talks(self) -> bool:
        """Whether somebody holds its output open."""
        return self.stdout.open or self.stderr.open

    def finish(self) -> None:
        """Closes its pipes and takes its last words."""
        self.close_pipes()
        self._take_lines(self._splitter.end())

    def close_pipes(self) -> None:
        """Neither tells nor asks it anything any more."""
        self.stdin.abandon()
        self.stdout.close()
        self.stderr.close()

    def _take_stderr(self, data: bytes) -> None:
        self._take_lines(self._splitter.feed(data))

    def _take_lines(self, lines: list[str]) -> None:
        for line in lines:
            report = parse_report(line)
            if report is not None:
                self.report = report
            else:
                self.lines.append(line)
                self._progress(line)
