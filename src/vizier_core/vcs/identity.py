"""Whose name commits and tags carry (spec 09 §13.5)."""

from typing import NamedTuple

from vizier_core.vcs.git import Git


class Identity(NamedTuple):
    """Author, committer and tagger in one: name and address."""

    name: str
    email: str

    def environment(self) -> dict[str, str]:
        """The variables that make git use it."""
        roles = ("AUTHOR", "COMMITTER")
        return {
            f"GIT_{role}_{key}": value for role in roles for key, value in zip(("NAME", "EMAIL"), self, strict=True)
        }


#: For repositories that name nobody.
FALLBACK = Identity("Vizier", "vizier@local")


def repository_identity(git: Git) -> Identity:
    """The identity that git is configured with, both parts of it, else the fallback; the environment does not count.

    Raises:
        GitError: the configuration cannot be read.
    """
    found = {key: git.text("config", "--get", f"user.{key}", accept=(0, 1)).strip() for key in ("name", "email")}
    return Identity(found["name"], found["email"]) if all(found.values()) else FALLBACK
