"""Inputs of a flow: how the command line becomes parameter values (spec 04 §8).

Also what help and messages call the inputs (spec 04 §10, 08 §5.4).
"""

from collections.abc import Collection, Iterable, Mapping, Sequence

import msgspec

from vizier_kernel.suggest import did_you_mean, nearest
from vizier_kernel.template.compose import Composed
from vizier_kernel.template.errors import TemplateError
from vizier_kernel.template.model import TemplateWarning

#: Example values by what the label of an input contains; the first match counts.
_SAMPLES = (
    ("file", "LIBRARY.md"),
    ("path", "LIBRARY.md"),
    ("name", "my-change"),
    ("slug", "my-change"),
    ("source", "draft/my-change"),
    ("target", "main"),
    ("branch", "draft/my-change"),
)


class InputSpec(msgspec.Struct, frozen=True):
    """What can be given to a flow."""

    #: Declared parameters, sorted.
    params: tuple[str, ...]
    #: Parameters set by position.
    positional: tuple[str, ...]
    #: Aliases and the parameters they stand for, sorted by alias.
    named: Mapping[str, str]

    @property
    def has_cli(self) -> bool:
        """Whether the template says anything about its command line."""
        return bool(self.positional or self.named)

    def label(self, param: str) -> str:
        """What the operator calls a parameter: its first alias, else its name; with `-` for `_`."""
        return kebab(next((alias for alias, target in self.named.items() if target == param), param))

    def cli_params(self) -> tuple[str, ...]:
        """Parameters that the command line has a place or an alias for: by position, then by alias."""
        return tuple(dict.fromkeys((*self.positional, *self.named.values())))

    def ordered_params(self) -> tuple[str, ...]:
        """All parameters, those of the command line first."""
        return tuple(dict.fromkeys((*self.cli_params(), *self.params)))

    def named_inputs(self) -> tuple[tuple[str, str], ...]:
        """Flags and the parameters they set: aliases in the order of those, then parameters without an alias."""
        ordered = self.ordered_params()
        rank = {param: index for index, param in enumerate(ordered)}
        aliases = sorted(self.named.items(), key=lambda entry: (rank[entry[1]], entry[0]))
        aliased = set(self.named.values())
        return (
            *((kebab(alias), param) for alias, param in aliases),
            *((kebab(param), param) for param in ordered if param not in aliased),
        )


class ResolvedInputs(msgspec.Struct, frozen=True):
    """Values given by the operator, by parameter."""

    overrides: Mapping[str, str]
    warnings: tuple[TemplateWarning, ...] = ()


def input_spec(composed: Composed) -> InputSpec:
    """The inputs of a composed template: all parameters, and the command line of the root file."""
    cli = composed.template.cli
    named = {alias.strip().replace("-", "_"): cli.named[alias].strip() for alias in sorted(cli.named)}
    return InputSpec(tuple(sorted(composed.template.params)), cli.positional, dict(sorted(named.items())))


def resolve_inputs(
    spec: InputSpec,
    selector: str,
    set_tokens: Iterable[str],
    positionals: Sequence[str],
    options: Collection[str] = (),
) -> ResolvedInputs:
    """Maps what was typed to parameters.

    Args:
        spec: what the flow takes.
        selector: names the flow in messages.
        set_tokens: the values of `--set`, in order.
        positionals: the inputs after the flow, in order.
        options: of the command. What resembles one of them and no parameter was probably meant as that, because `run`
            takes flags that it does not know for parameters.

    Raises:
        TemplateError: something is malformed, unknown or given twice.
    """
    overrides = _parse_set(set_tokens)
    _apply_aliases(spec, selector, overrides)
    _apply_positionals(spec, selector, overrides, positionals)
    undeclared = [name for name in overrides if name not in spec.params]
    known = (*spec.params, *spec.named)
    warnings = tuple(
        TemplateWarning(
            f"workflow `{selector}` does not declare a parameter `{name}`"
            f"{did_you_mean(name, known) or _or_an_option(name, options)}"
        )
        for name in undeclared
    )
    return ResolvedInputs(overrides, warnings)


def _or_an_option(name: str, options: Collection[str]) -> str:
    meant = nearest(name.replace("_", "-"), options)
    return f"; did you mean the option `--{meant}`?" if meant else ""


