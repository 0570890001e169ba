"""The scenarios of the crash matrix.

A scenario prepares a repository without faults and then acts with them. To add one, write a class and give it a line in
the plan of `test_matrix.py`.
"""

from collections.abc import Callable, Sequence

from crash.ledger import started
from support.flows import command, template
from support.repository import TERMINAL, Finished, Repository

#: Runs the program with the fault built in; it may be killed.
Vizier = Callable[..., Finished]


class Scenario:
    """What the program is doing when it is hit."""

    def prepare(self, repository: Repository) -> None:
        """Makes what has to be there before, without faults."""

    def act(self, repository: Repository, vizier: Vizier) -> None:
        """Uses the program with the fault built in."""

    def relax(self, repository: Repository) -> None:
        """Lets nodes end that have been waiting for the test."""

    def verify(self, repository: Repository, outputs: Sequence[Finished]) -> None:
        """Checks, when all is over, what is true of this scenario only; `outputs` is what the commands have said."""

    def __str__(self) -> str:
        return type(self).__name__.lower()


#: The nodes of `route_flow`.
_ROUTE = ("fix", "check", "end")


def route_flow() -> str:
    """Three nodes: the second fails the first time and sends the first around again."""
    return template(
        command("fix", f"{started('fix')}; echo fix >>trace"),
        command("check", f"{started('check')}; test $(wc -l <trace) -ge 2", ["fix"], on={"failed": ["fix"]}),
        command("end", started("end"), ["check"]),
    )


class Run(Scenario):
    """`vizier run`, and the workers that follow from it."""

    def prepare(self, repository: Repository) -> None:
        repository.write("flow.json", route_flow())

    def act(self, repository: Repository, vizier: Vizier) -> None:
        vizier("run", "flow.json")

    def verify(self, repository: Repository, outputs: Sequence[Finished]) -> None:
        """All of the run or nothing (decision D5), and what the command has said is true."""
        nodes = {record["metadata"]["workflow_node_id"] for record in repository.records().values()}
        enqueued = nodes & set(_ROUTE)
        assert len(enqueued) in {0, 3}, f"half a run: {enqueued}"
        done = outputs[0]
        if done.code == 0 or "cannot be started" in done.err or "cannot be updated" in done.err:
            assert enqueued, f"lost: {done}"
        elif done.code == 1:
            assert not enqueued, f"said that it failed, and was enqueued all the same: {done}"


class Follow(Run):
    """`vizier run --follow`: a ticker that lives beside the workers."""

    def act(self, repository: Repository, vizier: Vizier) -> None:
        vizier("run", "flow.json", "--follow")

    def verify(self, repository: Repository, outputs: Sequence[Finished]) -> None:
        """Says only of a run that has succeeded that it has."""
        if outputs[0].code == 0:
            assert {repository.status(node) for node in _ROUTE} == {"succeeded"}, str(outputs[0])


class Approve(Scenario):
    """`vizier jobs approve` for the first of two jobs."""

    def prepare(self, repository: Repository) -> None:
        flow = template(command("ask", started("ask")), command("go", started("go"), ["ask"]))
        repository.write("flow.json", flow)
        repository.vizier("run", "flow.json", "--require-approval").ok()

    def act(self, repository: Repository, vizier: Vizier) -> None:
        vizier("jobs", "approve", repository.job("ask"))


class Reject(Scenario):
    """`vizier jobs reject` for the first of two jobs."""

    def prepare(self, repository: Repository) -> None:
        Approve().prepare(repository)

    def act(self, repository: Repository, vizier: Vizier) -> None:
        vizier("jobs", "reject", repository.job("ask"))

    def verify(self, repository: Repository, outputs: Sequence[Finished]) -> None:
        """Either rejected for good, or asked again and approved by the commands that came later."""
        statuses = [repository.status(node) for node in ("ask", "go")]
        rejected = ["blocked_by_approval", "blocked_by_dependency"]
        assert statuses == rejected or (outputs[0].code and statuses == ["succeeded", "succeeded"]), statuses


class Retry(Scenario):
    """`vizier jobs retry` of the first of three finished jobs; the second one sends it around once more."""

    def prepare(self, repository: Repository) -> None:
        repository.write("flow.json", route_flow())
        repository.write("trace", "fix\n")
        repository.vizier("run", "flow.json", "--follow").ok()
        repository.wait_until_quiet()
        repository.write("trace", "")

    def act(self, repository: Repository, vizier: Vizier) -> None:
        vizier("jobs", "retry", repository.job("fix"))

    def verify(self, repository: Repository, outputs: Sequence[Finished]) -> None:
        """All of them rewound or none; as often as each other, whatever became of them then."""
        attempts = {repository.record(repository.job(node))["metadata"]["workflow_node_attempt"] for node in _ROUTE}
        assert len(attempts) == 1, f"half a retry: {attempts}"
        assert outputs[0].code or attempts != {1}, str(outputs[0])


