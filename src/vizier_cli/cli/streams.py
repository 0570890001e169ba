"""The standard streams: present, able to print any text, and quiet when nobody reads them (spec 08 §3.1, WS-08-13)."""

import codecs
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, TextIO, cast

#: Exit code when the reader of stdout has gone, as if SIGPIPE had ended the program.
READER_GONE: Final = 128 + 13
_ERRORS: Final = "vizier.printable"


def prepare_streams() -> None:
    """Makes the streams fit for what commands print.

    A stream that the caller has closed becomes the null device: otherwise the next file that is opened would take its
    place and get our output. Text that the encoding lacks is shown in a substitute form instead of being an error, and
    bytes of file names that are no text come out as they went in.
    """
    if sys.stdin is None:
        sys.stdin = _null(0, "r")
    if sys.stdout is None:
        sys.stdout = _null(1, "w")
    if sys.stderr is None:
        sys.stderr = _null(2, "w")
    codecs.register_error(_ERRORS, _encodable)
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors=_ERRORS)


def needs_utf8_mode() -> bool:
    """Whether names of files would be read and written in something else than UTF-8."""
    return not sys.flags.utf8_mode and codecs.lookup(sys.getfilesystemencoding()).name != "utf-8"


def restart_in_utf8_mode() -> None:
    """Runs this command anew with files and streams in UTF-8, as git and the files of the contract have it.

    Only under a locale with another encoding. The environment stays as it is, for what the program starts.
    """
    program, *arguments = sys.orig_argv
    os.execv(sys.executable or program, [program, "-X", "utf8", *arguments])


@contextmanager
def quiet_when_nobody_reads() -> Iterator[None]:
    """Keeps the interpreter from complaining about output that it cannot get rid of when it ends."""
    try:
        yield
    except OSError:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, sys.stdout.fileno())
        os.close(null)
        raise


def _null(number: int, mode: str) -> TextIO:
    """The null device as the stream of this number."""
    descriptor = os.open(os.devnull, os.O_RDONLY if mode == "r" else os.O_WRONLY)
    if descriptor != number:
        os.dup2(descriptor, number)
        os.close(descriptor)
    else:
        os.set_inheritable(number, True)
    return cast(TextIO, open(number, mode, encoding="utf-8", closefd=False))


def _encodable(error: UnicodeError) -> tuple[str | bytes, int]:
    """Bytes that stood for themselves as they were, everything else as its escape."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    character = error.object[error.start]
    if "\udc80" <= character <= "\udcff":
        return bytes([ord(character) - 0xDC00]), error.start + 1
    return character.encode("ascii", errors="backslashreplace"), error.start + 1