def missing_inputs_message(spec: InputSpec, flow_label: str, required: Sequence[str]) -> str:
    """The text for an operator who forgot inputs; at least one of the `required` must be given (spec 04 §10).

    Args:
        spec: what the flow takes.
        flow_label: what the operator called the flow.
        required: parameters, or arguments if no parameter stands behind them; at least one.
    """
    command = f"vizier run {flow_label}"
    labels = list(dict.fromkeys(spec.label(name) for name in required))
    shown = spec.cli_params() or tuple(required)
    if spec.positional:
        usage = [f"<{spec.label(name)}>" for name in spec.positional]
    else:
        usage = [f"[--{spec.label(name)} <{spec.label(name)}>]" for name in shown]
    flags = [f"--{spec.label(name)} {sample_value(spec.label(name))}" for name in shown[:2]]
    lines = [
        f"error: missing required {'input' if len(labels) == 1 else 'inputs'} for workflow `{flow_label}`: "
        + ", ".join(labels),
        f"usage: {' '.join((command, *usage))}",
        f"example: {' '.join((command, *flags))}",
    ]
    if spec.positional:
        samples = [sample_value(spec.label(name)) for name in spec.positional]
        lines.append(f"example (positional): {' '.join((command, *samples))}")
    lines.append(f"hint: {command} --help")
    return "\n".join(lines)


def kebab(name: str) -> str:
    """A name as flags spell it."""
    return name.strip().replace("_", "-")


def sample_value(label: str) -> str:
    """An example value for the input of this label."""
    lowered = label.lower()
    return next((sample for part, sample in _SAMPLES if part in lowered), f"example-{kebab(label)}")


def _parse_set(tokens: Iterable[str]) -> dict[str, str]:
    """Values of `--set KEY=VALUE`; the last one wins and keeps all its blanks (weak spot 21 of spec 04 §24)."""
    overrides: dict[str, str] = {}
    for token in tokens:
        key, separator, value = token.partition("=")
        if not separator:
            raise TemplateError(f"invalid --set value `{token}`: expected KEY=VALUE")
        if not key.strip():
            raise TemplateError(f"invalid --set value `{token}`: key cannot be empty")
        overrides[key.strip()] = value
    return overrides


def _apply_aliases(spec: InputSpec, selector: str, overrides: dict[str, str]) -> None:
    for alias, param in spec.named.items():
        if not alias:
            raise TemplateError(f"workflow `{selector}` has an empty [cli].named alias key (for `{param}`)")
        if not param:
            raise TemplateError(f"workflow `{selector}` has an empty [cli].named target for alias `{alias}`")
        if param not in spec.params:
            raise TemplateError(
                f"workflow `{selector}` [cli].named alias `{alias}` maps to unknown parameter `{param}`"
                f"{did_you_mean(param, spec.params)}"
            )
    for alias, param in spec.named.items():
        if alias == param or alias not in overrides:
            continue
        value = overrides.pop(alias)
        if param in overrides:
            raise TemplateError(
                f"workflow `{selector}` parameter `{param}` was provided multiple ways: also by --{kebab(alias)}"
            )
        overrides[param] = value


def _apply_positionals(spec: InputSpec, selector: str, overrides: dict[str, str], positionals: Sequence[str]) -> None:
    if not positionals:
        return
    listed = ", ".join(spec.positional)
    if not spec.positional:
        raise TemplateError(
            f"workflow `{selector}` does not define positional inputs; use named flags or --set KEY=VALUE instead"
        )
    if len(positionals) > len(spec.positional):
        raise TemplateError(
            f"workflow `{selector}` accepts at most {len(spec.positional)} positional input(s) ({listed}), "
            f"got {len(positionals)}"
        )
    for param in spec.positional:
        if not param.strip():
            raise TemplateError(f"workflow `{selector}` has an empty positional mapping entry in [cli].positional")
        if param not in spec.params:
            raise TemplateError(
                f"workflow `{selector}` [cli].positional entry `{param}` is not declared in [params]"
                f"{did_you_mean(param, spec.params)}"
            )
    for index, (param, value) in enumerate(zip(spec.positional, positionals, strict=False), start=1):
        if param in overrides:
            raise TemplateError(
                f"workflow `{selector}` parameter `{param}` was provided multiple ways: "
                f"also by positional input {index}"
            )
        overrides[param] = value
