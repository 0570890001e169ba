"""Makes a release, or leaves everything as it was (spec 09 §8.7, §8.9).

From the commit on it is one transaction: whatever fails, and whatever signal comes, is followed by the way back
(WS-09-14). The way back touches only what this release has made: a branch that has moved on stays where it is
(WS-09-16), and edits of tracked files are saved before they are undone.
"""

import contextlib
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Final, NamedTuple

from vizier_core.errors import GitError, VizierError
from vizier_core.release.gate import Gate, ScriptStatus, run_gate
from vizier_core.release.history import tag_exists
from vizier_core.release.preconditions import Start
from vizier_core.timestamp import Timestamp
from vizier_core.vcs.git import Git
from vizier_core.vcs.identity import Identity, repository_identity
from vizier_core.vcs.refs import RUNTIME_PATHS
from vizier_core.vcs.rescue import rescue_worktree
from vizier_kernel.release import ReleasePlan, commit_message, tag_message

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_ROLLBACK_REASON: Final = "vizier release rollback"


class ReleaseError(VizierError):
    """A release that could not be made; what had been made of it was taken back."""


class Interrupted(Exception):  # noqa: N818 - not an error of the release
    """A signal came while the release was being made."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


class Released(NamedTuple):
    """A release that stays."""

    commit: str
    script: ScriptStatus | None


class Rollback(NamedTuple):
    """What the way back has reached; a step that failed has its reason in `errors`."""

    #: Whether the tag is gone; None if there was none.
    tag_removed: bool | None
    branch_restored: bool
    worktree_restored: bool
    #: Files that the script has left behind; nobody deletes them (WS-09-17).
    untracked: tuple[str, ...]
    #: Reference under which changed files were saved.
    saved_as: str | None
    errors: tuple[str, ...]

    @property
    def complete(self) -> bool:
        """Whether everything is as it was."""
        return self.tag_removed is not False and self.branch_restored and self.worktree_restored


class Failure(NamedTuple):
    """A release that was taken back because of its script."""

    commit: str
    gate: Gate
    script: ScriptStatus
    rollback: Rollback
    #: The signal that ended it, if one did.
    signal_number: int | None = None


class Release:
    """One release.

    Args:
        root: the project root.
        start: where it begins.
        plan: what it is.
        tagged: make a tag.
        sign: sign commit and tag as git is configured to.
    """

    def __init__(self, root: Path, start: Start, plan: ReleasePlan, *, tagged: bool, sign: bool = False) -> None:
        self._root = root
        self._git = Git(root)
        self._start = start
        self._plan = plan
        self._tagged = tagged
        self._sign = sign
        #: The release commit, and whether the tag was begun: what a way back has to look for.
        self._commit = ""
        self._tag_begun = False

    def make(self, gate: Gate | None, announce: Callable[[Gate], None]) -> Released | Failure:
        """Makes commit and tag and asks the gate script.

        Args:
            gate: the command that decides, if any.
            announce: told just before the command starts.

        Raises:
            ReleaseError: the branch has moved since the release was planned, or the tag cannot be made.
            GitError: git refuses the commit.
            Interrupted: a signal came before the script was started.
        """
        with _signals_raise():
            try:
                self._make_commit()
                if self._tagged:
                    self._make_tag()
                if gate is None:
                    return Released(self._commit, None)
                announce(gate)
            except BaseException as error:
                self._take_back(error)
                raise
            interrupted = None
            try:
                status = run_gate(gate, self._root, self._variables())
            except Interrupted as signalled:
                interrupted = signalled.number
                status = ScriptStatus(False, "terminated by signal")
            if status.passed:
                return Released(self._commit, status)
            return Failure(self._commit, gate, status, self._roll_back(), interrupted)

    def _make_commit(self) -> None:
        """An empty commit: the tree is that of the start, whatever the index holds (WS-09-22)."""
        message = commit_message(self._plan, Timestamp.now().offset_form())
        signing = ["-S"] if self._sign else []
        made = self._git.run(
            *("-c", "i18n.commitEncoding=UTF-8", "commit-tree", *signing),
            *("-p", self._start.commit, f"{self._start.commit}^{{tree}}"),
            data=message.encode("utf-8", errors="surrogateescape"),
            environment=self._identity.environment(),
        )
        self._commit = os.fsdecode(made.stdout).strip()
        try:
            self._move_branch(self._commit, self._start.commit, f"vizier release: {self._plan.version.tag}")
        except GitError as error:
            self._commit = ""
            raise ReleaseError(
                f"branch {self._start.branch} has moved since the release was planned; "
                f"nothing was released, run the command again\n{error}"
            ) from None

    def _make_tag(self) -> None:
        name = self._plan.version.tag
        if tag_exists(self._root, name):
            raise ReleaseError(f"release tag {name} has appeared meanwhile: tagging was aborted")
        self._tag_begun = True
        try:
            self._git.run(
                *("-c", "tag.gpgSign=false", "-c", "tag.forceSignAnnotated=false"),
                *(
                    "tag",
                    "--sign" if self._sign else "--annotate",
                    "--cleanup=verbatim",
                    "--file=-",
                    name,
                    self._commit,
                ),
                data=f"{tag_message(self._plan)}\n".encode("utf-8", errors="surrogateescape"),
                environment=self._identity.environment(),
            )
        except GitError as error:
            raise ReleaseError(f"release tag {name} cannot be made: tagging was aborted\n{error}") from None

    @property
    def _identity(self) -> Identity:
        return repository_identity(self._git)

    def _variables(self) -> dict[str, str]:
        return {
            "VIZIER_RELEASE_VERSION": str(self._plan.version),
            "VIZIER_RELEASE_TAG": self._plan.version.tag if self._tagged else "",
            "VIZIER_RELEASE_COMMIT": self._commit,
            "VIZIER_RELEASE_RANGE": self._plan.range_label,
        }

    def _move_branch(self, new: str, old: str, reason: str) -> None:
        """Moves the branch if it is where it should be."""
        self._git.run("update-ref", "--create-reflog", "-m", reason, self._start.reference, new, old)

    def _take_back(self, error: BaseException) -> None:
        """Undoes commit and tag when there was no script to fail; the error tells."""
        if not self._commit:
            return
        rollback = self._roll_back()
        if isinstance(error, VizierError):
            note = "the release commit was taken back" if rollback.complete else "; ".join(rollback.errors)
            error.args = (f"{error}\n{note}",)

    def _roll_back(self) -> Rollback:
        """Tries every step, even if an earlier one failed."""
        errors: list[str] = []
        saved: list[str] = []
        with _signals_wait():
            removed = _attempt(errors, self._remove_tag) if self._tag_begun else None
            kept = _attempt(errors, lambda: self._save_edits(saved))
            restored = _attempt(errors, self._restore_branch)
            attached = _attempt(errors, self._attach_head)
            # Where the branch was left alone, its files are.
            clean = kept and restored and attached and _attempt(errors, self._restore_files)
            untracked = self._untracked()
        return Rollback(removed, restored, clean, untracked, next(iter(saved), None), tuple(errors))

    def _remove_tag(self) -> None:
        """Deletes the tag if it is the one of the release; one that is gone already will do."""
        name = self._plan.version.tag
        if not tag_exists(self._root, name):
            return
        reference = f"refs/tags/{name}"
        target = self._git.text("rev-parse", "--verify", "--quiet", f"{reference}^{{commit}}", accept=(0, 1))
        if target != self._commit:
            raise ReleaseError(f"tag {name} is not on the release commit and was left alone")
        self._git.run("update-ref", "-d", reference, self._git.text("rev-parse", "--verify", reference))

    def _save_edits(self, saved: list[str]) -> None:
        """Keeps changed files, and commits that only a detached HEAD leads to."""
        changed = self._git.run("status", "--porcelain=v1", "-z", "--untracked-files=no", "--ignore-submodules=all")
        if changed.stdout or not self._git.text("symbolic-ref", "--quiet", "HEAD", accept=(0, 1)):
            reference = rescue_worktree(self._root, self._root, f"release-{self._plan.version.tag}")
            saved.extend([reference] if reference else [])

    def _restore_branch(self) -> None:
        tip = self._git.text("rev-parse", "--verify", "--quiet", self._start.reference, accept=(0, 1))
        if tip == self._start.commit:
            return
        if tip and tip != self._commit:
            raise ReleaseError(f"branch {self._start.branch} has moved on from the release commit and was left alone")
        # A branch that the script has deleted comes back.
        self._move_branch(self._start.commit, tip or "0" * len(self._commit), _ROLLBACK_REASON)

    def _attach_head(self) -> None:
        if self._git.text("symbolic-ref", "--quiet", "HEAD", accept=(0, 1)) != self._start.reference:
            self._git.run("symbolic-ref", "-m", _ROLLBACK_REASON, "HEAD", self._start.reference)

    def _restore_files(self) -> None:
        self._git.run("reset", "--hard", "--quiet", self._start.commit)

    def _untracked(self) -> tuple[str, ...]:
        """The checkout was clean at the start, so whatever is there now has come meanwhile."""
        with contextlib.suppress(VizierError):
            own = [f":(exclude,top){os.fsdecode(path)}" for path in RUNTIME_PATHS]
            output = self._git.run("ls-files", "-z", "--others", "--exclude-standard", "--", ":/", *own).stdout
            return tuple(os.fsdecode(name) for name in output.split(b"\0") if name)
        return ()


def _attempt(errors: list[str], step: Callable[[], None]) -> bool:
    try:
        step()
    except (VizierError, OSError) as error:
        errors.append(str(error))
        return False
    return True


@contextlib.contextmanager
def _signals_raise() -> Iterator[None]:
    """Turns signals that end a program into an exception, so that the release can be taken back."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise Interrupted(number)

    with _handlers(stop):
        yield


@contextlib.contextmanager
def _signals_wait() -> Iterator[None]:
    """The way back is not to be left halfway."""
    with _handlers(lambda number, frame: None):
        yield


@contextlib.contextmanager
def _handlers(handler: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    """Handles the signals, except those that are ignored: nohup means it."""
    handled = [number for number in _SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
    before = [(number, signal.signal(number, handler)) for number in handled]
    try:
        yield
    finally:
        for number, former in before:
            signal.signal(number, former)
