"""Where this program lies on the machine."""

import sys
from pathlib import Path


def program_directory() -> Path:
    """Where the running program lies: the directory of `vizier`, or of the interpreter if that was started directly."""
    main = getattr(sys.modules.get("__main__"), "__file__", None)
    if main and Path(main).name == "vizier":
        return Path(main).resolve().parent
    return Path(sys.executable).parent
