"""`command.run` and `cicd.run`: a shell script is the node (spec 06 §7.15)."""

from typing import Final

from vizier_core.jobs.operations.node import Handler, NodeResult, RunningNode, failed, succeeded
from vizier_kernel.workflow import CicdGate


def run_command(running: RunningNode) -> NodeResult:
    """Runs the script of the node's arguments."""
    script = running.node.arg("command", "script")
    if script is None:
        return failed("command.run requires args.command or args.script")
    return _run(running, script, passed="command.run succeeded", failed_as="command.run")


def run_cicd(running: RunningNode) -> NodeResult:
    """Runs the project's checks: the script of the arguments, else of the node's CI gate."""
    script = running.node.arg("command", "script") or cicd_gate_script(running)
    if script is None:
        return failed("cicd.run requires args.command/args.script or a cicd gate script")
    return _run(running, script, passed="cicd.run passed", failed_as="cicd.run")


def cicd_gate_script(running: RunningNode) -> str | None:
    """The script of the first CI gate that has one."""
    scripts = (gate.script.strip() for gate in running.node.gates if isinstance(gate, CicdGate))
    return next((script for script in scripts if script), None)


def _run(running: RunningNode, script: str, *, passed: str, failed_as: str) -> NodeResult:
    done = running.run_shell(script)
    output = {"stdout": done.stdout, "stderr_lines": tuple(done.stderr.lines())}
    if done.exit_code == 0:
        return succeeded(passed, **output)
    return failed(f"{failed_as} failed (exit {done.exit_code})", done.exit_code, **output)


HANDLERS: Final[dict[str, Handler]] = {"command.run": run_command, "cicd.run": run_cicd}
