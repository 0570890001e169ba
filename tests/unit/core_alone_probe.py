"""Run by test_boundaries.py where the command line cannot be imported: runs a flow of one node through core's facade.

Arguments: the project root, then the launcher form. Prints the status that the job ends with.
"""

import os
import sys
from pathlib import Path

from vizier_core.config import Settings
from vizier_core.jobs import JobSettings, RunRequest, enqueue_workflow_runs, open_project
from vizier_core.jobs.settings import LauncherForm
from vizier_kernel.template import compile_workflow, compose, decode_template, expand

FLOW = {
    "id": "template.alone",
    "version": "v1",
    "nodes": [
        {"id": "only", "kind": "shell", "uses": "cap.env.shell.command.run", "args": {"script": "echo done >out"}}
    ],
}


def main(root: Path, form: LauncherForm) -> None:
    """Enqueue the flow, which starts its only job, and wait for the worker: it is a child of this process."""
    composed = compose(decode_template(FLOW, origin="alone.json"), lambda *_: sys.exit("the flow imports nothing"))
    workflow = compile_workflow(expand(composed, {}), run_id="run_1")
    jobs = open_project(root, Settings(jobs=JobSettings(launcher=form)), warn=sys.exit)
    (run,) = enqueue_workflow_runs(jobs, [RunRequest(run_id="run_1", workflow=workflow, selector="file:alone.json")])
    os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOWAIT)
    print(jobs.store.read(run.job_ids[0]).status.value, (root / "out").read_text().strip())


if __name__ == "__main__":
    main(Path(sys.argv[1]), LauncherForm(sys.argv[2]))
