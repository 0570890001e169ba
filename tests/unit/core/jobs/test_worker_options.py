"""What a worker's arguments say (decision D14)."""

from pathlib import Path

import pytest

from vizier_core.config import load_settings
from vizier_core.errors import VizierError
from vizier_core.jobs.settings import JobSettings
from vizier_core.jobs.worker_options import WorkerArguments, parse_worker_arguments, worker_options
from vizier_core.verbosity import Verbosity


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["__workflow-node", "--job-id", "j"], WorkerArguments("j")),
        (
            ["__workflow-node", "--job-id", "j", "--config-file", "/c.toml", "--start-token", "t"],
            WorkerArguments("j", Path("/c.toml"), token="t"),
        ),
        (
            ["__workflow-node", "--job-id", "j", "--quiet", "--no-session", "--program-directory", "/usr/bin"],
            WorkerArguments("j", verbosity=Verbosity.QUIET, program_directory=Path("/usr/bin")),
        ),
        (["__workflow-node", "--future", "--job-id", "j"], WorkerArguments("j")),
    ],
)
def test_arguments(words: list[str], expected: WorkerArguments) -> None:
    assert parse_worker_arguments(words) == expected


@pytest.mark.parametrize(
    "words", [[], ["run"], ["--job-id", "j"], ["__workflow-node"], ["__workflow-node", "--job-id"]]
)
def test_what_is_no_worker_is_refused(words: list[str]) -> None:
    with pytest.raises(VizierError, match=r"__workflow-node|--job-id"):
        parse_worker_arguments(words)


def test_ws_01_13_a_worker_has_the_configuration_its_run_was_given(root: Path, tmp_path: Path) -> None:
    config = tmp_path / "other.toml"
    config.write_text("[jobs]\nmax_route_attempts = 3\n")
    words = ["__workflow-node", "--job-id", "j"]
    assert (
        _settings(root, [*words, *worker_options(config, Verbosity.NORMAL, no_session=False)]).max_route_attempts == 3
    )
    assert _settings(root, words).max_route_attempts == 50


def _settings(root: Path, words: list[str]) -> JobSettings:
    return load_settings(root, parse_worker_arguments(words).config_file).jobs


@pytest.mark.parametrize("level", list(Verbosity))
def test_ws_07_01_a_worker_says_as_much_as_its_caller_wanted(level: Verbosity) -> None:
    words = ["__workflow-node", "--job-id", "j", *worker_options(None, level, no_session=True)]
    assert parse_worker_arguments(words).verbosity is level
    assert "--no-session" in words


def test_a_plain_call_adds_nothing() -> None:
    assert worker_options(None, Verbosity.NORMAL, no_session=False) == ()
