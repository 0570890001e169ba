"""The branch that work is compared with when nobody names one (spec 09 §13.6)."""

from typing import Final

from vizier_core.vcs.git import Git

_REMOTE_HEAD: Final = "refs/remotes/origin/HEAD"
_REMOTE: Final = "refs/remotes/origin/"
_USUAL_NAMES: Final = ("main", "master")


def primary_branch(git: Git) -> str | None:
    """The local branch that stands for the project; None if there is none at all.

    Raises:
        GitError: git cannot tell.
    """
    lines = git.text("for-each-ref", "--format=%(committerdate:unix) %(refname)", "refs/heads").split("\n")
    # Oldest first; of branches of the same age the last in the order of names.
    ages = [line.partition(" refs/heads/") for line in lines if line]
    branches = [name for _, _, name in sorted(ages, key=lambda age: (int(age[0] or 0), age[2]))]
    remote = git.text("symbolic-ref", "--quiet", _REMOTE_HEAD, accept=(0, 1, 128))
    for name in (remote.removeprefix(_REMOTE), *_USUAL_NAMES):
        if name in branches:
            return name
    return branches[-1] if branches else None
