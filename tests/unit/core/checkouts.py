"""Real git repositories for tests of the core: no configuration but their own, no network, no identity unless asked."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

IDENTITY = {
    f"GIT_{role}_{key}": value
    for role in ("AUTHOR", "COMMITTER")
    for key, value in (("NAME", "Test"), ("EMAIL", "test@example.invalid"))
}
Content = str | bytes | None


class Checkout:
    """A working tree.

    Args:
        path: its root.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def git(self, *arguments: str | bytes, check: bool = True, data: bytes = b"", **variables: str) -> str:
        """Runs git as a person would; its output without blanks around it."""
        done = subprocess.run(
            ["git", *arguments],
            cwd=self.path,
            env={**_environment(), **variables},
            input=data,
            capture_output=True,
            check=False,
        )
        assert not check or done.returncode == 0, f"git {arguments}: {os.fsdecode(done.stderr)}"
        return os.fsdecode(done.stdout).strip()

    def write(self, name: str, content: str | bytes) -> Path:
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def read(self, name: str) -> str:
        return (self.path / name).read_text()

    def exists(self, name: str) -> bool:
        return os.path.lexists(self.path / name)

    def commit(self, files: Mapping[str, Content] | None = None, message: str = "change") -> str:
        """Writes files (None deletes one) and commits everything; the commit."""
        for name, content in (files or {}).items():
            if content is None:
                (self.path / name).unlink()
            else:
                self.write(name, content)
        self.git("add", "--all", "--force", "--", ".")
        self.git("commit", "--quiet", "--allow-empty", "--message", message)
        return self.tip("HEAD")

    def branch(self, name: str, files: Mapping[str, Content], base: str = "HEAD", message: str = "work") -> str:
        """Makes a branch with one more commit than its base, without touching the working tree; the commit."""
        index = {"GIT_INDEX_FILE": str(self.path.parent / f"index-of-{self.path.name}")}
        self.git("read-tree", base, **index)
        for path, content in files.items():
            if content is None:
                self.git("update-index", "--force-remove", "--", path, **index)
            else:
                data = content if isinstance(content, bytes) else content.encode()
                blob = self.git("hash-object", "-w", "--stdin", data=data)
                entry = b"100644 %s\t%s\0" % (blob.encode(), os.fsencode(path))
                self.git("update-index", "--add", "-z", "--index-info", data=entry, **index)
        tree = self.git("write-tree", **index)
        commit = self.git("commit-tree", "-p", base, "-m", message, tree)
        self.git("update-ref", f"refs/heads/{name}", commit)
        return commit

    def tip(self, revision: str) -> str:
        return self.git("rev-parse", "--verify", revision)

    def parents(self, revision: str = "HEAD") -> list[str]:
        return self.git("rev-list", "--parents", "-n1", revision).split()[1:]

    def status(self) -> list[str]:
        """What `git status` says, one line for each path; vizier's own files do not count."""
        lines = self.git("status", "--porcelain", "--", ":/", ":(exclude).vizier").split("\n")
        return sorted(line.strip() for line in lines if line)

    def fsck(self) -> None:
        """Fails if the repository is damaged."""
        problems = [line for line in self.git("fsck", "--strict").splitlines() if not line.startswith("dangling ")]
        assert problems == []


def make_checkout(path: Path, *init: str) -> Checkout:
    """A new repository with one commit on `main`.

    Args:
        path: its root; parents are created.
        init: further arguments of `git init`.
    """
    path.mkdir(parents=True, exist_ok=True)
    made = Checkout(path)
    made.git("init", "--quiet", "--initial-branch=main", "--template=", *init)
    made.commit({"README.md": "hello\n"}, "initial")
    return made


def _environment() -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "HOME": os.devnull,
        "LC_ALL": "C.UTF-8",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        **IDENTITY,
    }
