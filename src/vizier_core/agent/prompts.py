"""The texts that prompts start from, and the files that go into them (spec 06 §8, 07 §§4.2, 4.3, 4.6)."""

from collections.abc import Callable
from pathlib import Path

from vizier_core.agent.default_prompts import DEFAULT_PROMPTS
from vizier_core.agent.errors import CompanionPromptError, PlaceholderFileError
from vizier_core.agent.settings import PromptOrigin, PromptText
from vizier_core.config.agents import PromptKind
from vizier_kernel.placeholders import may_be_missing

#: Stands for a narrative document that an ephemeral run does without.
NOT_AVAILABLE = "N/A"


def prompt_text(
    kind: PromptKind, configured: PromptText | None, execution_root: Path, project_root: Path
) -> PromptText:
    """The text of a prompt: as configured, else from a file in `.vizier`, else the built-in one (spec 07 §4.2).

    Args:
        kind: what it is for.
        configured: what the override tables hold, from :func:`vizier_core.agent.settings.prompt_override`.
        execution_root: where the agent works; its `.vizier` comes first (WS-07-19).
        project_root: whose `.vizier` comes next.
    """
    if configured is not None:
        return configured
    for root in (execution_root, project_root):
        path = root / ".vizier" / f"{kind.name}_PROMPT.md"
        try:
            return PromptText(path.read_bytes().decode("utf-8", "replace"), PromptOrigin.REPO_FILE, path)
        except OSError:
            continue
    return PromptText(DEFAULT_PROMPTS[kind], PromptOrigin.DEFAULT)


def companion_text(text: str | None, file: str | None, execution_root: Path) -> str | None:
    """What a conflict gate adds in front of its prompt; None if it adds nothing (spec 07 §4.6 step 2).

    Args:
        text: the node's argument `prompt_text`.
        file: its argument `prompt_file`, relative to the execution root, which counts if there is no text.
        execution_root: where the agent works.

    Raises:
        CompanionPromptError: the file cannot be read.
    """
    if text is not None and text.strip():
        return text.strip()
    if file is None or not file.strip():
        return None
    path = execution_root / file.strip()
    try:
        return path.read_bytes().decode("utf-8").strip() or None
    except (OSError, UnicodeDecodeError, ValueError) as error:
        raise CompanionPromptError(path, _reason(error)) from None


def placeholder_files(execution_root: Path, *, ephemeral: bool, notice: Callable[[str], None]) -> Callable[[str], str]:
    """Reads the files that placeholders name (spec 06 §§8.2, 8.4).

    Args:
        execution_root: what their paths are relative to.
        ephemeral: whether the run is; narrative documents may then be missing.
        notice: receives a line about each that is.

    Returns:
        A function from a path to the content of the file, verbatim; it raises PlaceholderFileError.
    """

    def read(name: str) -> str:
        path = execution_root / name
        try:
            return path.read_bytes().decode("utf-8")
        except FileNotFoundError as error:
            if ephemeral and may_be_missing(name):
                notice(
                    f"[workflow-node] info prompt.resolve missing narrative placeholder `{name}`; "
                    "substituting N/A for ephemeral run"
                )
                return NOT_AVAILABLE
            raise PlaceholderFileError(path, _reason(error)) from None
        except (OSError, ValueError) as error:
            raise PlaceholderFileError(path, _reason(error)) from None

    return read


def _reason(error: OSError | ValueError) -> str:
    if isinstance(error, UnicodeDecodeError):
        return f"not valid UTF-8 at byte {error.start}"
    return str(getattr(error, "strerror", None) or error)
