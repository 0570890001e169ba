"""The help of one flow: what it takes, and how to run it (spec 08 §5.4)."""

from collections.abc import Iterable

from vizier_cli.cli.commands import GLOBAL_OPTIONS
from vizier_cli.cli.declarations import Command, Option
from vizier_kernel.template import InputSpec, sample_value

#: Listed in this order (spec 08 §5.4); the declarations say what they do.
_RUN_OPTIONS = (
    *("set", "check", "spec-dir", "after", "ephemeral", "require-approval", "no-require-approval", "follow"),
    *("repeat", "format"),
)


def flow_help(label: str, selector: str, inputs: InputSpec, command: Command) -> str:
    """The text.

    Args:
        label: what the operator calls the flow.
        selector: where it comes from.
        inputs: what it takes.
        command: the declaration of `run`.
    """
    run = f"vizier run {label}"
    sections = [
        [f"Workflow: {label}", f"Source: {selector}"],
        ["Usage:", *_indented(_usages(run, inputs))],
        ["Inputs:", *_indented(_inputs(inputs))],
        ["Examples:", *_indented(_examples(run, inputs))],
        ["Run options:", *_indented(_run_options(command))],
    ]
    return "\n\n".join("\n".join(lines) for lines in sections) + "\n"


def _usages(run: str, inputs: InputSpec) -> Iterable[str]:
    if not inputs.has_cli:
        yield f"{run} [--set <KEY=VALUE>]..."
        return
    if inputs.positional:
        yield " ".join([run, *(f"<{inputs.label(param)}>" for param in inputs.positional)])
    labels = [inputs.label(param) for param in inputs.ordered_params()]
    yield " ".join([run, *(f"[--{name} <{name}>]" for name in labels)])


def _inputs(inputs: InputSpec) -> Iterable[str]:
    if not inputs.has_cli:
        yield "No [cli] aliases are defined; pass parameters with --set key=value."
        if inputs.params:
            yield f"Known params: {', '.join(inputs.params)}"
        return
    if inputs.positional:
        yield "Positional:"
        for number, param in enumerate(inputs.positional, start=1):
            yield f"  {number}. <{inputs.label(param)}>{_target(inputs.label(param), param)}"
    yield "Named:"
    for flag, param in inputs.named_inputs():
        yield f"  --{flag} <{flag}>{_target(flag, param)}"


def _target(label: str, param: str) -> str:
    """Which parameter an input sets, where its label does not say so."""
    return "" if label in {param, param.replace("_", "-")} else f" -> {param}"


def _examples(run: str, inputs: InputSpec) -> Iterable[str]:
    if not inputs.has_cli:
        yield f"{run} --set {inputs.params[0]}=value" if inputs.params else f"{run} --check"
        return
    labels = [inputs.label(param) for param in inputs.ordered_params()[:2]]
    yield " ".join([run, *(f"--{label} {sample_value(label)}" for label in labels)])
    if inputs.positional:
        samples = [sample_value(inputs.label(param)) for param in inputs.positional[:2]]
        yield " ".join([run, *samples])
    if "spec_file" in inputs.params:
        yield f"{run} --spec-dir specs/"
        yield f"{run} --spec-dir specs/ --follow"


def _run_options(command: Command) -> Iterable[str]:
    declared = {option.name: option for option in command.options}
    rows = [(_spelled(declared[name]), declared[name].help) for name in _RUN_OPTIONS if name in declared]
    width = max(len(spelled) for spelled, _ in rows)
    for spelled, text in rows:
        yield f"{spelled:<{width}}  {text}"
    yield "Global options: " + ", ".join(option.flag for option in GLOBAL_OPTIONS if not option.hidden)


def _spelled(option: Option) -> str:
    return f"{option.flag} <{'|'.join(option.choices)}>" if option.choices else option.usage


def _indented(lines: Iterable[str]) -> Iterable[str]:
    return (f"  {line}" for line in lines)
