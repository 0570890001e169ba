"""`vizier init`: creates the files that vizier works with, or says what is missing (spec 09 §2)."""

import sys

from vizier_cli.cli.app import App
from vizier_core.errors import ConfigError
from vizier_core.scaffold import initialise, missing_items

#: `draft` and `approve` read prompts and the snapshot from a branch, not from the checkout (WS-09-03).
_HINT = """\
Next: commit these files; `vizier run draft` and `vizier run approve` read them from the branch they work on.
  git add .vizier .gitignore ci.sh && git commit"""


def run(app: App) -> int:
    """Creates or checks."""
    only_check = app.arguments.has("check")
    root = app.root
    try:
        app.prepare()
    except ConfigError as error:
        # A file that was found may be broken where files are made that it says nothing about (WS-09-02). One that the
        # operator named must be right, and a repository with a broken one is not in order (spec 07 §2.1).
        if only_check or app.config_file is not None:
            raise
        app.warn(f"init goes on without the configuration: {error}")
    if only_check:
        missing = missing_items(root)
        if not missing:
            print("Outcome: vizier init check: satisfied")
            return 0
        print("\n".join(["Outcome: vizier init check: missing required items", *(f"missing: {i}" for i in missing)]))
        print("vizier init --check failed", file=sys.stderr)
        return 1
    if initialise(root, app.progress):
        print(f"Outcome: vizier init newly initialized\n{_HINT}")
    else:
        print("Outcome: vizier init already satisfied")
    return 0
