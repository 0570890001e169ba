"""What a worker inherits from whoever starts it: nothing but the environment and the umask (rulings R81, R85, R86)."""

import json
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from ..probes import run_probe

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")

PROBE = Path(__file__).parent / "hygiene_probe.py"
SIGHUP, SIGINT, SIGQUIT, SIGUSR1, SIGUSR2, SIGPIPE = 1, 2, 3, 10, 12, 13
#: Two that the C library keeps for itself; no program can use them.
INTERNAL = {32, 33}


class Report(NamedTuple):
    """What was found out."""

    root: Path
    form: str
    #: Session of the process that ticked.
    ticker_session: int
    lines: list[str]

    def values(self, name: str) -> list[str]:
        return [line.removeprefix(f"{name} ") for line in self.lines if line.startswith(f"{name} ")]

    def value(self, name: str) -> str:
        (found,) = self.values(name)
        return found

    def signals(self, whose: str, field: str) -> set[int]:
        """The signals of a mask in `/proc/<pid>/status`."""
        (mask,) = [line.split()[1] for line in self.values(whose) if line.startswith(f"{field}:")]
        return {number for number in range(1, 65) if int(mask, 16) & 1 << number - 1}

    def open_files(self, whose: str) -> set[str]:
        return set(self.root.with_name(f"report.{whose}-fd").read_text().splitlines())

    @property
    def job_directory(self) -> Path:
        return self.root / ".vizier" / "jobs" / "wf-run_1-only"


@pytest.fixture(scope="module", params=["auto", "exec"])
def report(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Report:
    root = tmp_path_factory.mktemp("hygiene") / "project"
    (root / ".git").mkdir(parents=True)
    found = root.parent / "report"
    session = run_probe(PROBE, root, request.param, HOME=str(root.parent), VIZIER_TEST_REPORT=str(found))
    return Report(root, request.param, session, found.read_text().splitlines())


def test_the_node_has_succeeded(report: Report) -> None:
    record = json.loads((report.job_directory / "job.json").read_text())
    assert (record["status"], record["exit_code"]) == ("succeeded", 0)


def test_both_forms_show_the_job_in_the_command_line(report: Report) -> None:
    assert " __workflow-node --job-id wf-run_1-only " in f"{report.value('title')} "
    record = json.loads((report.job_directory / "job.json").read_text())
    assert record["child_args"] == ["__workflow-node", "--job-id", "wf-run_1-only"]


def test_worker_and_node_run_in_the_project_root_with_the_tickers_umask(report: Report) -> None:
    assert report.value("cwd") == report.value("worker-cwd") == str(report.root)
    assert report.value("umask") == "0027"


def test_r85_the_worker_leads_a_session_of_its_own(report: Report) -> None:
    before, _, after = report.value("worker-stat").rpartition(")")
    _, _, group, session, *_ = after.split()
    assert before.split()[0] == group == session
    assert int(session) != report.ticker_session


def test_input_is_empty(report: Report) -> None:
    assert report.value("stdin") == "/dev/null"


def test_r81_the_worker_has_open_only_what_is_its_own(report: Report) -> None:
    own = {"/dev/null", *(str(report.job_directory / f"{name}.log") for name in ("stdout", "stderr"))}
    unknown = {path for path in report.open_files("worker") if not path.startswith(("/memfd:", "anon_inode:[pidfd]"))}
    unknown -= own
    # The exec form learns from a pipe that its record is written.
    assert len(unknown) <= (report.form == "exec")
    assert all(path.startswith("pipe:") for path in unknown)


def test_r81_r86_the_node_has_open_only_its_streams(report: Report) -> None:
    own = ("/dev/null", "/memfd:", str(report.root.with_name("report")))
    assert {path for path in report.open_files("own") if not path.startswith(own)} == set()


def test_r81_the_worker_reacts_to_signals_as_a_fresh_program_does(report: Report) -> None:
    if report.form == "exec":
        pytest.skip("a new program inherits what is ignored and blocked; see the next tests for what becomes of it")
    assert report.signals("worker", "SigIgn") <= {SIGPIPE}
    assert report.signals("worker", "SigBlk") == set()
    assert SIGUSR1 not in report.signals("worker", "SigCgt")


def test_r86_signals_that_the_ticker_ignored_are_restored_for_the_node(report: Report) -> None:
    """Under `nohup`, or in the background of a script, some are; a script cannot even trap them then."""
    assert report.signals("own", "SigIgn") <= INTERNAL


def test_r86_signals_that_the_ticker_blocked_are_not_blocked_for_the_node(report: Report) -> None:
    assert report.signals("own", "SigBlk") == set()


def test_r81_what_the_ticker_had_buffered_is_not_printed_again(report: Report) -> None:
    for stream in ("stdout", "stderr"):
        assert "buffered by the ticker" not in (report.job_directory / f"{stream}.log").read_text()


def test_r81_nothing_that_the_ticker_had_still_to_do_is_done_by_the_worker(report: Report) -> None:
    for name in ("finally", "at-exit"):
        assert (report.root.parent / name).read_text() == "ticker\n"
    assert not (report.root / ".vizier" / "jobs" / "scheduler.lock").exists()


@pytest.mark.parametrize(
    "form",
    [
        "auto",
        "exec",
    ],
)
def test_a_ticker_without_standard_descriptors_starts_workers_all_the_same(tmp_path: Path, form: str) -> None:
    root = tmp_path / "project"
    (root / ".git").mkdir(parents=True)
    log = run_probe(PROBE, root, form, "closed", HOME=str(tmp_path), VIZIER_TEST_REPORT=str(tmp_path / "report"))
    assert "outcome=succeeded" in log
