"""Progress filters for the event streams of codex, claude and gemini (spec 07 §7.2).

They run in a process of their own, started by `start.sh` with whatever Python 3.9 or newer is at hand. So nothing here
imports anything but the standard library, nor uses syntax newer than that.
"""

from .command import main

__all__ = ["main"]
