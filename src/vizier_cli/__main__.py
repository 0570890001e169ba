"""`python -m vizier_cli` is the program `vizier`."""

import sys

from vizier_cli.main import main

sys.exit(main())
