#!/usr/bin/env python3
"""The agent of ./demo.sh: no model behind it, but it really plans, edits files and resolves conflicts.

It tells its three tasks apart by what stands in the prompts that `vizier init` writes: to plan a request, to carry out
the plan of the branch it works on, and to resolve the conflicts of a merge. A request is a title and instructions:

    - Append to `PATH`: `LINE`
    - Replace in `PATH`: `OLD` by `NEW`

Like any agent it reads the prompt on stdin, tells its progress on stderr, and prints its reply on stdout.
"""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

_APPEND = re.compile(r"Append to `([^`]+)`: `([^`]+)`")
_REPLACE = re.compile(r"Replace in `([^`]+)`: `([^`]+)` by `([^`]+)`")
_CONFLICT = re.compile(r"^<{7} .*\n((?:.*\n)*?)(?:^\|{7} .*\n(?:.*\n)*?)?^={7}\n((?:.*\n)*?)^>{7} .*\n", re.MULTILINE)


def main() -> None:
    """Does the task that the prompt sets."""
    prompt = sys.stdin.read()
    merge = re.search(r"<mergeContext>.*?conflict_files:\n(.*?)</mergeContext>", prompt, re.DOTALL)
    _, is_draft, request = prompt.partition("## Operator Spec\n")
    if merge:
        reply = resolve([line.removeprefix("- ") for line in merge[1].splitlines()])
    elif is_draft:
        reply = plan(request)
    else:
        reply = carry_out()
    print(reply)
    words = len(prompt.split()), len(reply.split())
    print(f'vizier-report: {{"usage": {{"input_tokens": {words[0]}, "output_tokens": {words[1]}}}}}', file=sys.stderr)


def plan(request: str) -> str:
    """The plan for a request."""
    say("reading the request")
    title, *_ = [line.lstrip("# ") for line in request.splitlines() if line.strip()]
    steps = [line.strip().removeprefix("- ") for line in request.splitlines() if line.strip().startswith("- ")]
    say(f"planning {len(steps)} steps")
    numbered = "\n".join(f"{number}. {step}" for number, step in enumerate(steps, 1))
    return (
        f"## Overview\n\n{title}.\n\n## Execution Plan\n\n{numbered}\n\n"
        "## Risks & Unknowns\n\nNone: the demo agent does what it is told.\n\n"
        "## Testing & Verification\n\nThe check that the run was given has to pass."
    )


def carry_out() -> str:
    """Does what the plan of this branch says; what it did."""
    branch = subprocess.run(["git", "branch", "--show-current"], capture_output=True, text=True, check=True).stdout
    document = Path(".vizier/implementation-plans", f"{branch.strip().removeprefix('draft/')}.md")
    say(f"following {document}")
    _, _, steps = document.read_text(encoding="utf-8").partition("## Execution Plan\n")
    done = [edit for line in steps.partition("\n## ")[0].splitlines() for edit in carry_out_step(line)]
    if not done:
        sys.exit(f"{document} holds no step that the demo agent understands")
    return "\n".join(done)


def carry_out_step(step: str) -> Iterator[str]:
    """Does one step, and tells what it was; nothing for other lines."""
    if found := _APPEND.search(step):
        path, line = found.groups()
        say(f"editing {path}")
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        with open(path, "a", encoding="utf-8") as file:
            file.write(f"{line}\n")
        yield f"Added a line to {path}."
    elif found := _REPLACE.search(step):
        path, old, new = found.groups()
        say(f"editing {path}")
        text = Path(path).read_text(encoding="utf-8")
        if old not in text:
            sys.exit(f"{path} does not hold {old!r}")
        Path(path).write_text(text.replace(old, new), encoding="utf-8")
        yield f"Changed {path}."


def resolve(paths: list[str]) -> str:
    """Keeps the lines of both sides of every conflict, each once."""
    for name in paths:
        say(f"keeping both sides in {name}")
        path = Path(name)
        path.write_text(_CONFLICT.sub(both, path.read_text(encoding="utf-8")), encoding="utf-8")
    return f"Kept the lines of both sides in {', '.join(paths)}."


def both(conflict: re.Match[str]) -> str:
    """The lines of both sides, without those that they have in common."""
    return "".join(dict.fromkeys([*conflict[1].splitlines(keepends=True), *conflict[2].splitlines(keepends=True)]))


def say(line: str) -> None:
    """Tells the operator what happens."""
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
