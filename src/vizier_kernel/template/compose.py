"""Composition: imported templates become stages of one big template (spec 04 §7).

Only structure is touched, placeholders stay. Reading files is left to a function that the caller gives.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

import msgspec

from vizier_kernel.scheduler.model import MissingProducer
from vizier_kernel.template.canonical import canonical_json
from vizier_kernel.template.cycles import find_cycle
from vizier_kernel.template.errors import ImportedTemplateError, TemplateError
from vizier_kernel.template.handlers import failure_handlers
from vizier_kernel.template.model import (
    After,
    ArtifactContract,
    Import,
    KeyPath,
    LoadedTemplate,
    Node,
    NodeOrigin,
    Template,
    TemplateWarning,
    imported_as,
)

#: Loads an imported file, given the path as written (trimmed) and the origin of the importing file. The origin of the
#: result must be canonical, as imports in circles are recognised by it. Must raise TemplateError if it fails.
Load = Callable[[str, str], LoadedTemplate]

#: Imports may nest this deep. Far more than anybody writes, and well within what recursion can do.
NESTING_LIMIT: Final = 50

#: A composed template may have this many nodes. Each becomes a job and a process, so more is surely a mistake, such as
#: files that import each other twice on every level.
NODE_LIMIT: Final = 20_000

_NOT_IN_PREFIX: Final = re.compile(r"[^A-Za-z0-9_-]")
_UNDERSCORES: Final = re.compile(r"__+")


class OverruledPolicy(msgspec.Struct, frozen=True):
    """What the file of a stage says about missing producers, and the importing file does not (WS-04-12)."""

    stage: str
    missing_producer: MissingProducer


class Composed(msgspec.Struct, frozen=True, kw_only=True):
    """A template without imports, and where its nodes came from."""

    template: Template
    #: For each node the parameters of the file it was written in (spec 04 §7.5).
    lock_scopes: Mapping[str, Mapping[str, str]]
    #: Where each node was written, in the order of the nodes.
    origins: tuple[NodeOrigin, ...]
    #: The file that imports all others.
    origin: str
    warnings: tuple[TemplateWarning, ...] = ()
    #: Stages that ask for something else about missing producers than the importing file, in import order.
    overruled: tuple[OverruledPolicy, ...] = ()


class _Stage(msgspec.Struct, frozen=True, kw_only=True):
    """An imported template whose nodes have got their composed ids."""

    name: str
    nodes: tuple[Node, ...]
    origins: tuple[NodeOrigin, ...]
    #: Nodes that nothing in the stage follows, and nodes that follow nothing, by composed id.
    terminals: tuple[str, ...]
    entries: tuple[str, ...]
    #: Nodes that only the failure of another node leads to.
    handlers: frozenset[str]
    params: Mapping[str, str]
    contracts: tuple[ArtifactContract, ...]
    missing_producer: MissingProducer
    warnings: tuple[TemplateWarning, ...]


def compose(root: LoadedTemplate, load: Load) -> Composed:
    """Merges a template with everything it imports.

    Raises:
        TemplateError: an import cannot be loaded, stages do not fit together, or imports or links run in a circle.
            Errors inside imported files are `ImportedTemplateError`, whose message names the chain of imports.
    """
    return _Composer(load).compose(root, [root.origin], [])


class _Composer:
    """Composes files recursively, each only once however often it is imported."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self._composed: dict[str, Composed] = {}

    def compose(self, loaded: LoadedTemplate, files: list[str], chain: list[str]) -> Composed:
        """Composes one file; `files` leads to it and includes it, `chain` has the names of the imports on the way."""
        template = loaded.template
        origins = tuple([NodeOrigin(loaded, index) for index in range(len(template.nodes))])
        if not template.imports:
            return Composed(
                template=msgspec.structs.replace(template, links=()),
                lock_scopes={node.id: template.params for node in template.nodes},
                origins=origins,
                origin=loaded.origin,
                warnings=loaded.warnings,
            )
        stages: dict[str, _Stage] = {}
        for index, entry in enumerate(template.imports):
            name = entry.name.strip()
            if not name or name in stages:
                problem = f"a duplicate import name `{name}`" if name else f"an import with empty name (`{entry.path}`)"
                raise _error(loaded, ("imports", index), f"template {template.identity} has {problem}")
            stages[name] = self._import(entry, files, [*chain, name])
        links = [_resolve(loaded, index, stages) for index in range(len(template.links))]
        _check_links(loaded, links)
        merged, scopes = _merge(loaded, stages.values())
        merged, doubts = _connect(merged, links, loaded)
        warnings = [*loaded.warnings, *(warning for stage in stages.values() for warning in stage.warnings), *doubts]
        return Composed(
            template=merged,
            lock_scopes=scopes,
            origins=(*origins, *(origin for stage in stages.values() for origin in stage.origins)),
            origin=loaded.origin,
            warnings=tuple(dict.fromkeys(warnings)),
            overruled=tuple(
                [
                    OverruledPolicy(stage.name, stage.missing_producer)
                    for stage in stages.values()
                    if stage.missing_producer is not template.policy.dependencies.missing_producer
                ]
            ),
        )

    def _import(self, entry: Import, files: list[str], chain: list[str]) -> _Stage:
        """Loads and composes an imported file and makes a stage of it (spec 04 §§7.1, 7.2)."""
        try:
            loaded = self._load(entry.path.strip(), files[-1])
            origin = loaded.origin
            if origin in files:
                circle = " -> ".join((*files[files.index(origin) :], origin))
                raise ImportedTemplateError(f"workflow import cycle detected: {circle}")
            if len(chain) > NESTING_LIMIT:
                raise _error(loaded, (), f"imports nest more than {NESTING_LIMIT} levels deep")
            if origin not in self._composed:
                self._composed[origin] = self.compose(loaded, [*files, origin], chain)
            return _stage(chain[-1], self._composed[origin], loaded)
        except ImportedTemplateError:
            raise
        except TemplateError as error:
            raise ImportedTemplateError(f"{error}{imported_as(chain)}") from error


