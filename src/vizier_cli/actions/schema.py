"""`vizier schema`: prints the JSON Schema of a format that people write, for their editors."""

from vizier_cli.cli.app import App
from vizier_cli.cli.output import json_text
from vizier_kernel.template.json_schema import template_schema


def run(_app: App) -> int:
    """Prints the schema of templates, which is the only one so far."""
    print(json_text(template_schema()))
    return 0
