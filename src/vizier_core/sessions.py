"""Recorded sessions: no command writes them any more, but one can still be named (spec 02 §18, 07 §8.1)."""

import json
from pathlib import Path
from typing import Any

from vizier_core.errors import VizierError
from vizier_core.files import is_single_component

#: Where sessions lie, below the project root.
SESSIONS = Path(".vizier") / "sessions"
_ROLES = frozenset({"System", "User", "Assistant"})


class SessionError(VizierError):
    """A session that is not there or cannot be read."""


def load_session(root: Path, session_id: str) -> list[dict[str, Any]]:
    """The messages of a recorded session.

    Raises:
        SessionError: there is none of this id, the id is no single name (WS-07-09), or the file holds no messages.
    """
    if not is_single_component(session_id):
        raise SessionError(f"invalid session id `{session_id}`: expected a single name without `/` or `..`")
    path = root / SESSIONS / session_id / "session.json"
    if not path.is_file():
        raise SessionError(f"could not find session file {path}")
    try:
        document = json.loads(path.read_bytes())
    except OSError as error:
        raise SessionError(f"cannot read session file {path}: {error.strerror or error}") from None
    except (ValueError, RecursionError) as error:
        raise SessionError(f"cannot read session file {path}: {error}") from None
    messages = document.get("messages") if isinstance(document, dict) else document
    if not isinstance(messages, list):
        raise SessionError(f"cannot read session file {path}: expected an object with `messages`, or a list of them")
    for number, message in enumerate(messages, start=1):
        if not _is_message(message):
            raise SessionError(
                f"cannot read session file {path}: message {number} needs `content` and a `role` of "
                + ", ".join(sorted(_ROLES))
            )
    return messages


def _is_message(value: object) -> bool:
    return isinstance(value, dict) and value.get("role") in _ROLES and isinstance(value.get("content"), str)
