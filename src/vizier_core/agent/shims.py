"""Where agents live: directories with an `agent.sh` and perhaps a `filter.sh` (spec 07 §§5.3, 5.4, 7)."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from vizier_core.agent.errors import InvalidLabelError, ShimNotFoundError
from vizier_core.files import is_single_component

#: The shims that come with the program.
BUNDLED: Final = Path(__file__).parent / "bundled"
_AGENT: Final = "agent.sh"
_FILTER: Final = "filter.sh"


def shim_directories(cwd: Path, program: Path) -> tuple[Path, ...]:
    """The directories that hold shims, strongest first; only those that exist, all absolute.

    They are absolute because shims are started in another directory than they are looked up from (WS-07-08).

    Args:
        cwd: what relative directories are relative to.
        program: the directory of the program `vizier`.
    """
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

    Raises:
        InvalidLabelError: the label is no plain name.
    """
    if not is_single_component(label):
        raise InvalidLabelError(label)
    return _first(label, _FILTER, directories)


def _first(label: str, name: str, directories: Sequence[Path]) -> Path | None:
    return next((path for directory in directories if (path := directory / label / name).is_file()), None)
