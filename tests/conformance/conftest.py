import os
from pathlib import Path

# What ships beside the program is looked for in this checkout. Real installations need a package index: by hand only.
os.environ.setdefault("VIZIER_CHECKOUT", str(Path(__file__).parents[2]))

from suite_fixtures import *  # noqa: F401,F403
