"""Which branch a node works on, and what it says if there cannot be one (spec 06 §§6.2, 7.3)."""

import json

import pytest

from support.flows import Node, builtin, template
from support.repository import Repository


def enqueue(repository: Repository, node: Node, *options: str) -> str:
    """Starts a run of one node; the job."""
    flow = repository.write(".git/flow.json", template(node))
    repository.vizier("run", f"file:{flow.relative_to(repository.path)}", *options).ok()
    return repository.job(node["id"])


def summary(repository: Repository, node_id: str) -> str:
    repository.wait_status(node_id, "succeeded", "failed")
    repository.wait_until_quiet()
    return str(json.loads(repository.log(node_id, "stdout"))["summary"])


def test_06_7_3_a_recorded_branch_goes_before_the_plan_of_the_arguments(repository: Repository) -> None:
    job = enqueue(repository, builtin("prepare", "worktree.prepare", {"slug": "one"}), "--require-approval")
    record = repository.record(job)
    record["metadata"]["branch"] = "topic"
    repository.write(f".vizier/jobs/{job}/job.json", json.dumps(record))
    repository.vizier("jobs", "approve", job).ok()
    assert summary(repository, "prepare") == "worktree prepared"
    assert repository.git("branch", "--list", "--format=%(refname:short)").split() == ["main", "topic"]


@pytest.mark.parametrize(
    ("operation", "more"), [("worktree.prepare", {}), ("plan.persist", {"spec_text": "Tidy up", "slug": "tidy"})]
)
def test_06_6_2_a_branch_that_cannot_be_created_is_named(
    operation: str, more: dict[str, str], repository: Repository
) -> None:
    enqueue(repository, builtin("bad", operation, {"branch": "no..good", **more}))
    expected = f"{operation} could not ensure branch `no..good`: unable to create local branch `no..good`: "
    assert summary(repository, "bad").startswith(expected)
    repository.git("update-ref", "-d", "HEAD")
    enqueue(repository, builtin("unborn", operation, {"branch": "fine", **more}))
    assert "unable to create local branch `fine`: " in summary(repository, "unborn")
