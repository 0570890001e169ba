"""Many commands at once in one repository."""

import pytest

from crash.invariants import check, check_logs, check_output
from crash.ledger import started
from support.flows import command, template
from support.repository import Finished, Repository

pytestmark = pytest.mark.crash

PAIRS = 32


def test_sixty_four_commands_at_once(repository: Repository) -> None:
    for number in range(PAIRS):
        node = f"n{number}"
        repository.write(f"{node}.json", template(command(node, started(node)), command(f"{node}b", "true", [node])))
    commands = [repository.start("run", f"n{number}.json") for number in range(PAIRS)]
    commands += [repository.start("jobs", "list") for _ in range(PAIRS)]
    done = []
    for process in commands:
        out, err = process.communicate(timeout=300)
        done.append(Finished(list(map(str, process.args)), process.returncode, out, err))
    assert [str(command) for command in done if command.code or command.err] == []
    check_output(done)
    repository.wait_until_quiet()
    check_logs(repository)
    check(repository)
    assert set(repository.statuses().values()) == {"succeeded"}
    assert len(repository.statuses()) == 2 * PAIRS
