"""The ledger of a scenario: each start of a node's script appends its node and attempt, so a second start shows."""

from typing import NamedTuple

from support.repository import Repository

NAME = "ledger"
_OVERLAPS = "overlaps"


class Start(NamedTuple):
    """A node's script that has begun."""

    node_id: str
    attempt: str


def started(node_id: str) -> str:
    """A shell command that makes the entry, to stand first in the node's script; opens the file with O_APPEND.

    The attempt is read from the job's record, so a script that starts late, after its job was rewound, counts as a
    second start of the new attempt. Node ids must not repeat in a repository.
    """
    attempt = rf"""sed -n 's/.*"workflow_node_attempt": \([0-9]*\).*/\1/p' .vizier/jobs/wf-*-{node_id}/job.json"""
    return f"printf '%s %s\\n' {node_id} \"$({attempt})\" >>{NAME}"


def starts(repository: Repository) -> list[Start]:
    """The entries in order."""
    return [Start(*line.split(" ")) for line in repository.read(NAME).splitlines()]


def alone(node_id: str) -> str:
    """A shell command that notes when another attempt of the node is still at work; the kernel forgets the dead."""
    return f"exec 9>>{node_id}.mutex; flock -n 9 || echo {node_id} >>{_OVERLAPS}"


def overlaps(repository: Repository) -> list[str]:
    """The nodes of which two attempts were at work at the same time (decision D19)."""
    return repository.read(_OVERLAPS).split()
