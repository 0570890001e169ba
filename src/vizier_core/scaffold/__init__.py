"""What `vizier init` guarantees in a repository: starter files and a block of ignore rules (spec 09 §§2-3).

The starter files lie in `seed`, laid out as below `.vizier`. They are what the installer copies, too.
"""

from vizier_core.scaffold.contract import missing_items
from vizier_core.scaffold.initialise import initialise

__all__ = ["initialise", "missing_items"]
