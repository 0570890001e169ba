"""The worker as a program of its own: `python -P -m vizier_core.worker __workflow-node --job-id ID` (ruling R80).

The command line's `vizier __workflow-node` ends here too. Start-up is kept small: no argument parser beyond the few
options that job records hold.
"""

import sys
from pathlib import Path
from typing import NoReturn

from vizier_core.config import load_settings
from vizier_core.errors import VizierError, explain
from vizier_core.jobs.opening import open_project
from vizier_core.jobs.worker_options import parse_worker_arguments
from vizier_core.jobs.workflow_runtime import run_workflow_node_command
from vizier_core.project import find_project_root


def main() -> NoReturn:
    """Runs the worker that the command line names."""
    try:
        arguments = parse_worker_arguments(sys.argv[1:])
        root = find_project_root(Path.cwd())
        settings = load_settings(root, arguments.config_file)
        context = open_project(
            root,
            settings,
            lambda line: print(line, file=sys.stderr),
            verbosity=arguments.verbosity,
            program=arguments.program_directory,
        )
        run_workflow_node_command(context, arguments.job_id, arguments.token)
    except (OSError, VizierError) as error:
        print(explain(error), file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