def _error(loaded: LoadedTemplate, path: KeyPath, problem: str) -> TemplateError:
    return TemplateError(f"{problem}\nat {loaded.place(path)}")


# Stages (spec 04 §7.2)


def _stage(name: str, composed: Composed, loaded: LoadedTemplate) -> _Stage:
    """Renames the nodes of an imported template and everything that refers to them."""
    template = composed.template
    if not template.nodes:
        raise _error(loaded, (), f"imported stage `{name}` has no nodes")
    prefix = stage_prefix(name)
    ids = {node.id: f"{prefix}__{node.id}" for node in template.nodes}
    if len(ids) != len(template.nodes):
        raise TemplateError(f"imported stage `{name}` has duplicate node ids: {_repeated(composed)}")
    nodes = tuple([_renamed(node, ids, name, at) for node, at in zip(template.nodes, composed.origins, strict=True)])
    succeeding = {target for node in nodes for target in node.on.succeeded}
    first = tuple(node.id for node in nodes if node.id not in succeeding)
    waiting = {node.id for node in nodes if node.after}
    return _Stage(
        name=name,
        nodes=nodes,
        origins=tuple([NodeOrigin(origin.loaded, origin.index, (name, *origin.chain)) for origin in composed.origins]),
        terminals=tuple(node.id for node in nodes if not node.on.succeeded),
        entries=tuple(node_id for node_id in first if node_id not in waiting) or first,
        handlers=failure_handlers(nodes),
        params=template.params,
        contracts=template.artifact_contracts,
        missing_producer=template.policy.dependencies.missing_producer,
        warnings=composed.warnings,
    )


def _repeated(composed: Composed) -> str:
    """The ids that more than one node has, and where the first of them is there again."""
    seen: set[str] = set()
    repeated: dict[str, NodeOrigin] = {}
    for node, origin in zip(composed.template.nodes, composed.origins, strict=True):
        if node.id in seen:
            repeated.setdefault(node.id, origin)
        seen.add(node.id)
    return f"{', '.join(f'`{node_id}`' for node_id in repeated)}\n{next(iter(repeated.values()))}"


def stage_prefix(name: str) -> str:
    """What the ids of a stage's nodes begin with."""
    return _UNDERSCORES.sub("_", _NOT_IN_PREFIX.sub("_", name)).strip("_")


def _renamed(node: Node, ids: Mapping[str, str], stage: str, origin: NodeOrigin) -> Node:
    def renamed(target: str, reference: str) -> str:
        if target not in ids:
            problem = f"imported stage `{stage}` node `{node.id}` references unknown {reference} `{target}`"
            raise TemplateError(f"{problem}\n{origin}")
        return ids[target]

    return msgspec.structs.replace(
        node,
        id=ids[node.id],
        after=tuple([After(renamed(after.node_id, "after node"), after.policy) for after in node.after]),
        on=node.on.map(lambda outcome, targets: [renamed(target, f"`{outcome}` target") for target in targets]),
    )


# Links (spec 04 §7.3)


class _Link(msgspec.Struct, frozen=True):
    """A link whose ends were found."""

    source: _Stage
    target: _Stage
    #: Which of the links of the file it is, from 0.
    index: int


