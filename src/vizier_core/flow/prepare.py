"""The way from a FLOW and its inputs to an expanded template, for `run`, `audit` and flow help (spec 04 §1).

Every file is read once per command, so a template that is edited meanwhile is not taken in twice (WS-04-09).
"""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import msgspec

from vizier_core.errors import TemplateSourceError, VizierError
from vizier_core.flow.formats import read_tree
from vizier_core.flow.resolve import FlowResolver, FlowSource
from vizier_kernel.template import (
    CompiledWorkflow,
    Composed,
    Expanded,
    InputSpec,
    LoadedTemplate,
    TemplateError,
    TemplateWarning,
    compile_workflow,
    compose,
    decode_template,
    expand,
    input_spec,
    preflight,
    resolve_inputs,
    spec_files,
    with_spec_texts,
)

#: A spec file larger than this is refused: its text is copied into the job's data (WS-04-19), in bytes.
SPEC_FILE_LIMIT = 4 * 1024 * 1024


class FlowError(VizierError):
    """A template, its inputs or its spec files are not right; nothing was written."""


class LoadedFlow(msgspec.Struct, frozen=True):
    """A flow whose files were read and composed."""

    source: FlowSource
    composed: Composed
    inputs: InputSpec

    @property
    def warnings(self) -> tuple[TemplateWarning, ...]:
        """What is doubtful in the files."""
        return self.composed.warnings


class GivenFlow(msgspec.Struct, frozen=True):
    """A flow and what the operator gave for it."""

    flow: LoadedFlow
    #: Values by parameter.
    overrides: Mapping[str, str]
    #: What is doubtful in what was given.
    warnings: tuple[TemplateWarning, ...]


class PreparedFlow(msgspec.Struct, frozen=True):
    """A flow with its inputs, expanded and complete."""

    source: FlowSource
    expanded: Expanded

    def compile(self, run_id: str | None = None, *, runnable: bool = True) -> CompiledWorkflow:
        """Validates and compiles all nodes (spec 04 §13, §15).

        Args:
            run_id: of the run to be enqueued; None if nothing will be.
            runnable: also refuse what only an audit accepts (ruling R52).

        Raises:
            FlowError: the first rule that is broken.
        """
        try:
            return compile_workflow(self.expanded, run_id=run_id, runnable=runnable)
        except TemplateError as error:
            raise FlowError(str(error)) from None


def load_flow(resolver: FlowResolver, flow: str) -> LoadedFlow:
    """Finds, reads and composes a flow.

    Raises:
        TemplateSourceError: there is no such flow, or one of its files cannot be read or parsed.
        FlowError: the files do not fit together.
    """
    source = resolver.resolve(flow)
    loaded: dict[Path, LoadedTemplate] = {}

    def load(path: Path) -> LoadedTemplate:
        if path not in loaded:
            loaded[path] = _load(path)
        return loaded[path]

    def load_import(path: str, importing_file: str) -> LoadedTemplate:
        try:
            return load(resolver.import_path(path, importing_file))
        except TemplateSourceError as error:
            raise TemplateError(str(error)) from None

    try:
        composed = compose(load(source.path), load_import)
        return LoadedFlow(source, composed, input_spec(composed))
    except TemplateError as error:
        raise FlowError(str(error)) from None


def give_inputs(
    flow: LoadedFlow, set_tokens: Sequence[str], inputs: Sequence[str], options: Collection[str] = ()
) -> GivenFlow:
    """Maps what was typed to the parameters of a flow (spec 04 §8).

    Args:
        flow: the flow.
        set_tokens: `KEY=VALUE` texts in order.
        inputs: positional inputs in order.
        options: names of the command's options, one of which may have been meant by an unknown parameter.

    Raises:
        FlowError: an input is malformed, unknown or given twice.
    """
    try:
        resolved = resolve_inputs(flow.inputs, flow.source.selector, set_tokens, inputs, options)
    except TemplateError as error:
        raise FlowError(str(error)) from None
    return GivenFlow(flow, resolved.overrides, resolved.warnings)


def prepare_flow(given: GivenFlow, root: Path, item: Mapping[str, str] | None = None) -> PreparedFlow:
    """Applies the inputs of a flow, expands it and takes in its spec files.

    Args:
        given: the flow and its inputs.
        root: the project root, which spec files are relative to.
        item: what a batch item sets, on top of the inputs.

    Raises:
        FlowError: an input does not fit or is missing, or a spec file cannot be read.
    """
    flow = given.flow
    try:
        expanded = expand(flow.composed, {**given.overrides, **(item or {})})
        preflight(expanded, flow.source.selector, flow.source.alias)
    except TemplateError as error:
        raise FlowError(str(error)) from None
    texts = {wanted.node_id: _read_spec(root, wanted.path, wanted.node_id) for wanted in spec_files(expanded)}
    return PreparedFlow(flow.source, with_spec_texts(expanded, texts))


def _load(path: Path) -> LoadedTemplate:
    tree = read_tree(path)
    try:
        template = decode_template(tree.value, origin=str(path), positions=tree.positions)
    except TemplateError as error:
        raise TemplateSourceError(f"invalid {tree.format} template {path}: {error}") from None
    return msgspec.structs.replace(template, warnings=(*tree.warnings, *template.warnings))


def _read_spec(root: Path, path: str, node_id: str) -> str:
    problem = f"could not read spec file {path} for node `{node_id}`"
    try:
        with open(root / path, "rb") as file:
            data = file.read(SPEC_FILE_LIMIT + 1)
    except (OSError, ValueError) as error:
        raise FlowError(f"{problem}: {getattr(error, 'strerror', None) or error}") from None
    if len(data) > SPEC_FILE_LIMIT:
        raise FlowError(f"{problem}: larger than {SPEC_FILE_LIMIT // 1024 // 1024} MiB; shorten it or split the work")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise FlowError(f"{problem}: not valid UTF-8 at byte {error.start}") from None
