"""Run by test_imports.py: runs the command line in its arguments, then writes the names of all loaded modules.

The first argument is the file to write them to. This script imports nothing that a command might have to answer for.
"""

import sys

report, *sys.argv[1:] = sys.argv[1:]
sys.argv[0] = "vizier"
before = set(sys.modules)

from vizier_cli.main import main  # noqa: E402 - what this imports is what matters

try:
    code = main()
finally:
    with open(report, "w", encoding="utf-8") as file:
        file.write("\n".join(sorted(set(sys.modules) - before)))
sys.exit(code)
