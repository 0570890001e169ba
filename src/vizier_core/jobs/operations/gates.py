"""Control nodes that decide whether a run goes on (spec 06 §9)."""

from collections.abc import Sequence
from typing import Any, Final

from vizier_core.command import Finished, Output
from vizier_core.jobs.operations.node import (
    Handler,
    NodeResult,
    RunningNode,
    blocked,
    failed,
    read_flag,
    succeeded,
)
from vizier_core.jobs.operations.shell import cicd_gate_script
from vizier_kernel.scheduler import ApprovalState
from vizier_kernel.workflow import CicdGate, RetryMode, ScriptGate

#: So much of a failed stop condition's words goes into the summary, in characters; the log has them all.
_SUMMARY_WORDS: Final = 2000


def terminal(running: RunningNode) -> NodeResult:
    """The end of a run; its declared artifacts become visible."""
    if running.node.routes.all():
        return failed("terminal policy node must not declare outgoing routes")
    return succeeded("terminal sink reached")


def approval(running: RunningNode) -> NodeResult:
    """Passes what a person has approved (spec 06 §9.4)."""
    if read_flag(running.node.args.get("required")) is False:
        return succeeded("approval gate bypassed (required=false)")
    given = running.record.scheduling.approval
    if given is None:
        return blocked("approval gate blocked: no approval state present")
    if given.state is ApprovalState.APPROVED:
        return succeeded("approval gate passed")
    if given.state is ApprovalState.PENDING:
        return blocked("approval gate pending human decision")
    return failed(f"approval gate rejected: {(given.reason or '').strip() or 'approval rejected'}", 10)


def stop_condition(running: RunningNode) -> NodeResult:
    """Asks a script whether the work is good enough, within a budget of attempts (spec 06 §9.1)."""
    gates = (gate.script.strip() for gate in running.node.gates if isinstance(gate, ScriptGate))
    script = running.node.arg("script") or next((script for script in gates if script), None)
    if script is None:
        return succeeded("stop-condition gate skipped (no script configured)")
    done = running.run_shell(script)
    output = _output([done])
    if done.exit_code == 0:
        return succeeded("stop-condition gate passed", **output)
    retry = running.node.retry
    summary = f"stop-condition failed on attempt {running.attempt}"
    if retry.mode is RetryMode.UNTIL_GATE and running.attempt > retry.budget + 1:
        return blocked(f"{summary}; retry budget exhausted ({retry.budget})", **output)
    words = done.stderr.text.strip()
    if words:
        summary += f": {words[:_SUMMARY_WORDS]}"
    return failed(summary, done.exit_code, **output)


def cicd(running: RunningNode) -> NodeResult:
    """Runs the project's checks, once more after a fix if there is one (spec 06 §9.3).

    What the fix has changed stays uncommitted in the execution root.
    """
    script = running.node.arg("command", "script") or cicd_gate_script(running)
    if script is None:
        return succeeded("cicd gate skipped (no script configured)")
    runs = [running.run_shell(script)]
    attempt = running.attempt
    if runs[0].exit_code == 0:
        return succeeded(f"cicd gate passed on attempt {attempt}", **_output(runs))
    fix = running.node.arg("auto_resolve_command", "auto_resolve_script")
    if fix is not None and _resolves_itself(running):
        runs.append(running.run_shell(fix))
        if runs[-1].exit_code == 0:
            runs.append(running.run_shell(script))
            if runs[-1].exit_code == 0:
                return succeeded(f"cicd gate passed after auto-resolve on attempt {attempt}", **_output(runs))
    code = runs[0].exit_code
    return failed(f"cicd gate failed on attempt {attempt} (exit {code})", code, **_output(runs))


def _resolves_itself(running: RunningNode) -> bool:
    asked = read_flag(running.node.args.get("auto_resolve"))
    if asked is not None:
        return asked
    gates = (gate for gate in running.node.gates if isinstance(gate, CicdGate) and gate.script.strip())
    gate = next(gates, None)
    return gate is not None and gate.auto_resolve


def _output(runs: Sequence[Finished]) -> dict[str, Any]:
    """The output of several scripts as that of one."""
    return {
        "stdout": Output.joined([done.stdout for done in runs]),
        "stderr_lines": tuple(line for done in runs for line in done.stderr.lines()),
    }


HANDLERS: Final[dict[str, Handler]] = {
    "terminal": terminal,
    "gate.approval": approval,
    "gate.stop_condition": stop_condition,
    "gate.cicd": cicd,
}