def _resolve(loaded: LoadedTemplate, index: int, stages: Mapping[str, _Stage]) -> _Link:
    link = loaded.template.links[index]
    identity = loaded.template.identity
    ends = (link.source.strip(), link.target.strip())
    if not all(ends):
        problem = f"template {identity} has a link with empty endpoint: `{link.source}` -> `{link.target}`"
        raise _error(loaded, ("links", index), problem)
    for name in ends:
        if name not in stages:
            problem = f"template {identity} link references unknown stage `{name}`; known: {', '.join(stages)}"
            raise _error(loaded, ("links", index), problem)
    return _Link(stages[ends[0]], stages[ends[1]], index)


def _check_links(loaded: LoadedTemplate, links: Sequence[_Link]) -> None:
    edges: dict[str, list[str]] = {}
    for link in links:
        edges.setdefault(link.source.name, []).append(link.target.name)
    circle = find_cycle({name: sorted(targets) for name, targets in edges.items()}, sorted(edges))
    if circle is not None:
        raise _error(loaded, ("links",), f"workflow link cycle detected: {' -> '.join(circle)}")


def _connect(
    template: Template, links: Sequence[_Link], loaded: LoadedTemplate
) -> tuple[Template, list[TemplateWarning]]:
    """Lets the entry nodes of each link's target wait for the terminal nodes of its source."""
    predecessors: dict[str, dict[str, None]] = {}
    warnings = []
    for link in links:
        source, target = link.source, link.target
        if not source.terminals:
            raise _error(loaded, ("links", link.index), f"stage `{source.name}` has no terminal nodes to link from")
        if not target.entries:
            raise _error(loaded, ("links", link.index), f"stage `{target.name}` has no entry nodes to link to")
        for entry in target.entries:
            predecessors.setdefault(entry, {}).update(dict.fromkeys(source.terminals))
        warnings += [
            TemplateWarning(
                f"the link from `{source.name}` to `{target.name}` also waits for `{handler}`, "
                "which is there for failures of other nodes",
                loaded.place(("links", link.index)),
            )
            for handler in source.terminals
            if handler in source.handlers
        ]
    nodes = tuple([_waiting(node, predecessors.get(node.id, {})) for node in template.nodes])
    return msgspec.structs.replace(template, nodes=nodes), warnings


def _waiting(node: Node, predecessors: Mapping[str, None]) -> Node:
    present = {after.node_id for after in node.after}
    added = [After(node_id) for node_id in predecessors if node_id not in present]
    return msgspec.structs.replace(node, after=(*node.after, *added)) if added else node


# Merging (spec 04 §7.4-7.5)


def _merge(loaded: LoadedTemplate, stages: Iterable[_Stage]) -> tuple[Template, Mapping[str, Mapping[str, str]]]:
    """The importing file's own parts first, then those of the stages in import order."""
    template = loaded.template
    nodes = list(template.nodes)
    params = dict(template.params)
    scopes = {node.id: template.params for node in template.nodes}
    contracts = list(template.artifact_contracts)
    known = {contract.id: contract for contract in contracts}
    for index, stage in enumerate(stages):
        nodes += stage.nodes
        conflict = _merge_params(params, stage)
        for node in stage.nodes:
            if scopes.setdefault(node.id, stage.params) != stage.params:
                conflict = conflict or f"lock-scope context for node `{node.id}` of stage `{stage.name}`"
        for contract in stage.contracts:
            if contract.id not in known:
                known[contract.id] = contract
                contracts.append(contract)
            elif not _same_contract(known[contract.id], contract):
                conflict = conflict or (
                    f"artifact contract `{contract.id}`: "
                    f"stage `{stage.name}` declares another version or schema than what came before it"
                )
        if conflict:
            raise _error(loaded, ("imports", index), f"conflicting {conflict}")
    if len(nodes) > NODE_LIMIT:
        raise _error(loaded, (), f"template {template.identity} is composed of more than {NODE_LIMIT} nodes")
    merged = msgspec.structs.replace(
        template, nodes=tuple(nodes), params=params, artifact_contracts=tuple(contracts), imports=(), links=()
    )
    return merged, scopes


def _merge_params(params: dict[str, str], stage: _Stage) -> str:
    """Adds the parameters of a stage; the first that has another default already, in words."""
    for key, value in stage.params.items():
        if params.setdefault(key, value) != value:
            return (
                f"parameter default for `{key}`: stage `{stage.name}` says `{value}`, but it is `{params[key]}` already"
            )
    return ""


def _same_contract(one: ArtifactContract, other: ArtifactContract) -> bool:
    # Compared as text, because to Python the different JSON values 1, 1.0 and true are equal.
    return one.version == other.version and canonical_json(one.schema) == canonical_json(other.schema)
