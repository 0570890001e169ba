"""Lenient scalars: values that a template may write as text, number or boolean (spec 04 §9.3).

They stay as they were written until their placeholders are expanded; only then do they become what they mean.
"""

from typing import Final

from vizier_kernel.template.errors import TemplateError
from vizier_kernel.template.model import Scalar
from vizier_kernel.workflow import RetryMode

_WORDS: Final = {
    **dict.fromkeys(("true", "1", "yes", "on"), True),
    **dict.fromkeys(("false", "0", "no", "off"), False),
}

#: Largest retry budget, the largest unsigned 32-bit number.
BUDGET_LIMIT: Final = 2**32 - 1

#: Whole numbers from here on are shown as floating-point numbers, as they do not fit 64 bits.
_WIDE: Final = 2**64


def boolean_word(text: str) -> bool | None:
    """The meaning of ``yes``, ``off``, ``1`` and the like in any case, None if the text is no such word."""
    return _WORDS.get(text.strip().lower())


def scalar_text(value: float | str) -> str:
    """A text or number as messages show it: whole numbers without a trailing ``.0``."""
    if isinstance(value, str):
        return value
    return str(int(value)) if is_whole(value) and abs(value) < _WIDE else repr(float(value))


def is_whole(value: float) -> bool:
    """Whether a number has no fraction."""
    return isinstance(value, int) or value.is_integer()


def to_boolean(value: Scalar, path: str) -> bool:
    """Reads a lenient boolean.

    Raises:
        TemplateError: it is no boolean word; names `path`.
    """
    if isinstance(value, bool):
        return value
    text = scalar_text(value)
    meaning = boolean_word(text)
    if meaning is None:
        raise TemplateError(f"invalid bool value `{text}` for {path}: expected true, 1, yes, on, false, 0, no or off")
    return meaning


def to_retry_mode(text: str, path: str) -> RetryMode:
    """Reads a retry mode.

    Raises:
        TemplateError: it is none; names `path`.
    """
    try:
        return RetryMode(text.strip())
    except ValueError:
        expected = ", ".join(RetryMode)
        raise TemplateError(f"invalid retry mode value `{text}` for {path}: expected one of {expected}") from None


def to_budget(value: float | str, path: str) -> int:
    """Reads a retry budget, a whole number between 0 and `BUDGET_LIMIT`.

    A floating-point number will do if it is whole, because HCL knows no other numbers (weak spot 5 of spec 04 §24).

    Raises:
        TemplateError: it is no such number; names `path`.
    """
    if isinstance(value, str):
        digits = value.strip()
        # Longer texts are not converted: they are out of range anyway and the conversion takes quadratic time.
        short = digits.lstrip("0")[:11]
        number = int(short or "0") if digits.isascii() and digits.isdigit() else -1
    else:
        number = int(value) if is_whole(value) else -1
    if not 0 <= number <= BUDGET_LIMIT:
        raise TemplateError(
            f"invalid u32 value `{scalar_text(value)}` for {path}: expected a whole number from 0 to {BUDGET_LIMIT}"
        )
    return number
