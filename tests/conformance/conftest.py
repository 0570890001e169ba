import os
import sys
from pathlib import Path

import pytest

# Helpers are imported as `support.…`.
sys.path.insert(0, str(Path(__file__).parents[1]))

# What ships beside the program is looked for in this checkout. Real installations need a package index: by hand only.
os.environ.setdefault("VIZIER_CHECKOUT", str(Path(__file__).parents[2]))

from suite_fixtures import *  # noqa: F401,F403
from suite_fixtures import pytest_collection_modifyitems as mark_better
from support.left_behind import valid_files  # noqa: F401
from waiting import WAITING


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    mark_better(items)
    issue_of = {test: issue for issue, tests in WAITING.items() for test in tests}
    for item in items:
        for name in (f"{item.path.name}::{item.name}", f"{item.path.name}::{item.name.partition('[')[0]}"):
            if name in issue_of:
                item.add_marker(pytest.mark.xfail(reason=f"waits for the issue {issue_of[name]}", strict=True))
