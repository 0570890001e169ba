"""Moments in time as the files and views write them (spec 02 §3.2)."""

import re
import time
from datetime import UTC, datetime, timedelta
from typing import Final

_BILLION: Final = 1_000_000_000
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND: Final = timedelta(seconds=1)
#: The seconds of the years 1 to 9999: other years have no four digits.
_WRITABLE: Final = range((datetime.min.replace(tzinfo=UTC) - _EPOCH) // _SECOND, 253_402_300_800)
_RFC3339: Final = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:\.(\d+))?(?:([Zz])|([+-])(\d\d):?(\d\d))", re.ASCII
)


class Timestamp(int):
    """Nanoseconds since the epoch: sorts and compares as a number, prints in the forms the contract knows."""

    @classmethod
    def now(cls) -> "Timestamp":
        """This moment, cut to microseconds: finer digits would say nothing and lengthen every record."""
        return cls(time.time_ns() // 1000 * 1000)

    @classmethod
    def parse(cls, text: object) -> "Timestamp":
        """Reads RFC 3339 with any offset and a ``T`` or a blank between date and time.

        Raises:
            ValueError: the value is not such a text.
        """
        match = _RFC3339.fullmatch(text) if isinstance(text, str) else None
        if match is None:
            raise ValueError(f"expected a time such as 2026-03-04T09:15:02Z, got {text!r}")
        year, month, day, hour, minute, second = map(int, match.groups()[:6])
        try:
            # A leap second counts as the second after it.
            moment = datetime(year, month, day, hour, minute, min(second, 59), tzinfo=UTC)
        except ValueError:
            raise ValueError(f"no such moment: {text!r}") from None
        if second > 60:
            raise ValueError(f"no such moment: {text!r}")
        seconds = (moment - _EPOCH) // _SECOND + max(second - 59, 0)
        if match[9]:
            hours, minutes = int(match[10]), int(match[11])
            if hours > 23 or minutes > 59:
                raise ValueError(f"no such moment: {text!r}")
            offset = hours * 3600 + minutes * 60
            seconds -= offset if match[9] == "+" else -offset
        if seconds not in _WRITABLE:
            raise ValueError(f"no such moment: {text!r}")
        fraction = (match[7] or "")[:9].ljust(9, "0")
        return cls(seconds * _BILLION + int(fraction))

    def record_form(self) -> str:
        """Text for records: ``2026-03-04T09:15:02.104311Z``."""
        return self._text() + "Z"

    def offset_form(self) -> str:
        """Text for views and ad-hoc files: ``2026-03-04T09:15:02.104311+00:00``."""
        return self._text() + "+00:00"

    def local_form(self) -> str:
        """Text in the local zone with its offset, for the header of the watch display."""
        seconds, fraction = divmod(self, _BILLION)
        local = time.localtime(seconds)
        sign, offset = ("-", -local.tm_gmtoff) if local.tm_gmtoff < 0 else ("+", local.tm_gmtoff)
        zone = f"{sign}{offset // 3600:02d}:{offset % 3600 // 60:02d}"
        return f"{time.strftime('%Y-%m-%dT%H:%M:%S', local)}{_fraction(fraction)}{zone}"

    def _text(self) -> str:
        seconds, fraction = divmod(self, _BILLION)
        moment = time.gmtime(seconds)
        return (
            f"{moment[0]:04d}-{moment[1]:02d}-{moment[2]:02d}T{moment[3]:02d}:{moment[4]:02d}:{moment[5]:02d}"
            f"{_fraction(fraction)}"
        )


def _fraction(nanoseconds: int) -> str:
    """The shortest of no, 3, 6 or 9 digits that is exact."""
    if not nanoseconds:
        return ""
    for digits, unit in ((3, 1_000_000), (6, 1_000)):
        if nanoseconds % unit == 0:
            return f".{nanoseconds // unit:0{digits}d}"
    return f".{nanoseconds:09d}"
