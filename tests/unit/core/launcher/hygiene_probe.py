"""Run by test_hygiene.py: a ticker with everything that must not reach its worker starts one.

Arguments: the project root, the launcher form, and optionally `closed` to close the standard descriptors first. Prints
what the worker's node has found out about the worker and about itself.
"""

import atexit
import json
import os
import signal
import sys
from pathlib import Path

from vizier_core.config import Settings
from vizier_core.jobs import JobSettings, RunRequest, enqueue_workflow_runs, open_project
from vizier_core.jobs.settings import LauncherForm
from vizier_kernel.template import compile_workflow, compose, decode_template, expand

#: The node reports on itself and on its worker, which is its parent.
SCRIPT = r"""
exec >"$VIZIER_TEST_REPORT"
echo "cwd $(pwd)"
echo "umask $(umask)"
echo "stdin $(readlink /proc/self/fd/0)"
sed 's/^/own /' /proc/self/status
sed 's/^/worker /' /proc/$PPID/status
echo "title $(tr '\0' ' ' </proc/$PPID/cmdline)"
echo "worker-cwd $(readlink /proc/$PPID/cwd)"
echo "worker-stat $(cat /proc/$PPID/stat)"
readlink /proc/$PPID/fd/* >"$VIZIER_TEST_REPORT.worker-fd"
readlink /proc/$$/fd/* >"$VIZIER_TEST_REPORT.own-fd"
true
"""
FLOW = {
    "id": "template.hygiene",
    "version": "v1",
    "nodes": [{"id": "only", "kind": "shell", "uses": "cap.env.shell.command.run", "args": {"script": SCRIPT}}],
}


def be_hostile(root: Path) -> None:
    """Descriptors, signals and buffers of all kinds."""
    for name, inheritable in (("inheritable", True), ("private", False)):
        descriptor = os.open(root.parent / name, os.O_RDWR | os.O_CREAT)
        os.set_inheritable(descriptor, inheritable)
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGQUIT):
        signal.signal(number, signal.SIG_IGN)
    signal.signal(signal.SIGUSR1, lambda *_: None)
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR2})
    wakeup, _ = os.pipe()
    os.set_blocking(wakeup, False)
    os.umask(0o027)
    os.chdir("/")
    atexit.register(lambda: (root.parent / "at-exit").open("a").write("ticker\n"))
    print("buffered by the ticker", end="")


def enqueue(root: Path, form: LauncherForm) -> str:
    composed = compose(decode_template(FLOW, origin="hygiene.json"), lambda *_: sys.exit("no imports here"))
    workflow = compile_workflow(expand(composed, {}), run_id="run_1")
    jobs = open_project(root, Settings(jobs=JobSettings(launcher=form)), warn=sys.exit)
    try:
        (run,) = enqueue_workflow_runs(jobs, [RunRequest(run_id="run_1", workflow=workflow, selector="file:x.json")])
    finally:
        with (root.parent / "finally").open("a") as file:
            file.write("ticker\n")
    os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOWAIT)
    return run.job_ids[0]


def main(root: Path, form: LauncherForm, *, closed: bool) -> None:
    if not closed:
        be_hostile(root)
        enqueue(root, form)
        print("\n" + json.dumps(os.getsid(0)))
        return
    kept = os.dup(1)
    os.set_inheritable(kept, False)
    for descriptor in (0, 1, 2):
        os.close(descriptor)
    job_id = enqueue(root, form)
    log = (root / ".vizier" / "jobs" / job_id / "stderr.log").read_text()
    os.write(kept, json.dumps(log).encode() + b"\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), LauncherForm(sys.argv[2]), closed=sys.argv[3:] == ["closed"])
