"""Defects of the reference in configuration (spec 07 §12) that are mended here; others stand with what they concern."""

import pytest

from vizier_core.config import load_settings
from vizier_core.errors import ConfigError
from vizier_core.jobs.worker_options import parse_worker_arguments, worker_options
from vizier_core.verbosity import Verbosity


def test_ws_07_01_a_worker_reads_the_file_that_its_run_was_given(root, tmp_path, configure):
    configure("jobs.lock_timeout_seconds = 1\n")
    given = tmp_path / "given.toml"
    given.write_text("jobs.lock_timeout_seconds = 2\n")
    started = ["__workflow-node", "--job-id", "job-a", *worker_options(given, Verbosity.NORMAL, no_session=False)]
    for words, timeout in ((started, 2), (started[:3], 1)):
        options = parse_worker_arguments(words)
        assert load_settings(root, options.config_file).jobs.lock_timeout == timeout


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("a = = 1", ""),
        ('backend = "x"', "backend"),
        ('[agents.commands.ship.agent]\nspeed = "x"', "agents.commands.ship.agent.speed"),
        ("[agents.commands.ship.agent]\ncommand = 3", "agents.commands.ship.agent.command"),
        ('[agents.commands.ship.prompts.review]\nmodel = "x"', "agents.commands.ship.prompts.review.model"),
        ('[agents.default.agent]\noutput = "raw"', "agents.default.agent.output"),
        ("[commands]\nship = 3", "commands.ship"),
    ],
)
def test_ws_07_02_errors_name_file_and_key(load, configure, text, key):
    path = configure(text)
    with pytest.raises(ConfigError) as error:
        load()
    assert str(path) in str(error.value)
    assert key in str(error.value)


@pytest.mark.parametrize("name", ["c.conf", "settings"])
def test_ws_07_03_what_is_wrong_in_a_toml_file_is_not_masked_by_the_json_parser(load, configure, name):
    path = configure('backend = "codex"\n', name)
    with pytest.raises(ConfigError, match="backend entries are unsupported") as error:
        load(path)
    assert "JSON" not in str(error.value)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("git.sign = 1", "`git.sign`: expected true or false, found 1; ignoring"),
        ("jobs.launcher = 3", "`jobs.launcher`: expected auto or exec, found 3; ignoring"),
        (
            "jobs.max_route_attempts = -1",
            "`jobs.max_route_attempts`: expected a whole number from 0 to 4294967295, found -1; ignoring",
        ),
        (
            'display.lists.list.summary_max_len = "3_0"',
            "`display.lists.list.summary_max_len`: expected a whole number, 0 or greater, found `3_0`; ignoring",
        ),
        (
            f"jobs.max_route_attempts = {10**30}",
            "`jobs.max_route_attempts`: expected a whole number from 0 to 4294967295, found a number out of range",
        ),
        (
            'display.lists.jobs-show.fields = "Job"',
            "`display.lists.jobs_show.fields`: expected a list of field names, found `Job`; ignoring",
        ),
        ("display.lists = [1]", "`display.lists`: expected a table, found a list; ignoring"),
        ("display.lists.jobs.labels = 3", "`display.lists.jobs.labels`: expected a table, found 3; ignoring"),
        (
            "display.lists.jobs.labels.Job = {}",
            "`display.lists.jobs.labels.Job`: expected a text, found a table; ignoring",
        ),
        ("release.gate.script = 1979-05-27", "`release.gate.script`: expected a text, found a date or time; ignoring"),
        ("merge.squash = 'true'", "`merge.squash`: expected true or false, without quotes, found `true`; ignoring"),
        ("agents.default = 3", "`agents.default`: expected a table, found 3; ignoring"),
        ("agents.commands.ship = 'x'", "`agents.commands.ship`: expected a table, found `x`; ignoring"),
        ("agents.default.prompts = 3", "`agents.default.prompts`: expected a table, found 3; ignoring"),
        ("agents.default.agent.label = 3", "`agents.default.agent.label`: expected a name, found 3; ignoring"),
        ("[agents.default.prompts]\nreview = 3", "`agents.default.prompts.review`: expected a text, or a table with"),
    ],
)
def test_ws_07_04_values_that_are_ignored_are_told_once(load, configure, text, line):
    path = configure(text)
    (warning,) = load()[1]
    assert warning.startswith(f"{path}: {line}")


@pytest.mark.parametrize("text", ['git.sign = ""', 'release.gate.script = "  "', 'display.lists.jobs.format = ""'])
def test_ws_07_04_a_blank_value_is_no_mistake(load, configure, text):
    configure(text)
    assert load()[1] == []
