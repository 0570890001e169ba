"""Output wherever it goes: quiet, verbose, closed pipes, locales without UTF-8, narrow and wide terminals (07 §9)."""

import json
import os
import re
import subprocess

import pytest

from support.flows import command, template
from support.repository import VIZIER, Repository
from support.terminal import Terminal

#: Commands that print something, each in a project with a finished job.
VIEWS = [
    ["help", "--all"],
    ["list"],
    ["jobs", "list", "--all"],
    ["jobs", "list", "--all", "--format", "table"],
    ["jobs", "list", "--all", "--format", "json"],
    ["jobs", "schedule", "--all"],
    ["jobs", "schedule", "--all", "--format", "dag"],
    ["jobs", "show", "job-ü"],
    ["jobs", "tail", "job-ü"],
    ["audit", "flow.json"],
    ["run", "flow.json", "--check"],
    ["completions", "bash"],
]
#: Far more than a pipe holds.
LONG = 300_000


@pytest.fixture
def project(repository: Repository) -> Repository:
    """A project with one finished job whose name and output are not ASCII."""
    repository.write("flow.json", template(command("one", "true"), params={"größe": "1"}))
    record = {
        "id": "job-ü",
        "status": "succeeded",
        "command": ["vizier", "run", "straße"],
        "created_at": "2026-03-04T09:15:02Z",
        "stdout_path": "",
        "stderr_path": "",
        "metadata": {"command_alias": "日本語"},
    }
    repository.write(".vizier/jobs/job-ü/job.json", json.dumps(record))
    repository.write(".vizier/jobs/job-ü/stdout.log", "déjà vu\n" * (LONG // 9))
    return repository


@pytest.mark.parametrize("words", VIEWS, ids=" ".join)
def test_ws_08_13_a_reader_that_goes_away_is_no_error(project: Repository, words: list[str]) -> None:
    """As with `| head`: the first bytes are read, then the pipe is closed."""
    process = project.start(*words)
    assert process.stdout is not None
    assert process.stderr is not None
    os.read(process.stdout.fileno(), 10)
    process.stdout.close()
    err = process.stderr.read()
    process.wait(timeout=60)
    process.stderr.close()
    assert err == ""
    assert process.returncode in {0, 141}


@pytest.mark.parametrize("stream", ["stdin", "stdout", "stderr"])
@pytest.mark.parametrize("words", [["list"], ["run", "flow.json"], ["jobs", "nonsense"]], ids=" ".join)
def test_ws_08_13_streams_that_are_closed_from_the_start(project: Repository, words: list[str], stream: str) -> None:
    number = ("stdin", "stdout", "stderr").index(stream)
    redirect = f'exec {number}{"<" if number == 0 else ">"}&-; exec "$@"'
    done = subprocess.run(
        ["sh", "-c", redirect, "sh", *VIZIER, *words],
        cwd=project.path,
        env=project.env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == (2 if "nonsense" in words else 0), done.stderr
    assert "Traceback" not in done.stderr
    for record in project.records().values():
        assert record["status"] != "failed"


def test_ws_08_13_a_full_disk_is_said(project: Repository) -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [*VIZIER, "help", "--all"],
            cwd=project.path,
            env=project.env,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 1
    assert done.stderr.startswith("cannot write the output: ")
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("locale", ["C", "POSIX", "en_US.ISO-8859-1", "C.UTF-8", "no_such_locale"])
@pytest.mark.parametrize("words", VIEWS, ids=" ".join)
def test_the_locale_changes_nothing(project: Repository, words: list[str], locale: str) -> None:
    """Files of the contract are UTF-8 wherever they are read."""

    def output(**env: str) -> bytes:
        done = subprocess.run(
            [*VIZIER, *words], cwd=project.path, env={**project.env, **env}, capture_output=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert output(LC_ALL=locale, LANG=locale) == output(LC_ALL="C.UTF-8")


def test_an_encoding_that_lacks_a_character_shows_a_substitute(project: Repository) -> None:
    done = project.vizier("jobs", "show", "job-ü", env={"PYTHONIOENCODING": "ascii"}).ok()
    assert r"\u65e5" in done.out
    assert "Traceback" not in done.err


@pytest.mark.parametrize("columns", [20, 80, 400])
@pytest.mark.parametrize("words", VIEWS, ids=" ".join)
def test_the_width_of_the_terminal_changes_nothing(project: Repository, words: list[str], columns: int) -> None:
    """The layouts are contract: the terminal breaks the lines itself, and scripts that read from one see the same."""
    env = {**project.env, "TERM": "xterm", "COLUMNS": str(columns), "VIZIER_PAGER": "cat"}
    with Terminal([*VIZIER, *words], project.path, env, columns=columns) as terminal:
        assert terminal.finish() == 0
        assert terminal.raw.replace("\r\n", "\n") == project.vizier(*words).ok().out


@pytest.mark.parametrize("words", VIEWS, ids=" ".join)
def test_quiet_and_verbose_leave_results_alone(project: Repository, words: list[str]) -> None:
    plain = project.vizier(*words).ok().out
    for flags in (["-q"], ["-v"], ["-vv"], ["-d"], ["-q", "-d"], ["--no-ansi"]):
        assert project.vizier(*words, *flags).ok().out == plain
    assert project.vizier(*words, "-q").err == ""


@pytest.mark.parametrize("words", [["jobs", "nonsense"], ["list", "--target", "nowhere"]], ids=" ".join)
@pytest.mark.parametrize(("flags", "env"), [([], {}), (["--no-ansi"], {}), ([], {"NO_COLOR": "1"})])
def test_errors_have_no_colours(project: Repository, words: list[str], flags: list[str], env: dict[str, str]) -> None:
    variables = {**project.env, "TERM": "xterm", **env}
    with Terminal([*VIZIER, *words, *flags], project.path, variables) as terminal:
        assert terminal.finish() != 0
        assert "\x1b" not in terminal.raw


def test_a_working_directory_that_is_gone_is_said(repository: Repository) -> None:
    script = 'mkdir gone && cd gone && rmdir ../gone && exec "$@"'
    argv = ["sh", "-c", script, "sh", *VIZIER, "list"]
    done = subprocess.run(argv, cwd=repository.path, env=repository.env, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "the working directory is gone; change to one that exists\n"


# What long work says to whoever waits


def test_init_tells_on_a_terminal_what_it_creates(repository: Repository) -> None:
    with Terminal([*VIZIER, "init"], repository.path, repository.env) as terminal:
        assert terminal.finish() == 0
        assert "created .vizier/workflows/draft.hcl\n" in terminal.text
        assert "updated .gitignore\n" in terminal.text


def test_clean_tells_on_a_terminal_what_it_removes(project: Repository) -> None:
    with Terminal([*VIZIER, "clean", "job-ü", "--yes"], project.path, project.env) as terminal:
        assert terminal.finish() == 0
        assert "removing 1 job(s)\n" in terminal.text


def test_release_tells_on_a_terminal_what_it_does(repository: Repository) -> None:
    repository.git("commit", "-q", "--allow-empty", "-m", "feat: something")
    words = ["release", "--yes", "--release-script", "echo checking"]
    with Terminal([*VIZIER, *words], repository.path, repository.env) as terminal:
        assert terminal.finish() == 0
        assert re.search(r"reading the history.*\n(?s:.*)echo checking(?s:.*)\nchecking\n", terminal.text)


@pytest.mark.parametrize("flags", [["-q"], []])
def test_progress_is_for_terminals_that_want_it(repository: Repository, flags: list[str]) -> None:
    if flags:
        with Terminal([*VIZIER, "init", *flags], repository.path, repository.env) as terminal:
            assert terminal.finish() == 0
            assert "created" not in terminal.text
    else:
        assert repository.vizier("init").ok().err == ""
