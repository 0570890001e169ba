"""The fields of `vizier list` and how they are laid out (spec 09 §5)."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from vizier_cli.cli.fields import choose_fields
from vizier_cli.cli.output import counted, label_block, printable, printable_lines, table
from vizier_core.config import PlanListDisplay
from vizier_core.jobs import JobRecord
from vizier_core.plan_inventory import PendingPlan

_KEY: Final = "display.lists.list"


class Entry(NamedTuple):
    """A plan with the job that works on it, or did last."""

    plan: PendingPlan
    job: JobRecord | None


class Header(NamedTuple):
    """What stands above the plans."""

    number: int
    #: The branch that was asked for, if one was.
    target: str | None


class _HeaderField(NamedTuple):
    label: str
    value: Callable[[Header], str | None]


class _EntryField(NamedTuple):
    label: str
    #: The value; the settings say how long a summary may be. None where there is no job.
    value: Callable[[Entry, PlanListDisplay], str | None]


class PlanListView:
    """The configured view.

    Args:
        settings: the configuration, the command line applied.
        warn: receives a line for each field that there is not.
    """

    def __init__(self, settings: PlanListDisplay, warn: Callable[[str], None]) -> None:
        labels = settings.labels
        self._settings = settings
        self._header = choose_fields(settings.header_fields, _HEADER_FIELDS, labels, warn, f"{_KEY}.header_fields")
        self._entry = choose_fields(settings.entry_fields, _ENTRY_FIELDS, labels, warn, f"{_KEY}.entry_fields")
        self._job = (
            *choose_fields(settings.job_fields, _JOB_FIELDS, labels, warn, f"{_KEY}.job_fields"),
            *choose_fields(settings.command_fields, _COMMAND_FIELDS, labels, warn, f"{_KEY}.command_fields"),
        )

    @property
    def needs_jobs(self) -> bool:
        """Whether anything about jobs is shown."""
        return bool(self._job)

    def document(self, header: Header, entries: Sequence[Entry]) -> dict[str, Any]:
        """The view as data; values that there are not are left out."""
        head = {_json_key(field.label): field.value(header) for field, _ in self._header}
        return {"entries": [self._entry_document(entry) for entry in entries], "header": _present(head)}

    def block(self, header: Header, entries: Sequence[Entry]) -> str:
        """The view as blocks of labels and values."""
        blocks = [self._header_block(header)]
        blocks += [label_block(self._rows(entry), indent=2) for entry in entries]
        return "\n\n".join(filter(None, blocks))

    def table(self, header: Header, entries: Sequence[Entry]) -> str:
        """The view as a table below the header."""
        fields = (*self._entry, *self._job)
        blocks = [self._header_block(header)]
        if entries and fields:
            rows = [[printable(self._value(field, entry) or "") for field, _ in fields] for entry in entries]
            blocks.append(table([[label for _, label in fields], *rows]))
        return "\n\n".join(filter(None, blocks))

    def _header_block(self, header: Header) -> str:
        return label_block([(label, printable_lines(field.value(header) or "")) for field, label in self._header])

    def _rows(self, entry: Entry) -> list[tuple[str, str]]:
        found = ((label, self._value(field, entry)) for field, label in (*self._entry, *self._job))
        return [(label, printable_lines(value)) for label, value in found if value is not None]

    def _entry_document(self, entry: Entry) -> dict[str, str]:
        return _present({_json_key(field.label): self._value(field, entry) for field, _ in (*self._entry, *self._job)})

    def _value(self, field: _EntryField, entry: Entry) -> str | None:
        return field.value(entry, self._settings)


def _present(values: Mapping[str, str | None]) -> dict[str, str]:
    return {key: value for key, value in values.items() if value is not None}


def _json_key(label: str) -> str:
    return label.lower().replace(" ", "_")


def _outcome(header: Header) -> str:
    if not header.number:
        return "No pending draft branches"
    return f"{counted(header.number)} pending draft branch" + ("es" if header.number > 1 else "")


def _summary(entry: Entry, settings: PlanListDisplay) -> str:
    text = entry.plan.summary.strip().replace('"', "'")
    if settings.summary_single_line:
        text = " ".join(text.split())
    limit = settings.summary_max_length
    if limit and len(text) > limit:
        return "..." if limit <= len("...") else f"{text[: limit - len('...')]}..."
    return text


def _of_job(value: Callable[[JobRecord], str | None]) -> Callable[[Entry, PlanListDisplay], str | None]:
    return lambda entry, settings: None if entry.job is None else value(entry.job)


def _started(record: JobRecord) -> str | None:
    return None if record.started_at is None else record.started_at.offset_form()


_HEADER_FIELDS: Final = (
    _HeaderField("Outcome", _outcome),
    _HeaderField("Target", lambda header: header.target),
)
_ENTRY_FIELDS: Final = (
    _EntryField("Plan", lambda entry, settings: entry.plan.slug),
    _EntryField("Branch", lambda entry, settings: entry.plan.branch),
    _EntryField("Summary", _summary),
)
_JOB_FIELDS: Final = (
    _EntryField("Job", _of_job(lambda job: job.id)),
    _EntryField("Job status", _of_job(lambda job: job.status.value)),
    _EntryField("Job scope", _of_job(lambda job: job.meta.command_alias)),
    _EntryField("Job started", _of_job(_started)),
)
_COMMAND_FIELDS: Final = (
    _EntryField("Status", _of_job(lambda job: f"vizier jobs status {job.id}")),
    _EntryField("Logs", _of_job(lambda job: f"vizier jobs tail --follow {job.id}")),
    _EntryField("Attach", _of_job(lambda job: f"vizier jobs attach {job.id}")),
)
