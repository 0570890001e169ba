"""Plan documents: the Markdown file on a draft branch that says what the branch is for (spec 02 §13, 09 §4.3)."""

from collections.abc import Iterable
from typing import Final

import msgspec

from vizier_kernel.names import normalise_slug

#: Plan branches are called after their plan, with this in front.
DRAFT_PREFIX: Final = "draft/"
#: What stands for a plan that an agent did not write.
EMPTY_PLAN: Final = "(plan generation returned empty content)"

_FENCE: Final = "---"
_SPEC: Final = "## Operator Spec"
_PLAN: Final = "## Implementation Plan"
#: A summary longer than this, in bytes, is cut one character before.
_SUMMARY_LIMIT: Final = 160


class PlanDocument(msgspec.Struct, frozen=True, kw_only=True):
    """What a plan document says about itself."""

    plan_id: str
    slug: str
    branch: str
    #: The first line of the operator's specification, perhaps cut; None if there is none.
    summary: str | None


def plan_document_path(slug: str) -> str:
    """Where the document of a plan is, below the root of a working tree."""
    return f".vizier/implementation-plans/{slug}.md"


def default_branch(slug: str) -> str:
    """The branch of a plan that names none."""
    return DRAFT_PREFIX + slug


def read_plan_document(text: str) -> PlanDocument:
    """Reads a plan document.

    Raises:
        ValueError: it has no front matter, or that does not say which plan it is.
    """
    lines = [line.removesuffix("\r") for line in text.split("\n")]
    keys, body = _front_matter(lines)
    branch = keys.get("branch", "")
    slug = keys.get("plan") or (branch.removeprefix(DRAFT_PREFIX) if branch.startswith(DRAFT_PREFIX) else "")
    if not slug:
        raise ValueError("plan file missing `plan` in front-matter")
    return PlanDocument(
        plan_id=keys.get("plan_id") or _legacy_id(slug),
        slug=slug,
        branch=branch or default_branch(slug),
        summary=_summary(_specification(body)),
    )


def write_plan_document(*, plan_id: str, slug: str, branch: str, specification: str, plan: str) -> str:
    """The text of a plan document.

    Raises:
        ValueError: a value would break out of its line of the front matter.
    """
    for key, value in (("plan_id", plan_id), ("plan", slug), ("branch", branch)):
        if not value.isprintable():
            raise ValueError(f"{key} must be a single line of printable characters, got {value!r}")
    front_matter = f"{_FENCE}\nplan_id: {plan_id}\nplan: {slug}\nbranch: {branch}\n{_FENCE}\n"
    ended = specification.rstrip("\r\n")
    return f"{front_matter}\n{_SPEC}\n{ended}\n\n{_PLAN}\n{plan.strip() or EMPTY_PLAN}\n"


def _front_matter(lines: list[str]) -> tuple[dict[str, str], list[str]]:
    """The keys between the fences, and the lines after them; line by line, whatever the line ends (WS-02-20)."""
    # The last element is what follows the last line end, so a fence there is not a finished line.
    complete = lines[:-1]
    if not complete or complete[0] != _FENCE or _FENCE not in complete[1:]:
        raise ValueError("plan file missing front-matter header")
    end = complete.index(_FENCE, 1)
    pairs = (line.partition(":") for line in lines[1:end] if ":" in line)
    return {key.strip(): value.strip() for key, _, value in pairs}, lines[end + 1 :]


def _specification(body: list[str]) -> Iterable[str]:
    """The lines of the operator's specification, which may have headings of its own (WS-09-10)."""
    start = next((number for number, line in enumerate(body) if _is_heading(line, _SPEC)), None)
    if start is None:
        return ()
    rest = body[start + 1 :]
    ends = [number for number, line in enumerate(rest) if line.rstrip() == _PLAN]
    if not ends:
        ends = [number for number, line in enumerate(rest) if line.startswith("## ")]
    return [body[start].removeprefix(_SPEC), *rest[: ends[0] if ends else None]]


def _is_heading(line: str, heading: str) -> bool:
    """Whether a line is this heading, perhaps with text of the section behind it."""
    return line.startswith(heading) and not line.removeprefix(heading)[:1].isalnum()


def _summary(specification: Iterable[str]) -> str | None:
    line = next((stripped for line in specification if (stripped := line.strip())), None)
    if line is None or len(line.encode("utf-8", errors="surrogateescape")) <= _SUMMARY_LIMIT:
        return line
    return line if len(line) < _SUMMARY_LIMIT else f"{line[: _SUMMARY_LIMIT - 1]}…"


def _legacy_id(slug: str) -> str:
    """The id of a document that was written before plans had ids."""
    normalised = normalise_slug(slug)
    return f"pln_legacy_{normalised}" if normalised else "pln_legacy"
