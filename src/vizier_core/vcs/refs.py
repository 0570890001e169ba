"""Reading branches, tips and the state of the checkout with as few git processes as possible (design §4)."""

import os
from collections.abc import Iterable
from functools import cached_property
from typing import Final

from vizier_core.errors import GitError
from vizier_core.vcs.git import Git

#: Changes below these never count as changes of the working tree (spec 01 §4.4).
RUNTIME_PATHS: Final = (b".vizier/jobs", b".vizier/sessions", b".vizier/tmp", b".vizier/tmp-worktrees")


class RepositoryView:
    """What a tick may ask about a repository; each answer costs at most one git process, and only when asked."""

    def __init__(self, git: Git) -> None:
        self._git = git

    @cached_property
    def branches(self) -> dict[str, str]:
        """Local branches with the object ids of their tips; empty if git cannot tell."""
        return {name: oid for name, oid, _ in self._refs}

    @cached_property
    def head_branch(self) -> str | None:
        """Name of the branch that is checked out; `HEAD` if none is, None if it has no commit yet."""
        current = next((name for name, _, head in self._refs if head == "*"), None)
        if current is not None:
            return current
        try:
            unborn = self._git.run("symbolic-ref", "-q", "HEAD", accept=(0, 1)).returncode == 0
        except GitError:
            return None
        return None if unborn else "HEAD"

    @cached_property
    def is_clean(self) -> bool:
        """Whether the working tree has no changes and no untracked files besides vizier's own (spec 01 §4.4)."""
        try:
            output = self._git.run("status", "--porcelain=v1", "-z", "--untracked-files=all", "--ignore-submodules=all")
        except GitError:
            return False
        return all(_is_runtime_path(path) for path in _status_paths(output.stdout))

    def existing_paths(self, wanted: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
        """Which of these (branch, path) pairs exist as files in the tip tree of the branch."""
        asked = [(branch, path) for branch, path in wanted if branch in self.branches and "\n" not in path]
        if not asked:
            return set()
        lines = os.fsencode("".join(f"{self.branches[branch]}:{path}\n" for branch, path in asked))
        try:
            output = self._git.run("cat-file", "--batch-check=%(objecttype)", data=lines)
        except GitError:
            return set()
        answers = output.stdout.split(b"\n")
        return {pair for pair, answer in zip(asked, answers, strict=False) if answer == b"blob"}

    @cached_property
    def _refs(self) -> list[tuple[str, str, str]]:
        try:
            text = self._git.text("for-each-ref", "--format=%(refname)%00%(objectname)%00%(HEAD)", "refs/heads")
        except GitError:
            return []
        rows = (line.split("\0") for line in text.split("\n") if line)
        return [(name.removeprefix("refs/heads/"), oid, head) for name, oid, head in rows]


def _status_paths(output: bytes) -> list[bytes]:
    """The paths of `status --porcelain=v1 -z`; a rename has a second field with its old path."""
    fields = iter(output.split(b"\0"))
    paths = []
    for field in fields:
        if field:
            paths.append(field[3:])
            if field[:1] in {b"R", b"C"}:
                paths.append(next(fields, b""))
    return paths


def _is_runtime_path(path: bytes) -> bool:
    return any(path.rstrip(b"/") == own or path.startswith(own + b"/") for own in RUNTIME_PATHS)
