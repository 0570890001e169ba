"""The runs that one `vizier run` starts: a single one, the same several times, or one for each file of a batch."""

import msgspec

from vizier_cli.actions.run_follow import FollowResult
from vizier_core.flow.batch import Batch, BatchItem
from vizier_core.jobs import Cleanup, EnqueuedRun, RunRequest


class Launch(msgspec.Struct, frozen=True):
    """An enqueued run."""

    request: RunRequest
    run: EnqueuedRun
    #: Which of the runs it is, from 1.
    index: int
    #: The file that it is for, if it belongs to a batch.
    item: BatchItem | None

    @property
    def run_id(self) -> str:
        """Its id."""
        return self.run.run_id

    @property
    def template(self) -> str:
        """Id and version of its template."""
        return f"{self.request.workflow.template_id}@{self.request.workflow.template_version}"

    @property
    def is_ephemeral(self) -> bool:
        """Whether all traces of it are to be removed once it has ended."""
        return self.request.baseline is not None


class Series(msgspec.Struct, frozen=True):
    """All runs of the command, in order; each waits for the one before it."""

    launches: tuple[Launch, ...]
    #: What the runs are for; None if all are the same.
    batch: Batch | None

    @property
    def is_single(self) -> bool:
        """Whether it is just a run, which summaries show in a way of its own."""
        return self.batch is None and len(self.launches) == 1


class Ending(msgspec.Struct, frozen=True):
    """How a followed run ended."""

    launch: Launch
    result: FollowResult
    #: What became of its traces, if it was ephemeral.
    cleanup: Cleanup | None = None
