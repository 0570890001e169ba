"""Git, always through the git program (decision D18)."""

from vizier_core.vcs.git import Git

__all__ = ["Git"]
