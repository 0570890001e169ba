"""`prompt.resolve`: the text that an agent will read (spec 06 §§7.1, 8)."""

import os
from pathlib import Path
from typing import Any, Final

from vizier_core.agent.prompts import placeholder_files
from vizier_core.command import Output
from vizier_core.errors import OperationRefusedError
from vizier_core.jobs.operations.node import Handler, NodeResult, RunningNode, succeeded, write_stderr
from vizier_core.jobs.published import write_payload
from vizier_core.timestamp import Timestamp
from vizier_kernel.artifacts import PROMPT_TEXT, ArtifactKind
from vizier_kernel.placeholders import PlaceholderError, prompt_variables, render

#: The last source of a prompt.
ENVIRONMENT_VARIABLE: Final = "VIZIER_WORKFLOW_PROMPT_TEXT"
#: Where a job's snapshot of the configuration may hold a prompt.
_SNAPSHOT_PLACES: Final = (("workflow", "prompt_text"), ("workflow_runtime", "prompt_text"))
#: So much of what a failed command has said goes into the error, in characters, from its end (WS-06-36).
_QUOTED: Final = 4000


def resolve_prompt(running: RunningNode) -> NodeResult:
    """Finds the prompt of the node, fills in its placeholders and publishes it.

    Raises:
        VizierError: there is no text, or it cannot be rendered.
        OSError: the prompt cannot be stored, or there is no shell.
    """
    declared = running.node.artifacts_by_outcome.all()
    artifact = next((a for a in declared if a.kind is ArtifactKind.CUSTOM and a.first == PROMPT_TEXT), None)
    if artifact is None:
        raise OperationRefusedError("prompt.resolve node is missing prompt artifact output")
    notices: list[str] = []
    text = _render(running, _raw_text(running), notices)
    content = {
        "type_id": artifact.first,
        "key": artifact.second,
        "text": text,
        "written_at": Timestamp.now().offset_form(),
    }
    return succeeded(
        "prompt resolved",
        artifacts=(artifact,),
        payload_refs=(write_payload(running.store, artifact, running.record.id, content),),
        stderr_lines=tuple(notices),
    )


def _raw_text(running: RunningNode) -> str:
    """The text with its placeholders, from the first source that there is."""
    args = running.node.args
    if args.get("prompt_text", "").strip():
        return args["prompt_text"]
    file = running.node.arg("prompt_file")
    if file is not None:
        return _read(running.execution_root / file)
    for name in ("command", "script"):
        script = running.node.arg(name)
        if script is not None:
            return _output_of(running, name, script)
    recorded = _snapshot_text(running.record.config_snapshot)
    if recorded is not None:
        return recorded
    text = os.environ.get(ENVIRONMENT_VARIABLE, "")
    if text.strip():
        return text
    raise OperationRefusedError(
        "prompt.resolve missing prompt_text source: set one of the arguments prompt_text, prompt_file, command and "
        f"script, or the environment variable {ENVIRONMENT_VARIABLE}"
    )


def _render(running: RunningNode, text: str, notices: list[str]) -> str:
    def notice(line: str) -> None:
        notices.append(line)
        write_stderr(line + "\n")

    variables = prompt_variables(
        running.node.node_id,
        running.node.args,
        {node_id: node.args for node_id, node in running.manifest.nodes.items()},
        str(running.execution_root),
    )
    ephemeral = running.record.meta.ephemeral_run is True
    read_file = placeholder_files(running.execution_root, ephemeral=ephemeral, notice=notice)
    try:
        return render(text, variables, read_file)
    except PlaceholderError as error:
        raise OperationRefusedError(f"prompt.resolve: {error}") from None


def _read(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        reason = f"not valid UTF-8 at byte {error.start}"
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
    raise OperationRefusedError(f"prompt.resolve could not read prompt_file {path}: {reason}")


def _output_of(running: RunningNode, name: str, script: str) -> str:
    """What a shell command prints; nothing of it goes into the log, which says only how the node ended."""
    done = running.run_shell(script, stdout=_drop, stderr=_drop)
    if done.exit_code != 0:
        raise OperationRefusedError(
            f"prompt.resolve {name} failed (exit {done.exit_code}): {_quoted(done.stderr.text.strip())}"
        )
    return _whole(done.stdout, name)


def _whole(output: Output, name: str) -> str:
    if output.truncated_from is not None:
        raise OperationRefusedError(
            f"prompt.resolve {name} printed {output.truncated_from} characters, which is too much for a prompt"
        )
    return output.text


def _snapshot_text(snapshot: Any) -> str | None:
    for place in _SNAPSHOT_PLACES:
        value = snapshot
        for key in place:
            value = value.get(key) if isinstance(value, dict) else None
        if isinstance(value, str):
            return value
    return None


def _quoted(text: str) -> str:
    return text if len(text) <= _QUOTED else f"[...] {text[-_QUOTED:]}"


def _drop(text: str) -> None:
    """Takes output that nobody wants to see."""


HANDLERS: Final[dict[str, Handler]] = {"prompt.resolve": resolve_prompt}
