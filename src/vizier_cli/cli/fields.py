"""Fields that the operator chooses for a view (spec 03 §10.1)."""

from collections.abc import Callable, Iterable, Mapping
from typing import Protocol, TypeVar

from vizier_core.config import field_key


class Labelled(Protocol):
    """Something with a label that the configuration knows it by."""

    @property
    def label(self) -> str:
        """What it is called unless the configuration renames it."""


F = TypeVar("F", bound=Labelled)


def choose_fields(
    names: Iterable[str], catalogue: Iterable[F], labels: Mapping[str, str], warn: Callable[[str], None], key: str
) -> tuple[tuple[F, str], ...]:
    """The fields that are named, in this order, and what they are called in text.

    Args:
        names: what the operator wants to see; names that the catalogue does not know are left out.
        catalogue: the fields there are.
        labels: what the operator calls fields, by :func:`vizier_core.config.field_key`.
        warn: receives a line for each unknown name.
        key: the key of the list of names in the configuration.
    """
    known = {field_key(field.label): field for field in catalogue}
    chosen = []
    for name in names:
        field = known.get(field_key(name))
        if field is None:
            warn(f"{key}: unknown field `{name}`; ignoring")
        else:
            chosen.append((field, labels.get(field_key(name), field.label)))
    return tuple(chosen)
