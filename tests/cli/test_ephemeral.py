"""Ephemeral runs: what they leave, and what they must not take with them."""

import signal
from pathlib import Path

from support.flows import command, template
from support.repository import Repository


def _flow(repository: Repository, *nodes: dict[str, object]) -> str:
    """A template outside of `.vizier`, which the run may then make and remove as a whole."""
    repository.write("flow.json", template(*nodes))
    return "./flow.json"


def _tree(root: Path) -> set[str]:
    return {str(path.relative_to(root)) for path in root.rglob("*")}


def test_ws_02_12_nothing_is_left_of_a_run_in_a_repository_that_did_not_know_vizier(repository: Repository) -> None:
    flow = _flow(
        repository,
        command(
            "make",
            "mkdir -p .vizier/tmp/deep/er && echo x > .vizier/tmp/deep/er/scratch && echo n > .vizier/narrative.md",
        ),
        command("end", "true", after=["make"]),
    )
    before = _tree(repository.path)
    done = repository.vizier("run", flow, "--ephemeral", "--follow", "--format", "json").ok().json()
    # `narrative.md` is in no directory that runs share; a file like that is the user's, whoever wrote it.
    assert _tree(repository.path) - before == {".vizier", ".vizier/narrative.md"}
    assert done["ephemeral_cleanup"]["state"] == "completed"


def test_ws_02_11_files_of_others_that_appear_meanwhile_stay(repository: Repository) -> None:
    """The user writes a file while the run waits; no node was at work then."""
    repository.write(".vizier/narrative/old.md", "old")
    flow = _flow(
        repository,
        command("own", "echo mine > .vizier/narrative/made.md"),
        command(
            "wait",
            "until [ -e go ]; do sleep 0.02; done",
            after=["own"],
            gates=[{"kind": "approval", "required": True}],
        ),
    )
    follower = repository.start("run", flow, "--ephemeral", "--follow")
    repository.wait(lambda: repository.records() and repository.status("wait") == "waiting_on_approval", "the gate")
    assert repository.read(".vizier/narrative/made.md") == "mine\n"
    repository.write(".vizier/narrative/users.md", "precious")
    repository.write("go", "")
    repository.vizier("jobs", "approve", repository.job("wait")).ok()
    assert follower.wait(60) == 0, follower.communicate()
    follower.communicate()
    assert sorted(path.name for path in (repository.path / ".vizier/narrative").iterdir()) == ["old.md", "users.md"]


def test_ws_03_16_links_to_directories_outside_are_removed_but_not_followed(repository: Repository) -> None:
    outside = repository.base / "outside"
    outside.mkdir()
    (outside / "precious").write_text("x")
    flow = _flow(repository, command("link", f"mkdir -p .vizier/tmp && ln -s {outside} .vizier/tmp/way-out"))
    repository.vizier("run", flow, "--ephemeral", "--follow").ok()
    assert (outside / "precious").read_text() == "x"
    assert not (repository.path / ".vizier").exists()


def test_ws_01_37_the_run_of_a_killed_follower_is_cleaned_by_the_next_full_tick(repository: Repository) -> None:
    flow = _flow(repository, command("wait", "until [ -e go ]; do sleep 0.02; done"))
    follower = repository.start("run", flow, "--ephemeral", "--follow")
    repository.wait(lambda: repository.records() and repository.status("wait") == "running", "the worker")
    follower.send_signal(signal.SIGKILL)
    follower.communicate()
    repository.write("go", "")
    repository.wait_until_quiet()
    assert repository.status("wait") == "succeeded"
    other = _flow(repository, command("other", "true"))
    repository.vizier("run", other, "--follow").ok()
    assert [record["metadata"]["workflow_node_id"] for record in repository.records().values()] == ["other"]


def test_a_followed_run_is_left_to_its_follower(repository: Repository) -> None:
    """Ruling R14: a full tick of somebody else does not take the run away under the follower."""
    flow = _flow(
        repository, command("quick", "true"), command("wait", "until [ -e go ]; do sleep 0.02; done", after=["quick"])
    )
    follower = repository.start("run", flow, "--ephemeral", "--follow", "--format", "json")
    repository.wait(lambda: repository.records() and repository.status("wait") == "running", "the worker")
    follower.send_signal(signal.SIGSTOP)
    repository.write("go", "")
    repository.wait(lambda: repository.status("wait") == "succeeded", "the end of the run")
    repository.vizier("run", _flow(repository, command("other", "true")), "--follow").ok()
    assert repository.status("quick") == "succeeded"
    follower.send_signal(signal.SIGCONT)
    out, err = follower.communicate(timeout=60)
    assert follower.returncode == 0, err
    assert '"state": "completed"' in out
    assert [record["metadata"]["workflow_node_id"] for record in repository.records().values()] == ["other"]


def test_what_cannot_be_removed_is_noted_and_stops_nobody(repository: Repository) -> None:
    sentinel = {"merge_sentinel": {"slug": "tidy"}}
    node = command("n", "mkdir -p .vizier/tmp/merge-conflicts/tidy.json/in-the-way", produces={"succeeded": [sentinel]})
    contracts = [{"id": "merge_sentinel", "version": "v1"}]
    repository.write("flow.json", template(node, artifact_contracts=contracts))
    done = repository.vizier("run", "./flow.json", "--ephemeral", "--follow", "--format", "json").ok().json()
    cleanup = done["ephemeral_cleanup"]
    assert cleanup["state"] == "degraded"
    assert "unable to remove" in cleanup["detail"]
    assert "tidy.json" in cleanup["detail"]
    assert not repository.records()
