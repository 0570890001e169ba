"""Where the program writes to, and what it does when nobody reads (weak spots of spec 07)."""

import os
import subprocess
from pathlib import Path

import pytest

from support.flows import command, template
from support.repository import PATIENCE, VIZIER, Repository
from support.terminal import Terminal


def shown_on_a_terminal(repository: Repository, *args: str, **env: str) -> tuple[int, str]:
    with Terminal([*VIZIER, *args], repository.path, {**repository.env, "TERM": "dumb", **env}) as terminal:
        return terminal.finish(), terminal.text


def path_with(repository: Repository, *programs: str) -> str:
    """A PATH with these programs and no others."""
    directory = repository.base / "path"
    directory.mkdir()
    for name in programs:
        found = next(Path(p) / name for p in os.environ["PATH"].split(":") if (Path(p) / name).exists())
        (directory / name).symlink_to(found)
    return str(directory)


@pytest.mark.parametrize("pager", ["no-such-pager", "exit 127", "", "  "])
def test_ws_07_21_help_is_not_lost_when_no_pager_works(repository: Repository, pager: str) -> None:
    path = path_with(repository, "sh", "git")
    code, text = shown_on_a_terminal(repository, "--help", VIZIER_PAGER=pager, PATH=path)
    assert code == 0
    assert "Core commands:" in text


def test_ws_07_22_only_an_option_is_an_option(repository: Repository) -> None:
    """`-Cq.toml` names a file, and does not ask for quiet, which would leave the pager out."""
    repository.write("q.toml", "")
    _, text = shown_on_a_terminal(repository, "-Cq.toml", "--help", VIZIER_PAGER="echo the pager; cat")
    assert "the pager" in text
    _, text = shown_on_a_terminal(repository, "-q", "--help", VIZIER_PAGER="echo the pager; cat")
    assert "the pager" not in text


@pytest.mark.parametrize(
    "args", [["help", "--all"], ["jobs", "list", "--all"], ["jobs", "tail"], ["completions", "bash"]]
)
def test_ws_07_23_nobody_reads_the_output(repository: Repository, args: list[str]) -> None:
    repository.write("flow.json", template(command("one", "seq 100000")))
    assert repository.vizier("run", "flow.json", "--follow").code == 0
    if args[-1] == "tail":
        args = [*args, repository.job("one")]
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [*VIZIER, *args],
        cwd=repository.path,
        env=repository.env,
        stdout=write,
        stderr=subprocess.PIPE,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    os.close(write)
    assert done.stderr == ""
    assert done.returncode in {0, 141}


def test_ws_07_24_columns_are_as_wide_as_they_look(repository: Repository) -> None:
    labels = '[display.lists.jobs.labels]\nJob = "Tâche"\nStatus = "状態"\n'
    repository.write(".vizier/config.toml", f'[display.lists.jobs]\nfields = ["Job", "Status"]\n{labels}')
    repository.write("flow.json", template(command("one", "true")))
    assert repository.vizier("run", "flow.json", "--follow").code == 0
    shown = repository.vizier("jobs", "list", "--all").out
    assert f"  Tâche: {repository.job('one')}\n  状態 : succeeded\n" in shown


def test_ws_07_30_what_hooks_export_does_not_lead_astray(repository: Repository, tmp_path: Path) -> None:
    """As when the program is called by a git hook, or by a script that a hook calls."""
    astray = {"GIT_DIR": "/nowhere", "GIT_WORK_TREE": "/nowhere", "GIT_INDEX_FILE": str(tmp_path / "index")}
    done = repository.vizier("init", env=astray)
    assert done.code == 0, done.err
    assert repository.vizier("list", env=astray).code == 0
    assert (repository.path / ".vizier" / "config.toml").exists()
    assert not (tmp_path / "index").exists()
