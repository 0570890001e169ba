"""Where a name ends (spec 05 §3.1)."""

import re
from typing import Final

_ASCII_REST: Final = re.compile(r"[A-Za-z0-9_-]*")


def name_end(text: str, start: int, limit: int) -> int:
    """The end of the name at ``start``, or ``start`` when none begins there.

    A name starts with a Unicode XID_Start character or ``_`` and goes on with XID_Continue characters and ``-``.
    """
    if start >= limit or not text[start].isidentifier():
        return start
    end = start + 1
    while True:
        match = _ASCII_REST.match(text, end, limit)
        end = match.end() if match else end
        if end >= limit or text[end].isascii() or not ("a" + text[end]).isidentifier():
            return end
        end += 1
