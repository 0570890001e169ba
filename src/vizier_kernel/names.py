"""How names are cleaned before they become ids, aliases or slugs (spec 01 §7.1, 02 §3.4, 04 §§3.3, 3.4, 06 §11.1)."""

import re

#: A plan slug is never longer than this, in bytes (it is ASCII).
SLUG_LIMIT = 32

_NOT_COMPONENT = re.compile(r"[^A-Za-z0-9_-]")
_NOT_SLUG = re.compile(r"[^a-z0-9]+")


def component(text: str) -> str:
    """Text as one path component: other characters than ASCII letters, digits, ``-`` and ``_`` become ``-``."""
    return _NOT_COMPONENT.sub("-", text).strip("-") or "node"


def workflow_job_id(run_id: str, node_id: str) -> str:
    """The id of the job that runs one node of one run."""
    return f"wf-{component(run_id)}-{component(node_id)}"


def command_alias(text: str) -> str:
    """The normal form of a flow alias, empty when nothing is left of it."""
    folded = "".join(c.lower() if c.isascii() else c for c in text.strip()).replace("-", "_").replace(" ", "_")
    return re.sub("_+", "_", folded).strip("_")


def canonical_selector(selector: str) -> str | None:
    """What to write instead of a dotted selector of earlier versions: `id@v1` for `id.v1`; None if it is none."""
    identity, dot, version = selector.strip().rpartition(".v")
    if not dot or not identity.strip() or not (version.isascii() and version.isdigit()):
        return None
    return f"{identity.strip()}@v{version}"


def normalise_slug(text: str) -> str:
    """Lower-case ASCII letters and digits with single ``-`` between them; at most `SLUG_LIMIT` long, may be empty."""
    folded = "".join(c.lower() if c.isascii() else c for c in text)
    return _NOT_SLUG.sub("-", folded).strip("-")[:SLUG_LIMIT].rstrip("-")


def plan_slug(name: str) -> str:
    """The slug of a plan name that a person gave.

    Raises:
        ValueError: nothing usable in the name; the message says why.
    """
    name = name.strip()
    if not name:
        raise ValueError("plan name cannot be empty")
    if name.startswith("."):
        raise ValueError("plan name cannot start with '.'")
    if "/" in name:
        raise ValueError("plan name cannot contain '/'")
    slug = normalise_slug(name)
    if not slug:
        raise ValueError("plan name must include letters or numbers")
    return slug


def slug_from_spec(spec: str) -> str:
    """The slug of a plan that was given only as text: its first six words."""
    return normalise_slug("-".join(spec.split()[:6])) or "draft-plan"
