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


#: For repositories that name nobody (WS-06-13, WS-09-39).
FALLBACK = Identity("Vizier", "vizier@local")


def repository_identity(git: Git) -> Identity:
    """The identity that git is configured with, both parts of it, else the fallback; the environment does not count.

    Raises:
        GitError: the configuration cannot be read.
    """
    listed = git.fields("config", "-z", "--get-regexp", r"^user\.(name|email)$", accept=(0, 1))
    found = dict(entry.split("\n", 1) for entry in listed if "\n" in entry)
    configured = Identity(found.get("user.name", "").strip(), found.get("user.email", "").strip())
    return configured if all(configured) else FALLBACK
