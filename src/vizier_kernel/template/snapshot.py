"""The policy snapshot: what matters about a template, as canonical JSON, and its hash (spec 04 §17).

Two templates with the same snapshot run the same way. Order of nodes and contracts does not matter, display names,
parameters and the command line neither.
"""

import hashlib
from collections.abc import Iterable

import msgspec

from vizier_kernel.artifacts import Artifact
from vizier_kernel.template.canonical import canonical_json
from vizier_kernel.template.expand import Expanded
from vizier_kernel.template.model import ArtifactContract, ExpandedNode, Precondition
from vizier_kernel.workflow import Gate


def snapshot_bytes(expanded: Expanded) -> bytes:
    """The snapshot, byte for byte what is hashed."""
    template, policy = expanded.composed.template, expanded.policy
    contracts = sorted(expanded.artifact_contracts, key=lambda contract: contract.id)
    return msgspec.json.encode(
        {
            "template_id": template.id,
            "template_version": template.version,
            "failure_mode": policy.failure_mode,
            "resume": {"key": policy.resume.key, "reuse_mode": policy.resume.reuse_mode},
            "dependencies": {"missing_producer": policy.dependencies.missing_producer},
            "artifact_contracts": [_contract(contract) for contract in contracts],
            "nodes": [_node(node) for node in sorted(expanded.nodes, key=lambda node: node.id)],
        }
    )


def snapshot_hash(expanded: Expanded) -> str:
    """SHA-256 of the snapshot in lower-case hexadecimal."""
    return hashlib.sha256(snapshot_bytes(expanded)).hexdigest()


def _contract(contract: ArtifactContract) -> dict[str, object]:
    plain: dict[str, object] = {"id": contract.id, "version": contract.version}
    if contract.schema is not None:
        plain["schema"] = msgspec.Raw(canonical_json(contract.schema).encode())
    return plain


def _node(node: ExpandedNode) -> dict[str, object]:
    return {
        "id": node.id,
        "kind": node.kind,
        "uses": node.uses,
        "args": dict(sorted(node.args.items())),
        "after": [
            {"node_id": after.node_id, "policy": after.policy}
            for after in sorted(node.after, key=lambda after: after.node_id)
        ],
        "needs": _labels(node.needs),
        "produces": {outcome: _labels(artifacts) for outcome, artifacts in node.produces.items()},
        "locks": [{"key": key, "mode": mode} for key, mode in sorted({(lock.key, lock.mode) for lock in node.locks})],
        "preconditions": _labels(node.preconditions),
        "gates": _labels(node.gates),
        "retry": {"mode": node.retry.mode, "budget": node.retry.budget},
        "on": {outcome: sorted(set(targets)) for outcome, targets in node.on.items()},
    }


def _labels(items: Iterable[Artifact | Gate | Precondition]) -> list[str]:
    return sorted({item.label for item in items})
