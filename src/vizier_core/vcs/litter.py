"""Files in a git directory that a killed process did not come to delete; they are in nobody's way, only useless."""

import os
import re
import time
from pathlib import Path
from typing import Final

from vizier_core.files import entries, remove_file

#: Scratch indexes (`commits`), and index locks that never came to their place (`index_lock`).
_NAMES: Final = re.compile(r"vizier-index\.\d+(\.lock)?|index\.lock\.vizier\.\d+")
#: Nobody needs one for so long, not even a hook that waits for a person; in seconds.
_AGE: Final = 24 * 60 * 60.0


def remove_litter(git_directory: Path, age: float = _AGE) -> None:
    """Deletes what has been left here for longer than `age` seconds.

    Raises:
        OSError: something cannot be deleted.
    """
    latest = time.time() - age
    for entry in entries(git_directory):
        # A copy of an index has the times of that, but not this one.
        if _NAMES.fullmatch(entry.name) and os.lstat(entry.path).st_ctime < latest:
            remove_file(Path(entry.path))
