"""Conformance tests that need something of a later issue: strict xfails, which that issue has to take out of here.

Keys name the issue; an entry is a test, with or without its parameters.
"""

RUNTIME = "Runtime"
COMMAND_LINE = "Command line"

WAITING: dict[str, tuple[str, ...]] = {
}
