"""Workflow templates: decoding, composition, inputs, expansion, validation, compilation and audit (spec 04).

The steps of a command, in order (spec 04 §1)::

    loaded = decode_template(tree, origin=path)
    composed = compose(loaded, load)
    inputs = resolve_inputs(input_spec(composed), selector, set_tokens, positionals)
    expanded = expand(composed, inputs.overrides)
    preflight(expanded, selector, alias)
    expanded = with_spec_texts(expanded, {file.node_id: read(file) for file in spec_files(expanded)})
    workflow = compile_workflow(expanded, run_id=run_id)
    report = audit_workflow(workflow)

Whatever is wrong is a `TemplateError` whose message is made for the operator. What is only doubtful is a
`TemplateWarning` in the results.
"""

from vizier_kernel.template.audit import AuditReport, NodeLocks, UntetheredInput, audit_workflow
from vizier_kernel.template.capabilities import (
    CAPABILITIES,
    Capability,
    Control,
    ControlPolicy,
    Executor,
    ExecutorClass,
    Operation,
)
from vizier_kernel.template.compile import (
    CompiledNode,
    CompiledWorkflow,
    NodeSchedule,
    compile_node,
    compile_workflow,
    effective_artifact,
)
from vizier_kernel.template.compose import Composed, Load, compose
from vizier_kernel.template.decode import decode_template
from vizier_kernel.template.errors import ImportedTemplateError, TemplateError
from vizier_kernel.template.expand import Expanded, expand
from vizier_kernel.template.inputs import (
    InputSpec,
    ResolvedInputs,
    input_spec,
    kebab,
    resolve_inputs,
    sample_value,
)
from vizier_kernel.template.model import (
    BranchExists,
    KeyPath,
    LoadedTemplate,
    PinnedHead,
    Position,
    Positions,
    Precondition,
    Template,
    TemplateWarning,
)
from vizier_kernel.template.preflight import preflight
from vizier_kernel.template.spec_files import SpecFile, spec_files, with_spec_texts

__all__ = [
    "CAPABILITIES",
    "AuditReport",
    "BranchExists",
    "Capability",
    "CompiledNode",
    "CompiledWorkflow",
    "Composed",
    "Control",
    "ControlPolicy",
    "Executor",
    "ExecutorClass",
    "Expanded",
    "ImportedTemplateError",
    "InputSpec",
    "KeyPath",
    "Load",
    "LoadedTemplate",
    "NodeLocks",
    "NodeSchedule",
    "Operation",
    "PinnedHead",
    "Position",
    "Positions",
    "Precondition",
    "ResolvedInputs",
    "SpecFile",
    "Template",
    "TemplateError",
    "TemplateWarning",
    "UntetheredInput",
    "audit_workflow",
    "compile_node",
    "compile_workflow",
    "compose",
    "decode_template",
    "effective_artifact",
    "expand",
    "input_spec",
    "kebab",
    "preflight",
    "resolve_inputs",
    "sample_value",
    "spec_files",
    "with_spec_texts",
]
