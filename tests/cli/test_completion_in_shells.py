"""Completion in real shells: a person presses the key (spec 09 §9, WS-09-24, WS-09-25)."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from support.flows import command, template
from support.repository import VIZIER, Repository
from support.terminal import Terminal

PROMPT = "READY"


def needs(shell: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(
        not shutil.which(shell) or len(VIZIER) != 1, reason=f"needs {shell} and a plain path of the program"
    )


@pytest.fixture
def project(repository: Repository) -> Repository:
    """A project with a job, two flows, an alias and branches."""
    flow = template(
        command("one", "true"),
        params={"branch": "", "spec_file": "SPEC.md"},
        cli={"positional": ["branch"], "named": {"file": "spec_file"}},
    )
    repository.write(".vizier/workflows/nightly.json", flow)
    repository.write(".vizier/workflows/nightly.toml", 'id = "template.nightly"\nversion = "v1"\n')
    repository.write(".vizier/config.toml", '[commands]\ndevelop = "file:.vizier/night.json"\n')
    repository.write(".vizier/night.json", flow)
    repository.write(".vizier/jobs/job-17/job.json", json.dumps({"id": "job-17", "status": "failed"}))
    repository.write(".vizier/jobs/runs/run_1f.json", "{}")
    repository.git("branch", "draft/alpha")
    # The program is named by its path: this directory has no `vizier` on its PATH, and the shells get a function.
    repository.env["PATH"] = "/usr/local/bin:/usr/bin:/bin"
    repository.env["TERM"] = "xterm"
    repository.env["VIZIER_COMPLETION_SECONDS"] = "50"
    return repository


#: What is typed in front of the key, and the words that the shell then runs.
LINES = [
    ("vizier jobs ta", ["jobs", "tail"]),
    ("vizier jobs show jo", ["jobs", "show", "job-17"]),
    ("vizier jobs list --format=j", ["jobs", "list", "--format=json"]),
    ("vizier run --after run:run_1", ["run", "--after", "run:run_1f"]),
    ("vizier run dev", ["run", "develop"]),
    ("vizier run develop --fi", ["run", "develop", "--file"]),
    ("vizier run develop dr", ["run", "develop", "draft/alpha"]),
    ("vizier release --dry", ["release", "--dry-run"]),
    ("vizier -C nowhere.toml rel", ["-C", "nowhere.toml", "release"]),
]


def shown(words: list[str]) -> str:
    return "".join(f"<{word}>" for word in words)


class Shell:
    """Starts a shell that knows the completions and prints the words of each `vizier` command instead of running it."""

    def __init__(self, project: Repository) -> None:
        self.project = project

    def registration(self, name: str) -> str:
        return self.project.vizier("completions", name).ok().out

    def bash(self) -> Terminal:
        setup = self.project.base / "rc.bash"
        prompt = f"PS1='{PROMPT}> '; bind 'set enable-bracketed-paste off'"
        setup.write_text(f"{self.registration('bash')}\nvizier() {{ printf '<%s>' \"$@\"; echo ' END'; }}\n{prompt}\n")
        argv = ["bash", "--noprofile", "--rcfile", str(setup), "-i"]
        return Terminal(argv, self.project.path, self.project.env)

    def zsh(self) -> Terminal:
        directory = self.project.base / "zdotdir"
        directory.mkdir()
        rc = directory / ".zshrc"
        rc.write_text(
            "unsetopt zle_bracketed_paste; zstyle ':completion:*' list-prompt ''\n"
            "autoload -Uz compinit && compinit -u\n"
            f"{self.registration('zsh')}\nvizier() {{ printf '<%s>' \"$@\"; echo ' END'; }}\nPS1='{PROMPT}> '\n"
        )
        env = {**self.project.env, "ZDOTDIR": str(directory)}
        return Terminal(["zsh", "-d", "-i"], self.project.path, env)


@pytest.mark.slow
@pytest.mark.parametrize("shell", [pytest.param(name, marks=needs(name)) for name in ("bash", "zsh")])
def test_the_key_completes_what_was_typed(project: Repository, shell: str) -> None:
    start: Callable[[], Terminal] = getattr(Shell(project), shell)
    with start() as terminal:
        for number, (typed, words) in enumerate(LINES, start=1):
            terminal.wait_for(rf"(?s)(?:{PROMPT}> .*){{{number}}}")
            terminal.type(f"{typed}\t\r")
            found = terminal.wait_for(rf"(?s)(?:.*? END){{{number}}}")
            last = found[0].rpartition("\n")[2]
            assert last == f"{shown(words)} END", (typed, terminal.text)


@needs("fish")
def test_fish_lists_candidates_with_descriptions(project: Repository) -> None:
    (project.base / "c.fish").write_text(project.vizier("completions", "fish").ok().out)

    def candidates(line: str) -> list[str]:
        script = f"source {project.base}/c.fish; complete -C '{line}'"
        done = subprocess.run(
            ["fish", "--no-config", "-c", script],
            cwd=project.path,
            env=project.env,
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.splitlines()

    assert candidates("vizier jobs ta") == ["tail\tPrint the logs of a job"]
    assert candidates("vizier jobs show jo") == ["job-17\tfailed"]
    assert candidates("vizier run dev") == ["develop\tfile:.vizier/night.json"]
    assert candidates("vizier run develop --fi") == ["--file\tparameter spec_file, default SPEC.md"]
    assert candidates("vizier jobs list --format=j") == ["--format=json"]
    assert [line.partition("\t")[0] for line in candidates("vizier -C READ")] == ["README.md"]


@needs("elvish")
def test_elvish_completes(project: Repository) -> None:
    home = project.base / "home" / ".config" / "elvish"
    home.mkdir(parents=True)
    (home / "rc.elv").write_text(
        f"{project.vizier('completions', 'elvish').ok().out}\nprint '{PROMPT}'\n"
        "var complete = $edit:completion:arg-completer[vizier]\n"
        "for word ['' ta] { each {|found| echo 'GOT '$found } [($complete vizier jobs $word)] }\n"
        "echo END\n"
    )
    with Terminal(["elvish"], project.path, project.env) as terminal:
        text = terminal.wait_for(rf"(?s){PROMPT}.*END")[0]
    assert "GOT schedule" in text
    assert text.rstrip().endswith("GOT tail\nEND"), text


@needs("bash")
def test_ws_09_24_the_script_works_from_another_directory(project: Repository) -> None:
    """The program was started by a relative path; the script has to find it from everywhere."""
    program = Path(VIZIER[0])
    done = subprocess.run(
        ["bash", "-c", f'eval "$(./{program.name} completions bash)"; cd /; {PRESS}', "bash", "vizier", "jobs", "sch"],
        cwd=program.parent,
        env=project.env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "schedule\n", done.stderr


#: Calls the function as bash would, for the words in the arguments.
PRESS = """
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMP_LINE="$*"; COMP_POINT=${#COMP_LINE}
_vizier; printf '%s\\n' "${COMPREPLY[@]}"
"""


@needs("bash")
def test_a_cursor_in_the_middle_of_the_line(project: Repository) -> None:
    script = project.vizier("completions", "bash").ok().out
    inner = 'COMP_WORDS=(vizier jobs sho job-17); COMP_CWORD=2; COMP_LINE="vizier jobs sho job-17"; COMP_POINT=15\n'
    done = subprocess.run(
        ["bash", "-c", f"{script}\n{inner}_vizier; printf '%s\\n' \"${{COMPREPLY[@]}}\""],
        cwd=project.path,
        env=project.env,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "show\n"


@pytest.mark.parametrize("name", ["bash", "zsh"])
@needs("shellcheck")
def test_scripts_are_clean(project: Repository, name: str) -> None:
    if name == "zsh":
        shell = shutil.which("zsh")
        if shell is None:
            pytest.skip("needs zsh")
        check = [shell, "-n", "/dev/stdin"]
    else:
        check = ["shellcheck", "--shell=bash", "-"]
    script = project.vizier("completions", name).ok().out
    done = subprocess.run(check, input=script, capture_output=True, text=True, check=False, env=dict(os.environ))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
