"""The completion call-back of the program (spec 09 §9.2)."""

import json
import os
import subprocess
import time

import pytest

from support.flows import command, template
from support.repository import VIZIER, Repository


@pytest.fixture(autouse=True)
def patient(repository: Repository) -> None:
    """The machine may be busy."""
    repository.env["VIZIER_COMPLETION_SECONDS"] = "50"


def ask(repository: Repository, *words: str, shell: str = "fish") -> list[str]:
    """The candidates for the last word; nothing may be said on stderr."""
    done = repository.vizier("--", "vizier", *words, env={"COMPLETE": shell}).ok()
    assert done.err == ""
    return done.out.splitlines()


def record(repository: Repository, job_id: str, status: str = "succeeded") -> None:
    repository.write(f".vizier/jobs/{job_id}/job.json", json.dumps({"id": job_id, "status": status}))


def test_ws_09_23_a_variable_of_that_name_alone_changes_nothing(repository: Repository) -> None:
    """Only the scripts put `--` on the command line (ruling R53)."""
    plain = repository.vizier("jobs", "list").ok()
    for value in ("bash", "1", "tcsh"):
        assert repository.vizier("jobs", "list", env={"COMPLETE": value}).ok().out == plain.out


def test_a_registration_script_is_what_an_empty_question_gets(repository: Repository) -> None:
    asked = repository.vizier("--", env={"COMPLETE": "fish"}).ok()
    assert asked.out == repository.vizier("completions", "fish").ok().out


@pytest.mark.parametrize("name", ["pwsh", "powershell_ise", "powershell.exe", "/usr/bin/pwsh"])
def test_names_of_powershell(repository: Repository, name: str) -> None:
    assert ask(repository, "jobs", "ta", shell=name) == ask(repository, "jobs", "ta", shell="powershell")


@pytest.mark.parametrize(
    ("shell", "lines"),
    [
        ("bash", ["table"]),
        ("elvish", ["table"]),
        ("zsh", ["table"]),
        ("fish", ["table"]),
        ("powershell", ["table"]),
    ],
)
def test_lines_without_a_description(repository: Repository, shell: str, lines: list[str]) -> None:
    assert ask(repository, "jobs", "list", "--format", "t", shell=shell) == lines


@pytest.mark.parametrize(
    ("shell", "line"),
    [
        ("bash", "run:run_1"),
        ("elvish", "run:run_1"),
        ("zsh", "run\\:run_1:all of a run"),
        ("fish", "run:run_1\tall of a run"),
        ("powershell", "run:run_1\tall of a run"),
    ],
)
def test_lines_with_a_description(repository: Repository, shell: str, line: str) -> None:
    repository.write(".vizier/jobs/runs/run_1.json", "{}")
    assert ask(repository, "run", "--after", "run", shell=shell) == [line]


def test_jobs_come_with_their_status_and_the_latest_first(repository: Repository) -> None:
    for number, job_id in enumerate(("job-1", "job-2", "other")):
        record(repository, job_id, "failed" if job_id == "job-2" else "succeeded")
        os.utime(repository.jobs_root / job_id, (1000 + number, 1000 + number))
    repository.write(".vizier/jobs/runs/job-x.json", "{}")
    repository.write(".vizier/jobs/job-no-record/stdout.log", "")
    assert ask(repository, "jobs", "show", "job") == ["job-2\tfailed", "job-1\tsucceeded"]


def test_ws_09_25_flows_parameters_and_their_values(repository: Repository) -> None:
    flow = template(
        command("one", "true"),
        params={"target_branch": "main", "spec_file": ""},
        cli={"positional": ["target_branch"], "named": {"file": "spec_file"}},
    )
    repository.write(".vizier/night.json", flow)
    repository.write(".vizier/other.json", flow)
    repository.write(".vizier/config.toml", '[commands]\nnight = "file:.vizier/night.json"\n')
    assert ask(repository, "run", "")[:2] == ["night\tfile:.vizier/night.json", ".vizier/other.json\ttemplate"]
    assert ask(repository, "audit", "n") == ["night\tfile:.vizier/night.json"]
    assert ask(repository, "run", "night", "--fi") == ["--file\tparameter spec_file"]
    assert ask(repository, "run", "night", "--set", "t") == ["target_branch=\tparameter target_branch, default main"]
    assert ask(repository, "run", "night", "m") == ["main"]
    assert ask(repository, "run", "night", "--target-branch", "m") == ["main"]
    assert ask(repository, "run", "night", "--target-branch=m") == ["--target-branch=main"]
    assert ask(repository, "run", "night", "--file", "m") == []


def test_sessions(repository: Repository) -> None:
    repository.write(".vizier/sessions/s-1/session.json", "[]")
    assert ask(repository, "-l", "s") == ["s-1"]


@pytest.mark.parametrize(
    "words",
    [["jobs", "show", ""], ["run", "x"], ["run", "nothing", "--zz"], ["cd", "x"], ["run", "nothing", "--set", "x"]],
    ids=" ".join,
)
def test_what_cannot_be_found_is_silence(repository: Repository, words: list[str]) -> None:
    repository.write(".vizier/config.toml", "= broken")
    repository.write(".vizier/jobs", "not a directory")
    assert [line for line in ask(repository, *words) if not line.startswith("-")] == []


def test_names_that_would_steer_the_terminal_are_left_out(repository: Repository) -> None:
    record(repository, "job-\x1b[31m")
    record(repository, "job-ok")
    assert ask(repository, "jobs", "show", "job") == ["job-ok\tsucceeded"]


def test_ws_09_24_an_answer_comes_in_bounded_time(repository: Repository) -> None:
    """Git hangs; the shell must not."""
    tools = repository.base / "tools"
    tools.mkdir()
    (tools / "git").write_text("#!/bin/sh\nexec sleep 600\n")
    (tools / "git").chmod(0o755)
    began = time.monotonic()
    done = repository.vizier(
        "--",
        "vizier",
        "cd",
        "x",
        env={"COMPLETE": "fish", "VIZIER_COMPLETION_SECONDS": "", "PATH": f"{tools}:{repository.env['PATH']}"},
        timeout=30,
    ).ok()
    assert done.out == ""
    assert time.monotonic() - began < 20


@pytest.mark.parametrize("value", ["0.000001", "nonsense", "-1", "nan", "inf"])
def test_ws_09_24_the_bound_can_be_set(repository: Repository, value: str) -> None:
    record(repository, "job-a")
    repository.env["VIZIER_COMPLETION_SECONDS"] = value
    found = ask(repository, "jobs", "show", "job")
    assert found == [] if value == "0.000001" else found in ([], ["job-a\tsucceeded"])


def test_a_shell_that_has_gone_hears_nothing(repository: Repository) -> None:
    read, write = os.pipe()
    os.close(read)
    try:
        done = subprocess.run(
            [*VIZIER, "--", "vizier", ""],
            cwd=repository.path,
            env={**repository.env, "COMPLETE": "fish"},
            stdout=write,
            stderr=subprocess.PIPE,
            check=False,
        )
    finally:
        os.close(write)
    assert (done.returncode, done.stderr) == (0, b"")
