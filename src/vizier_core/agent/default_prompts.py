"""What agents are told where nobody has written a prompt (spec 07 §4.4). Only that for merge conflicts is ever sent."""

from typing import Final

from vizier_core.config.agents import PromptKind

_MERGE_CONFLICT: Final = """\
<mainInstruction>
A draft branch is being merged into its target branch, and git could not merge some files. Resolve these conflicts.

- The files are those listed in <mergeContext>; each has conflict markers, or was changed on one side and deleted on the
  other. If a plan is quoted in <sourcePlanDocument>, it says what the draft branch is meant to achieve.
- Keep what both sides intended. Where they contradict each other, do what makes the plan work without undoing what
  the target branch has gained meanwhile.
- Edit the files directly, stay inside this repository, and touch other files only where a resolution needs it.
- Leave no line that begins with <<<<<<<, ======= or >>>>>>> as a conflict marker.
- Use git only to read history (log, show, diff, blame). Never commit, stage, check out, reset or abort the merge:
  vizier stages the listed files and finishes the merge when you are done.
- End with a short summary of how you resolved each file.
</mainInstruction>"""

_DOCUMENTATION: Final = """\
<mainInstruction>
Keep the project's narrative up to date with the request below.

- Edit .vizier/narrative/snapshot.md, what the project does today, and .vizier/narrative/glossary.md, what its words
  mean. Merge new facts into the existing entries instead of adding a second account beside them.
- Describe behaviour that somebody can observe, not code.
- Answer only with a short summary in the style of a commit message.
</mainInstruction>"""

_COMMIT: Final = """\
Write the commit message for the diff below: a subject `type: summary` of at most 50 characters, a blank line, and a
body wrapped at 72 columns that explains why the change was made. Answer with the message only."""

_IMPLEMENTATION_PLAN: Final = """\
<mainInstruction>
Write a plan that carries out the operator's specification below. Answer only with the plan, in Markdown, with these
sections: Overview, Execution Plan, Risks & Unknowns, Testing & Verification and, if needed, Notes. No front matter, and
no steps about storing the plan: vizier does that.
</mainInstruction>"""

_REVIEW: Final = """\
Review the change below: compare the plan, the snapshot, the diff and the logs of the checks. Answer in Markdown with
the sections Plan Alignment, Tests & Build, Snapshot Impacts and Action Items. Mark a suspicion that you have not proved
as a hypothesis."""

DEFAULT_PROMPTS: Final = {
    PromptKind.DOCUMENTATION: _DOCUMENTATION,
    PromptKind.COMMIT: _COMMIT,
    PromptKind.IMPLEMENTATION_PLAN: _IMPLEMENTATION_PLAN,
    PromptKind.REVIEW: _REVIEW,
    PromptKind.MERGE_CONFLICT: _MERGE_CONFLICT,
}
