"""A repository in which `develop` runs, with an agent that does what the request says, word for word."""

import atexit
import json
import os
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path
from typing import Final

from support.repository import TERMINAL, Repository

#: Drafts a plan, carries out the lines of a plan that begin with `do:`, and resolves a conflict by keeping both sides.
_AGENT: Final = r"""#!/bin/sh
cat >/dev/null
case $PWD in
*/stage-draft-*) echo '- do what was asked' ;;
*/stage-approve-*)
    slug=$(git symbolic-ref --short HEAD)
    sed -n 's/^do: //p' ".vizier/implementation-plans/${slug#draft/}.md" >"$TMPDIR/do.$$"
    . "$TMPDIR/do.$$"
    echo 'done' ;;
*)
    git diff --name-only --diff-filter=U -z | xargs -0 sed -i -e '/^[<=>]\{7\}/d'
    echo 'kept both' ;;
esac
"""
#: What the operator has not committed: content by file. The first is tracked, the second staged, the last ignored.
EDITS: Final = {"mine.txt": "edited\n", "staged.txt": "staged\n", "untracked.txt": "new\n", "mine.o": "ignored\n"}


class Development(Repository):
    """A repository with the starter flows and files to work on; all committed.

    Args:
        base: an existing directory; the repository becomes `repository` in it.
        launcher: how workers are started (`[jobs] launcher`); None for the default.
    """

    def __init__(self, base: Path, launcher: str | None = None) -> None:
        super().__init__(base)
        shutil.rmtree(self.path)
        shutil.copytree(_model().path, self.path, symlinks=True)
        if launcher is not None:
            settings = self.read(".vizier/config.toml")
            self.write(".vizier/config.toml", f'{settings}\n[jobs]\nlauncher = "{launcher}"\n')
            self.git("commit", "-q", "--amend", "--no-edit", "--", ".vizier/config.toml")

    def request(self, slug: str, script: str) -> str:
        """Writes a request whose work is one line of shell; the file."""
        path = self.base / f"{slug}.md"
        path.write_text(f"Work on {slug}\n\ndo: {script}\n")
        return str(path)

    def arguments(self, slug: str, script: str, *more: str, target: str = "main") -> tuple[str, ...]:
        """The command that develops a change."""
        spec = self.request(slug, script)
        return ("run", "develop", spec, slug, f"draft/{slug}", target, "--format", "json", *more)

    def begin(self, slug: str, script: str, *more: str, target: str = "main") -> "subprocess.Popen[str]":
        """Starts to develop a change and does not wait for it."""
        return self.start(*self.arguments(slug, script, *more, target=target))

    def edit(self, *names: str) -> None:
        """Leaves edits of the operator's in the checkout: those named, else all."""
        for name in names or EDITS:
            self.write(name, EDITS[name])
            if name == "staged.txt":
                self.git("add", name)

    # What there is afterwards

    def nodes(self, slug: str) -> dict[str, str]:
        """The jobs of the run that develops a change: status by node."""
        found = {}
        for record in self.records().values():
            meta = record["metadata"]
            manifest = json.loads((self.jobs_root / "runs" / f"{meta['workflow_run_id']}.json").read_bytes())
            if any(node["args"].get("slug") == slug for node in manifest["nodes"].values()):
                found[meta["workflow_node_id"]] = record["status"]
        return found

    def job_of(self, slug: str, node_id: str) -> str:
        """The job of a node in the run that develops a change."""
        for job_id, record in self.records().items():
            meta = record["metadata"]
            if meta["workflow_node_id"] == node_id:
                manifest = json.loads((self.jobs_root / "runs" / f"{meta['workflow_run_id']}.json").read_bytes())
                if any(node["args"].get("slug") == slug for node in manifest["nodes"].values()):
                    return job_id
        raise AssertionError(f"no job of {slug} runs {node_id}")

    def settle(self) -> None:
        """Waits until every job has ended and no process is left."""
        self.wait(lambda: set(self.statuses().values()) <= TERMINAL, "all jobs to end", seconds=180)
        self.wait_until_quiet()

    def subjects(self, revision: str = "HEAD") -> list[str]:
        """First lines of the commits since the scaffold, newest first."""
        return self.git("log", "--first-parent", "--format=%s", revision).split("\n")[:-2]

    def problems(self) -> list[str]:
        """What is damaged or was left behind."""
        found = [line for line in self.git("fsck", "--strict").split("\n") if line and not line.startswith("dangling")]
        found += [f"worktree: {line}" for line in self.git("worktree", "list").split("\n")[1:]]
        trees = self.path / ".vizier" / "tmp-worktrees"
        found += [f"directory: {name}" for name in (os.listdir(trees) if trees.is_dir() else [])]
        found += [f"alive: {process}" for process in self.processes()]
        names = (path.name for path in (self.path / ".git").iterdir())
        # The scratch indexes of killed processes have numbers; they hinder nobody and are swept after a day.
        found += [f"in .git: {name}" for name in names if name.endswith(".lock") or name == "vizier-index"]
        found += [f"in .git: {name}" for name in ("MERGE_HEAD", "VIZIER_MERGE") if (self.path / ".git" / name).exists()]
        sentinels = self.path / ".vizier" / "tmp" / "merge-conflicts"
        found += [f"sentinel: {name}" for name in (os.listdir(sentinels) if sentinels.is_dir() else [])]
        return found

    def edits(self) -> dict[str, str]:
        """The operator's edits as they are now."""
        return {name: self.read(name) for name in EDITS}


@cache
def _model() -> Repository:
    """A repository to copy, which is faster than making one."""
    directory = Path(tempfile.mkdtemp(prefix="vizier-test-model."))
    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    model = Repository(directory)
    model.vizier("init").ok()
    agent = directory / "agent.sh"
    agent.write_text(_AGENT)
    agent.chmod(0o755)
    starter = model.read(".vizier/config.toml")
    model.write(".vizier/config.toml", f'{starter}\n[agent]\nlabel = "own"\ncommand = ["{agent}"]\n')
    model.write("story.txt", "".join(f"line {number}\n" for number in range(1, 21)))
    model.write("mine.txt", "mine\n")
    model.write("staged.txt", "before\n")
    with (model.path / ".gitignore").open("a") as ignored:
        ignored.write("*.o\n")
    model.git("add", "--all")
    model.git("commit", "-q", "-m", "scaffold")
    return model
