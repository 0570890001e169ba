import os
import sys
from pathlib import Path

# Helpers are imported as `support.…`.
sys.path.insert(0, str(Path(__file__).parents[1]))

# What ships beside the program is looked for in this checkout. Real installations need a package index: by hand only.
os.environ.setdefault("VIZIER_CHECKOUT", str(Path(__file__).parents[2]))

from suite_fixtures import *  # noqa: F401,F403
from support.left_behind import valid_files  # noqa: F401
