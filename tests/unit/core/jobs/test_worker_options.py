"""What a worker's arguments say (decision D14)."""

from pathlib import Path

import pytest

from vizier_core.errors import VizierError
from vizier_core.jobs.worker_options import WorkerArguments, parse_worker_arguments, worker_settings


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["__workflow-node", "--job-id", "j"], WorkerArguments("j", None, None)),
        (
            ["__workflow-node", "--job-id", "j", "--config-file", "/c.toml", "--start-token", "t"],
            WorkerArguments("j", Path("/c.toml"), "t"),
        ),
        (["__workflow-node", "--future", "--job-id", "j"], WorkerArguments("j", None, None)),
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
    assert worker_settings(root, [*words, "--config-file", str(config)]).jobs.max_route_attempts == 3
    assert worker_settings(root, words).jobs.max_route_attempts == 50
