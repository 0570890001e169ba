"""Where agents live: directories with an `agent.sh` and perhaps a `filter.sh` (spec 07 §§5.3, 5.4, 7)."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from vizier_core.agent.errors import InvalidLabelError, ShimNotFoundError
from vizier_core.files import is_single_component

#: The shims that come with the program.
BUNDLED: Final = Path(__file__).parent / "bundled"
_AGENT: Final = "agent.sh"
_FILTER: Final = "filter.sh"


def shim_directories(cwd: Path, program: Path | None = None) -> tuple[Path, ...]:
    """The directories that hold shims, strongest first; only those that exist, all absolute.

    They are absolute because shims are started in another directory than they are looked up from (WS-07-08).

    Args:
        cwd: what relative directories are relative to.
        program: directory of the program; default: of the running one.
    """
    program = program_directory() if program is None else program
    configured = os.environ.get("VIZIER_AGENT_SHIMS_DIR", "").strip()
    candidates = (
        *((configured,) if configured else ()),
        program / "agents",
        program / ".." / "share" / "vizier" / "agents",
        Path("examples") / "agents",
        BUNDLED,
    )
    absolute = (Path(os.path.normpath(cwd.absolute() / candidate)) for candidate in candidates)
    return tuple(dict.fromkeys(directory for directory in absolute if directory.is_dir()))


def program_directory() -> Path:
    """Where the running program lies: the directory of `vizier`, or of the interpreter if that was started directly."""
    main = getattr(sys.modules.get("__main__"), "__file__", None)
    if main and Path(main).name == "vizier":
        return Path(main).resolve().parent
    return Path(sys.executable).parent


def agent_shim(label: str, directories: Sequence[Path]) -> Path:
    """The `agent.sh` of a label, from the first directory that has one; whether it can be executed is not looked at.

    Args:
        label: name of a shim.
        directories: from :func:`shim_directories`.

    Raises:
        InvalidLabelError: the label is no plain name.
        ShimNotFoundError: no directory has it.
    """
    if not is_single_component(label):
        raise InvalidLabelError(label)
    shim = _first(label, _AGENT, directories)
    if shim is None:
        raise ShimNotFoundError(label, directories)
    return shim


def filter_shim(label: str, directories: Sequence[Path]) -> Path | None:
    """The `filter.sh` of a label, from the first directory that has one; None if there is none.

    A label that is no plain name has none: a configured command may be called anything.
    """
    return _first(label, _FILTER, directories) if is_single_component(label) else None


def _first(label: str, name: str, directories: Sequence[Path]) -> Path | None:
    return next((path for directory in directories if (path := directory / label / name).is_file()), None)