class Cancel(Scenario):
    """`vizier jobs cancel` of a running job that another one waits for."""

    def prepare(self, repository: Repository) -> None:
        long = f"{started('long')}; while [ ! -e relax ]; do sleep 0.02; done"
        repository.write("flow.json", template(command("long", long), command("next", started("next"), ["long"])))
        repository.vizier("run", "flow.json").ok()
        repository.wait(lambda: repository.read("ledger"), "the job to start")

    def act(self, repository: Repository, vizier: Vizier) -> None:
        vizier("jobs", "cancel", repository.job("long"))

    def relax(self, repository: Repository) -> None:
        repository.write("relax", "")

    def verify(self, repository: Repository, outputs: Sequence[Finished]) -> None:
        """A job that was reported as cancelled stays cancelled."""
        if outputs[0].code == 0:
            assert repository.status("long") == "cancelled", str(outputs[0])


class Gc(Scenario):
    """`vizier jobs gc` of a finished run, beside a job that waits."""

    def prepare(self, repository: Repository) -> None:
        repository.write("old.json", template(command("old", started("old")), command("older", "true", ["old"])))
        repository.vizier("run", "old.json", "--follow").ok()
        repository.write("new.json", template(command("new", started("new"))))
        repository.vizier("run", "new.json", "--require-approval").ok()
        repository.wait_until_quiet()

    def act(self, repository: Repository, vizier: Vizier) -> None:
        vizier("jobs", "gc", "--days", "0")

    def relax(self, repository: Repository) -> None:
        """The operator tries again."""
        repository.vizier("jobs", "gc", "--days", "0").ok()

    def verify(self, repository: Repository, outputs: Sequence[Finished]) -> None:
        """Everything of the old run is gone, down to its artifacts and its manifest, and nothing of the new one."""
        assert repository.status("new") == "succeeded"
        records = repository.records().values()
        assert not {"old", "older"} & {record["metadata"]["workflow_node_id"] for record in records}
        known = {record["metadata"]["workflow_run_id"] for record in records}
        named = repository.jobs_root.rglob("*run_*")
        orphans = [path for path in named if not any(run_id in path.name for run_id in known)]
        orphans += [path for path in repository.jobs_root.rglob("*") if path.is_dir() and not any(path.iterdir())]
        assert not orphans, f"left behind: {orphans}"


class Clean(Gc):
    """`vizier clean` of a finished run, beside a job that waits."""

    def act(self, repository: Repository, vizier: Vizier) -> None:
        vizier("clean", "--yes", repository.job("old"))

    def relax(self, repository: Repository) -> None:
        """The operator tries again, if there is still a job to name; what has no job any more is for the collector."""
        left = [job_id for job_id, record in repository.records().items() if record["status"] == "succeeded"]
        if left:
            repository.vizier("clean", "--yes", left[0]).ok()
        repository.vizier("jobs", "gc").ok()


class Ephemeral(Scenario):
    """A run whose traces are removed once it has ended, beside files of the project."""

    def prepare(self, repository: Repository) -> None:
        repository.write(".vizier/tmp/mine", "kept")
        repository.write("later.json", template(command("later", started("later"))))
        repository.write(
            "flow.json",
            template(
                command("one", f"{started('one')}; echo >.vizier/tmp/scratch"),
                command("two", started("two"), ["one"]),
            ),
        )

    def act(self, repository: Repository, vizier: Vizier) -> None:
        vizier("run", "flow.json", "--ephemeral", "--follow")

    def relax(self, repository: Repository) -> None:
        """The next run takes up a clean-up that was interrupted."""
        repository.wait_until_quiet()
        repository.vizier("run", "later.json", "--follow").ok()

    def verify(self, repository: Repository, outputs: Sequence[Finished]) -> None:
        """Nothing of the run is left, once somebody has run something else, and everything that is not of the run."""
        repository.write("last.json", template(command("last", started("last"))))
        repository.vizier("run", "last.json", "--follow").ok()
        records = repository.records().values()
        assert not {"one", "two"} & {record["metadata"]["workflow_node_id"] for record in records}
        assert repository.read(".vizier/tmp/mine") == "kept"
        # A manifest may have lost its last job to a clean-up that was killed just then: that one is for the collector.
        repository.vizier("jobs", "gc", "--days", "0").ok()
        assert list((repository.jobs_root / "runs").iterdir()) == []


class View(Scenario):
    """The commands that only look, with so many finished jobs that the index is written; a full disk stops none."""

    def prepare(self, repository: Repository) -> None:
        repository.write("flow.json", template(*(command(f"n{i}", started(f"n{i}")) for i in range(70))))
        repository.vizier("run", "flow.json").ok()
        repository.wait(lambda: set(repository.statuses().values()) <= TERMINAL, "the run to end")

    def act(self, repository: Repository, vizier: Vizier) -> None:
        vizier("jobs", "list", "--all")
        vizier("jobs", "show", repository.job("n0"))
        vizier("jobs", "tail", repository.job("n0"))

    def verify(self, repository: Repository, outputs: Sequence[Finished]) -> None:
        assert [done.code for done in outputs if done.code not in {0, -9, 130}] == [], "\n".join(map(str, outputs))
